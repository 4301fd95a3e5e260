import type { NamedTensorInfoMap, Tensor, TensorInfo } from '@tensorflow/tfjs';
import { ShapeError } from '../errors.js';
import { tf } from './start.js';

/** What leemlab uses of tfjs-node's backend, which has no types for it. */
interface NodeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number; readonly TF_COMPLEX64: number };
  executeSingleOutput(name: string, attributes: readonly object[], inputs: readonly TensorInfo[]): Tensor;
}

const REAL_FFT = 'RFFT2D';
const INVERSE_REAL_FFT = 'IRFFT2D';

interface InverseAttributes {
  readonly rows: number;
  readonly columns: number;
}

function runNative(operation: string, backend: unknown, input: TensorInfo, size: readonly [number, number]): Tensor {
  const node = backend as NodeBackend;
  const { TF_ATTR_TYPE: type, TF_FLOAT, TF_COMPLEX64 } = node.binding;
  const length = tf.tensor1d([...size], 'int32');
  try {
    const attributes = [
      { name: 'Treal', type, value: TF_FLOAT },
      { name: 'Tcomplex', type, value: TF_COMPLEX64 },
    ];
    return node.executeSingleOutput(operation, attributes, [input, length]);
  } finally {
    length.dispose();
  }
}

tf.registerKernel({
  kernelName: REAL_FFT,
  backendName: 'tensorflow',
  kernelFunc: ({ inputs, backend }) => {
    const input = (inputs as NamedTensorInfoMap).input as TensorInfo;
    const [rows, columns] = input.shape.slice(-2) as [number, number];
    return runNative(REAL_FFT, backend, input, [rows, columns]);
  },
});

tf.registerKernel({
  kernelName: INVERSE_REAL_FFT,
  backendName: 'tensorflow',
  kernelFunc: ({ inputs, attrs, backend }) => {
    const { rows, columns } = attrs as unknown as InverseAttributes;
    return runNative(INVERSE_REAL_FFT, backend, (inputs as NamedTensorInfoMap).input as TensorInfo, [rows, columns]);
  },
});

// The portable kernels are made of tfjs' own one-dimensional transforms: slow, but everywhere the same.
function swapLastAxes(x: Tensor): Tensor {
  const rank = x.rank;
  const order = Array.from({ length: rank }, (_, axis) => axis);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return x.dtype === 'complex64'
    ? tf.complex(tf.transpose(tf.real(x), order), tf.transpose(tf.imag(x), order))
    : tf.transpose(x, order);
}

function portableForward(x: Tensor): Tensor {
  return tf.tidy(() => swapLastAxes(tf.spectral.fft(swapLastAxes(tf.spectral.rfft(x)))));
}

function portableInverse(spectrum: Tensor, { columns }: InverseAttributes): Tensor {
  return tf.tidy(() => {
    const alongRows = swapLastAxes(tf.spectral.ifft(swapLastAxes(spectrum)));
    // The half that a real signal's spectrum does not store is its mirror image, conjugated.
    const stored = columns / 2 + 1;
    const axis = alongRows.rank - 1;
    const begin = Array.from({ length: axis + 1 }, (_, i) => (i === axis ? 1 : 0));
    const size = alongRows.shape.map((n, i) => (i === axis ? stored - 2 : n));
    const mirror = (part: Tensor, sign: number): Tensor =>
      tf.concat([part, tf.mul(tf.reverse(tf.slice(part, begin, size), axis), sign)], axis);
    const full = tf.complex(mirror(tf.real(alongRows), 1), mirror(tf.imag(alongRows), -1));
    return tf.real(tf.spectral.ifft(full));
  });
}

tf.registerKernel({
  kernelName: REAL_FFT,
  backendName: 'cpu',
  kernelFunc: ({ inputs }) => portableForward((inputs as { input: Tensor }).input),
});

tf.registerKernel({
  kernelName: INVERSE_REAL_FFT,
  backendName: 'cpu',
  kernelFunc: ({ inputs, attrs }) => portableInverse((inputs as { input: Tensor }).input, attrs as unknown as InverseAttributes),
});

/**
 * Two-dimensional FFT of real input over the last two axes, batched over the others, unnormalized.
 * Native: one TensorFlow op (multithreaded over the batch). Portable: rows, then columns, with tfjs' own transforms.
 *
 * @param x float32 `[..., rows, columns]`; both sizes even.
 * @returns complex64 `[..., rows, columns / 2 + 1]`, zero frequency first. The caller disposes it.
 * @throws ShapeError if the rank is below 2 or a size is odd.
 */
export function rfft2d(x: Tensor): Tensor {
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  if (x.rank < 2 || rows % 2 !== 0 || columns % 2 !== 0) {
    throw new ShapeError(`rfft2d(): 'x' must be [..., rows, columns] with even sizes, got [${x.shape}]`);
  }
  return tf.engine().runKernel(REAL_FFT, { input: x }) as Tensor;
}

/**
 * Inverse of {@link rfft2d}, normalized by 1 / (rows · columns).
 *
 * @param spectrum complex64 `[..., rows, columns / 2 + 1]`.
 * @returns float32 `[..., rows, columns]` with `columns = 2 · (last size − 1)`. The caller disposes it.
 * @throws ShapeError if `spectrum` is not complex or its rank is below 2.
 */
export function irfft2d(spectrum: Tensor): Tensor {
  const [rows = 0, stored = 0] = spectrum.shape.slice(-2);
  if (spectrum.rank < 2 || spectrum.dtype !== 'complex64' || rows % 2 !== 0 || stored < 2) {
    throw new ShapeError(
      `irfft2d(): 'spectrum' must be complex64 [..., rows, columns / 2 + 1], got ${spectrum.dtype} [${spectrum.shape}]`,
    );
  }
  return tf.engine().runKernel(INVERSE_REAL_FFT, { input: spectrum }, { rows, columns: 2 * (stored - 1) }) as Tensor;
}

/** `x.slice(begin, size)` for complex tensors, which tfjs' portable backend cannot slice as such. The caller disposes it. */
export function sliceComplex(x: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
  if (tf.getBackend() !== 'cpu') return x.slice([...begin], [...size]);
  return tf.tidy(() => tf.complex(tf.slice(tf.real(x), [...begin], [...size]), tf.slice(tf.imag(x), [...begin], [...size])));
}
