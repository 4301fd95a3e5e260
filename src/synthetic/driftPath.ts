import { Random } from './random.js';

/**
 * A drift as microscopes show it: smooth in rows and columns, with one sudden jump at 62 % of the series along the way.
 *
 * @param frames number of frames N.
 * @param driftPixels largest distance from frame 0, in pixels.
 * @param jumpPixels length of the jump, at most `driftPixels`.
 * @returns `[N, 2]`, [rows, columns] relative to frame 0.
 */
export function driftPath(frames: number, driftPixels: number, jumpPixels: number, seed: number): Float64Array {
  const random = new Random(seed, 0x0d71f7);
  const direction = random.uniform(0, 2 * Math.PI);
  const unit = [Math.sin(direction), Math.cos(direction)];
  const waves = [0, 1].map(() => ({
    amplitude: random.uniform(0.1, 0.2),
    turns: random.uniform(0.8, 1.6),
    phase: random.uniform(0, 2 * Math.PI),
  }));
  const jumpAt = Math.round(0.62 * (frames - 1));
  const path = (scale: number): Float64Array => {
    const drift = new Float64Array(2 * frames);
    for (let n = 0; n < frames; n++) {
      const t = n / Math.max(1, frames - 1);
      for (const axis of [0, 1]) {
        const { amplitude, turns, phase } = waves[axis];
        const wave = amplitude * (Math.sin(2 * Math.PI * turns * t + phase) - Math.sin(phase));
        drift[2 * n + axis] = scale * (t * unit[axis] + wave) + (n >= jumpAt && n > 0 ? jumpPixels * unit[axis] : 0);
      }
    }
    return drift;
  };
  // the largest distance grows with the scale of the smooth part: bisection
  let low = 0;
  let high = 4 * driftPixels;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (largestDistance(path(middle)) < driftPixels) low = middle;
    else high = middle;
  }
  return path(low);
}

/** Largest distance from the origin of an `[N, 2]` path. */
export function largestDistance(drift: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < drift.length; i += 2) largest = Math.max(largest, Math.hypot(drift[i], drift[i + 1]));
  return largest;
}
