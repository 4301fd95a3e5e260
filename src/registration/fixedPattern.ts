import { breathe } from '../backend/index.js';
import { PatternSeparator } from './separatePattern.js';
import { extent } from './statistics.js';

/** Drifts of the sampled frames, as a registration of them gives it. */
export interface SampleDrift {
  readonly row: Float64Array;
  readonly column: Float64Array;
  /** 1 where the drift is known. */
  readonly solved: Uint8Array;
  /** How far the pairs of frames contradict each other, pixels of these frames: a weighted mean. */
  readonly misfit: number;
}

/** What stands still on the detector. */
export interface FixedPattern {
  /** Logarithm of the pattern, `[height, width]`, mean 0: frames are divided by its exponential. */
  readonly logarithm: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Root mean square of what is fine in it (a few pixels): 0.03 is 3 %. */
  readonly strength: number;
  /** Correlation of the fine patterns of two halves of the frames, in which the sample lies at different places; up to 1. */
  readonly reliability: number;
  readonly rounds: number;
  /** Largest change of a drift in the last round, pixels of the frames. */
  readonly change: number;
  /** {@link SampleDrift.misfit} before anything was taken out. */
  readonly misfitBefore: number;
  readonly drift: SampleDrift;
}

export interface FixedPatternOptions {
  /**
   * Components of the sample's model besides its mean. Default 4: with 2, what the sample shows at some energies only is
   * taken for pattern; with 6 and more, the components follow errors of the drift and keep them.
   */
  readonly components?: number;
  /** Registrations at least and at most. Default 3 and 6. */
  readonly minRounds?: number;
  readonly maxRounds?: number;
  /** Steps of model and pattern between two registrations. Default 3: the frames that lock hardest come free last. */
  readonly steps?: number;
  /** Factor on every step of the pattern. Default 1.6. */
  readonly relaxation?: number;
  /** Rounds end when no drift changes by more, pixels of the frames. Default 0.02. */
  readonly tolerance?: number;
  readonly onRound?: ((round: number, rounds: number) => void) | undefined;
}

/**
 * Finds what stands still on the detector while the sample drifts: spots, scratches, fibers, illumination.
 *
 * Works on logarithms. Given drifts, the frames are brought into register and approximated by their mean and a few
 * principal components; that model, moved back into each frame, is what the sample explains; the mean of the rest is the
 * pattern. Without it the frames register better, which gives better drifts, and so on.
 *
 * @param frames logarithms of the counts, `[height, width]` each, of a sample of the series; NaN: no such pixel.
 * @param register gives the drifts of the frames divided by the exponential of the pattern so far, `[height, width]`.
 * @returns the pattern; {@link FixedPattern.reliability} says whether there is one.
 */
export async function findFixedPattern(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  register: (pattern: Float32Array) => Promise<SampleDrift>,
  options: FixedPatternOptions = {},
): Promise<FixedPattern> {
  const { components = 4, minRounds = 3, maxRounds = 6, steps = 3, relaxation = 1.6, tolerance = 0.02, onRound } = options;
  const size = shape[0] * shape[1];
  const pattern = new Float32Array(size);
  const separator = new PatternSeparator(frames, shape);
  let drift = await register(pattern);
  const misfitBefore = drift.misfit;
  let change = Number.POSITIVE_INFINITY;
  let rounds = 0;
  let halves: readonly Float32Array[] = [];
  while (rounds < maxRounds && (rounds < minRounds || change > tolerance)) {
    for (let step = 0; step < steps; step++) {
      if (!canSeparate(drift)) return noPattern(shape, drift, rounds);
      const reach = separableReach(drift);
      const rest = separator.rest(pattern, drift, components);
      // what each half of the frames says alone: the pattern that was taken off, and the rest
      halves = rest.halves.map((half) => half.map((value, i) => value + pattern[i]));
      const fine = withoutCoarse(rest.mean, shape, reach);
      for (let i = 0; i < size; i++) pattern[i] += relaxation * fine[i];
      await breathe();
    }
    const next = await register(pattern);
    change = largestChange(drift, next);
    drift = next;
    rounds++;
    onRound?.(rounds, maxRounds);
  }
  center(pattern);
  const reach = separableReach(drift);
  const fine = halves.map((half) => withoutCoarse(half, shape, reach));
  const strength = rootMeanSquare(withoutCoarse(pattern, shape, reach));
  return {
    logarithm: pattern,
    height: shape[0],
    width: shape[1],
    strength,
    reliability: fine.length === 2 ? correlation(fine[0], fine[1]) : 0,
    rounds,
    change,
    misfitBefore,
    drift,
  };
}

