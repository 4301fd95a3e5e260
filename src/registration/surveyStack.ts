import { Pace, paceSteps, type Steps } from '../backend/index.js';
import type { ImageStack } from '../stack/index.js';
import { type Aperture, findAperture } from './findAperture.js';
import { apertureMask } from './frameMask.js';

/** What a look at some frames tells about the detector. */
export interface DetectorSurvey {
  /** Mean of the frames looked at, `[H, W]`. */
  readonly mean: Float32Array;
  readonly aperture: Aperture | undefined;
  /** `[H, W]`: 0 outside the aperture, where the mask forbids, and at dead or hot pixels. */
  readonly valid: Uint8Array;
  /** Pixels that stand out of their surroundings in the mean of all frames, or are missing in every frame. */
  readonly badPixels: number;
}

/** Frames that are looked at. */
const LOOKED_AT = 32;

/**
 * Looks at up to 32 frames, spread over the stack, for the edge of the field of view and for bad pixels.
 *
 * @param mask `[H, W]`, 0: do not use; from the user.
 * @param useAperture false: take the whole frame, whatever edge it shows.
 */
export async function surveyStack(
  stack: ImageStack,
  options: {
    mask?: Uint8Array | undefined;
    useAperture?: boolean;
    signal?: AbortSignal | undefined;
    onProgress?: ((done: number, total: number) => void) | undefined;
  } = {},
): Promise<DetectorSurvey> {
  const { mask, useAperture = true, signal, onProgress } = options;
  const [count, height, width] = stack.shape;
  const sum = new Float64Array(height * width);
  const known = new Uint16Array(height * width);
  const looks = Math.min(count, LOOKED_AT);
  const pace = new Pace(signal, 'Looking at the detector');
  for (let k = 0; k < looks; k++) {
    await pace.next();
    const pixels = await stack.frame(Math.floor(((k + 0.5) * count) / looks), signal);
    for (let i = 0; i < pixels.length; i++) {
      const value = pixels[i];
      if (!Number.isFinite(value) || (stack.info.zeroIsMissing && value === 0)) continue;
      sum[i] += value;
      known[i]++;
    }
    onProgress?.(k + 1, looks);
  }
  await pace.next();
  const mean = Float32Array.from(sum, (value, i) => (known[i] > 0 ? value / known[i] : Number.NaN));
  const valid = mask?.slice() ?? new Uint8Array(height * width).fill(1);
  let badPixels = 0;
  for (let i = 0; i < valid.length; i++) {
    if (known[i] > 0 || !valid[i]) continue;
    valid[i] = 0;
    badPixels++;
  }
  const shown = mean.map((value) => (Number.isNaN(value) ? 0 : value));
  const aperture = useAperture ? findAperture(shown, height, width) : undefined;
  await pace.next();
  badPixels += await paceSteps(markBadPixels(mean, valid, height, width), pace);
  if (aperture) {
    const inside = apertureMask(aperture, height, width);
    for (let i = 0; i < valid.length; i++) valid[i] &= inside[i];
  }
  return { mean, aperture, valid, badPixels };
}

/** A single pixel that differs from the median of its eight neighbors by 12 of the frame's typical differences is bad. */
function* markBadPixels(mean: Float32Array, valid: Uint8Array, height: number, width: number): Steps<number> {
  const difference = new Float32Array(height * width);
  const around = new Float32Array(8);
  const sample: number[] = [];
  for (let r = 1; r < height - 1; r++) {
    if (r % 16 === 0) yield;
    for (let c = 1; c < width - 1; c++) {
      const i = r * width + c;
      let k = 0;
      for (let dr = -1; dr <= 1; dr++)
        for (let dc = -1; dc <= 1; dc++) if (dr !== 0 || dc !== 0) around[k++] = mean[i + dr * width + dc];
      around.sort();
      const value = mean[i] - (around[3] + around[4]) / 2;
      if (Number.isNaN(value)) continue;
      // a steep edge lies between its neighbors' extremes, a bad pixel beyond them
      const beyond = mean[i] > around[7] || mean[i] < around[0];
      difference[i] = beyond ? value : 0;
      if (i % 7 === 0) sample.push(Math.abs(value));
    }
  }
  yield;
  sample.sort((a, b) => a - b);
  const typical = 1.4826 * (sample[sample.length >> 1] ?? 0);
  let count = 0;
  for (let i = 0; i < difference.length; i++) {
    if (valid[i] && typical > 0 && Math.abs(difference[i]) > 12 * typical) {
      valid[i] = 0;
      count++;
    }
  }
  return count;
}
