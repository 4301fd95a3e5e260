import type { Tensor3D } from '@tensorflow/tfjs';
import { rfft2d, tf } from '../backend/index.js';

/** Best time of the probe on the machine that the plan's times were measured on, milliseconds. */
const REFERENCE_MS = 1.6;
/** A slow backend gets fewer repeats. */
const REPEATS = 8;
const LIMIT_MS = 100;
/** Not all work is as much slower as transforms are on the portable backend. */
const MOST = 50;

/**
 * How many times slower this machine is than the one that the plan's times were measured on (two cores, 2026): from the
 * best of a few small transforms, some 50 ms in all.
 */
export function machineSlowness(): number {
  const images = tf.zeros([8, 256, 256]) as Tensor3D;
  let best = Number.POSITIVE_INFINITY;
  const begin = performance.now();
  for (let k = 0; k < REPEATS && performance.now() - begin < LIMIT_MS; k++) {
    const start = performance.now();
    rfft2d(images).dispose();
    best = Math.min(best, performance.now() - start);
  }
  images.dispose();
  return Math.min(MOST, best / REFERENCE_MS);
}
