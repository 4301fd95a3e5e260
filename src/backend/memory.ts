import type { Tensor } from '@tensorflow/tfjs';
import { tf } from './start.js';

/**
 * Runs `compute` in a tfjs scope and gives its tensor's values as typed data; every tensor made inside is freed.
 * (A tidy that returned the array itself would look through all its elements for tensors.)
 */
export function readOut(compute: () => Tensor): Float32Array {
  const [values] = readAll(() => [compute()]);
  return values;
}

/** The same for several tensors. */
export function readAll(compute: () => readonly Tensor[]): Float32Array[] {
  const out: Float32Array[] = [];
  tf.tidy(() => {
    for (const tensor of compute()) out.push(tensor.dataSync() as Float32Array);
  });
  return out;
}

/** Number of tensors alive: the leak tests compare it before and after a call. */
export function countTensors(): number {
  return tf.memory().numTensors;
}
