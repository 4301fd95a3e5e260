import type { Tensor } from '@tensorflow/tfjs';
import { tf } from './start.js';

/** Runs `compute` in a tfjs scope and gives its result as typed data; every tensor made inside is freed. */
export function readOut(compute: () => Tensor): Float32Array {
  return tf.tidy(() => compute().dataSync() as Float32Array);
}

/** Number of tensors alive: the leak tests compare it before and after a call. */
export function countTensors(): number {
  return tf.memory().numTensors;
}

/** Lets timers, signals and progress run between two pieces of synchronous work, without the delay of a timer. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
