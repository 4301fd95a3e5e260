import type { NamedTensorInfoMap, Tensor, Tensor1D, Tensor2D, TensorInfo } from '@tensorflow/tfjs';
import { ShapeError } from '../errors.js';
import { tf } from './start.js';

interface NodeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_ATTR_BOOL: number; readonly TF_FLOAT: number };
  executeMultipleOutputs(name: string, attributes: readonly object[], inputs: readonly TensorInfo[], outputs: number): Tensor[];
}

const EIGH = 'SelfAdjointEigV2';

tf.registerKernel({
  kernelName: EIGH,
  backendName: 'tensorflow',
  kernelFunc: ({ inputs, backend }) => {
    const node = backend as unknown as NodeBackend;
    const attributes = [
      { name: 'T', type: node.binding.TF_ATTR_TYPE, value: node.binding.TF_FLOAT },
      { name: 'compute_v', type: node.binding.TF_ATTR_BOOL, value: true },
    ];
    return node.executeMultipleOutputs(EIGH, attributes, [(inputs as NamedTensorInfoMap).input as TensorInfo], 2);
  },
});

tf.registerKernel({
  kernelName: EIGH,
  backendName: 'cpu',
  kernelFunc: ({ inputs }) => {
    const input = (inputs as { input: Tensor2D }).input;
    const size = input.shape[0];
    const { values, vectors } = jacobi(Float64Array.from(tf.engine().readSync(input.dataId) as Float32Array), size);
    return [tf.tensor1d(Float32Array.from(values)), tf.tensor2d(Float32Array.from(vectors), [size, size])];
  },
});

/** Eigenvalues, ascending, and eigenvectors in columns by cyclic Jacobi rotations, in double precision. */
function jacobi(a: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    let all = 0;
    for (let p = 0; p < n; p++) for (let q = 0; q < n; q++) all += a[p * n + q] ** 2;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += 2 * a[p * n + q] ** 2;
    if (off <= 1e-22 * all) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, v, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((x, y) => a[x * n + x] - a[y * n + y]);
  const vectors = new Float64Array(n * n);
  for (const [to, from] of order.entries()) for (let i = 0; i < n; i++) vectors[i * n + to] = v[i * n + from];
  return { values: Float64Array.from(order, (i) => a[i * n + i]), vectors };
}

function rotate(a: Float64Array, v: Float64Array, n: number, p: number, q: number): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let i = 0; i < n; i++) {
    const x = a[i * n + p];
    const y = a[i * n + q];
    a[i * n + p] = c * x - s * y;
    a[i * n + q] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const x = a[p * n + i];
    const y = a[q * n + i];
    a[p * n + i] = c * x - s * y;
    a[q * n + i] = s * x + c * y;
  }
  for (let i = 0; i < n; i++) {
    const x = v[i * n + p];
    const y = v[i * n + q];
    v[i * n + p] = c * x - s * y;
    v[i * n + q] = s * x + c * y;
  }
}

/**
 * Eigenvalues and eigenvectors of a symmetric matrix. Native: TensorFlow's SelfAdjointEigV2; portable: Jacobi rotations.
 *
 * @param matrix float32 `[n, n]`, symmetric.
 * @returns `values` `[n]`, ascending, and `vectors` `[n, n]`, one a column. The caller disposes both.
 * @throws ShapeError if `matrix` is not square.
 */
export function eigh(matrix: Tensor2D): { values: Tensor1D; vectors: Tensor2D } {
  const [rows, columns] = matrix.shape;
  if (matrix.rank !== 2 || rows !== columns) throw new ShapeError(`eigh(): 'matrix' must be [n, n], got [${matrix.shape}]`);
  const [values, vectors] = tf.engine().runKernel(EIGH, { input: matrix }) as Tensor[];
  return { values: values as Tensor1D, vectors: vectors as Tensor2D };
}
