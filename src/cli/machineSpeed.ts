import type { Tensor3D } from '@tensorflow/tfjs';
import { rfft2d, tf } from '../backend/index.js';

/** Best time of the probe on the machine that the plan's times were measured on, milliseconds. */
const REFERENCE_MS = 3.5;
const REPEATS = 8;

/**
 * How many times slower this machine is than the one that the plan's times were measured on (two cores, 2026): from the
 * best of a few small transforms, some 50 ms in all.
 */
export function machineSlowness(): number {
  const images = tf.zeros([8, 256, 256]) as Tensor3D;
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < REPEATS; k++) {
    const start = performance.now();
    rfft2d(images).dispose();
    best = Math.min(best, performance.now() - start);
  }
  images.dispose();
  return best / REFERENCE_MS;
}
