// Compiled into tfjs-node's binding (see setup.mjs), before its own sources.
//
// The binding lends TensorFlow the memory of JavaScript arrays and gives it back in a callback that touches JavaScript.
// TensorFlow runs that callback on whichever of its threads drops the tensor last; off the main thread it corrupts the
// heap, seen once in some thousand transforms. A copy of the array costs less than the transform and cures it: the
// callback then runs at once, on the main thread.
#ifndef LEEMLAB_TENSOR_COPY_H_
#define LEEMLAB_TENSOR_COPY_H_

#include <cstring>

#include "tensorflow/c/c_api.h"

static inline TF_Tensor *leemlab_copied_tensor(TF_DataType type, const int64_t *dims, int rank, void *data, size_t bytes,
                                               void (*release)(void *, size_t, void *), void *context) {
  TF_Tensor *tensor = TF_AllocateTensor(type, dims, rank, bytes);
  if (tensor != nullptr && bytes > 0) std::memcpy(TF_TensorData(tensor), data, bytes);
  release(data, bytes, context);
  return tensor;
}

#define TF_NewTensor leemlab_copied_tensor

#endif