function center(image: Float32Array): void {
  let sum = 0;
  for (const value of image) sum += value;
  for (let i = 0; i < image.length; i++) image[i] -= sum / image.length;
}

function rootMeanSquare(image: Float32Array): number {
  let sum = 0;
  for (const value of image) sum += value * value;
  return Math.sqrt(sum / image.length);
}

/** Whether the drift of at least two frames is known. */
function canSeparate(drift: SampleDrift): boolean {
  return drift.solved.reduce((a, b) => a + b, 0) >= 2;
}

function noPattern([height, width]: readonly [number, number], drift: SampleDrift, rounds: number): FixedPattern {
  const logarithm = new Float32Array(height * width);
  return { logarithm, height, width, strength: 0, reliability: 0, rounds, change: 0, misfitBefore: drift.misfit, drift };
}

/** Largest half-width, pixels, of what can be told from the sample: what is wider than the sample moved cannot. */
function separableReach(drift: SampleDrift): number {
  const known = (values: Float64Array): Float64Array => values.filter((_, n) => drift.solved[n]);
  return Math.max(1, Math.min(16, Math.round(Math.max(extent(known(drift.row)), extent(known(drift.column))))));
}

/** What is left of an image without its means over squares of 2 · radius + 1 pixels. */
function withoutCoarse(image: Float32Array, [height, width]: readonly [number, number], radius: number): Float32Array {
  const along = new Float32Array(image.length);
  const sums = new Float64Array(Math.max(height, width) + 1);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) sums[c + 1] = sums[c] + image[r * width + c];
    for (let c = 0; c < width; c++) {
      const first = Math.max(0, c - radius);
      const stop = Math.min(width, c + radius + 1);
      along[r * width + c] = (sums[stop] - sums[first]) / (stop - first);
    }
  }
  const out = image.slice();
  const column = new Float64Array(width);
  const add = (r: number, sign: number): void => {
    for (let c = 0; c < width; c++) column[c] += sign * along[r * width + c];
  };
  for (let r = 0; r < Math.min(radius, height); r++) add(r, 1);
  for (let r = 0; r < height; r++) {
    if (r + radius < height) add(r + radius, 1);
    if (r - radius - 1 >= 0) add(r - radius - 1, -1);
    const rows = Math.min(height, r + radius + 1) - Math.max(0, r - radius);
    for (let c = 0; c < width; c++) out[r * width + c] -= column[c] / rows;
  }
  return out;
}

function largestChange(before: SampleDrift, after: SampleDrift): number {
  // free of the common offset, which the choice of the reference frame moves
  const both = before.solved.map((s, n) => (s && after.solved[n] ? 1 : 0));
  const count = both.reduce((a, b) => a + b, 0);
  if (count < 2) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (const axis of ['row', 'column'] as const) {
    let mean = 0;
    for (let n = 0; n < both.length; n++) if (both[n]) mean += (after[axis][n] - before[axis][n]) / count;
    for (let n = 0; n < both.length; n++) if (both[n]) most = Math.max(most, Math.abs(after[axis][n] - before[axis][n] - mean));
  }
  return most;
}

function correlation(a: Float32Array, b: Float32Array): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] ** 2;
    bb += b[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb || 1);
}
