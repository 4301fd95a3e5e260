import { breathe, eigh, readOut, tf } from '../backend/index.js';
import { shiftCubic } from './shiftCubic.js';

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
 * @param register gives the drifts of frames that were divided by the pattern so far.
 * @returns the pattern; {@link FixedPattern.reliability} says whether there is one.
 */
export async function findFixedPattern(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  register: (frames: readonly Float32Array[]) => Promise<SampleDrift>,
  options: FixedPatternOptions = {},
): Promise<FixedPattern> {
  const { components = 4, minRounds = 3, maxRounds = 6, steps = 3, relaxation = 1.6, tolerance = 0.02, onRound } = options;
  const size = shape[0] * shape[1];
  const pattern = new Float32Array(size);
  let drift = await register(frames);
  const misfitBefore = drift.misfit;
  let change = Number.POSITIVE_INFINITY;
  let rounds = 0;
  let halves: readonly Float32Array[] = [];
  while (rounds < maxRounds && (rounds < minRounds || change > tolerance)) {
    for (let step = 0; step < steps; step++) {
      if (!canSeparate(drift)) return noPattern(shape, drift, rounds);
      const reach = separableReach(drift);
      const rest = restOfModel(
        frames.map((frame) => subtract(frame, pattern)),
        shape,
        drift,
        components,
      );
      // what each half of the frames says alone: the pattern that was taken off, and the rest
      halves = rest.halves.map((half) => half.map((value, i) => value + pattern[i]));
      const fine = withoutCoarse(rest.mean, shape, reach);
      for (let i = 0; i < size; i++) pattern[i] += relaxation * fine[i];
      await breathe();
    }
    const next = await register(frames.map((frame) => subtract(frame, pattern)));
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
  let most = 0;
  for (const values of [drift.row, drift.column]) {
    const known = [...values].filter((_, n) => drift.solved[n]);
    most = Math.max(most, Math.max(...known) - Math.min(...known));
  }
  return Math.max(1, Math.min(16, Math.round(most)));
}

/** What is left of an image without its means over squares of 2 · radius + 1 pixels. */
function withoutCoarse(image: Float32Array, [height, width]: readonly [number, number], radius: number): Float32Array {
  const alongRow = new Float32Array(image.length);
  const out = new Float32Array(image.length);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      let sum = 0;
      const first = Math.max(0, c - radius);
      const last = Math.min(width - 1, c + radius);
      for (let k = first; k <= last; k++) sum += image[r * width + k];
      alongRow[r * width + c] = sum / (last - first + 1);
    }
  }
  for (let r = 0; r < height; r++) {
    const first = Math.max(0, r - radius);
    const last = Math.min(height - 1, r + radius);
    for (let c = 0; c < width; c++) {
      let sum = 0;
      for (let k = first; k <= last; k++) sum += alongRow[k * width + c];
      out[r * width + c] = image[r * width + c] - sum / (last - first + 1);
    }
  }
  return out;
}

function subtract(frame: Float32Array, pattern: Float32Array): Float32Array {
  const out = new Float32Array(frame.length);
  for (let i = 0; i < out.length; i++) out[i] = frame[i] - pattern[i];
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

function restOfModel(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  drift: SampleDrift,
  components: number,
): { mean: Float32Array; halves: Float32Array[] } {
  const [height, width] = shape;
  const size = height * width;
  const used = frames.map((_, n) => n).filter((n) => drift.solved[n]);
  // sample coordinates: about the middle of the drifts, so that the frames overlap as far as they can
  const middle = (values: Float64Array): number => {
    const known = used.map((n) => values[n]).sort((a, b) => a - b);
    return known[known.length >> 1] ?? 0;
  };
  const centerRow = middle(drift.row);
  const centerColumn = middle(drift.column);
  const aligned = new Float32Array(used.length * size);
  const covered = new Float32Array(size);
  for (const [k, n] of used.entries()) {
    const out = aligned.subarray(k * size, (k + 1) * size);
    shiftCubic(frames[n], shape, [centerRow - drift.row[n], centerColumn - drift.column[n]], out);
    let sum = 0;
    let count = 0;
    for (let i = 0; i < size; i++) {
      if (Number.isNaN(out[i])) continue;
      sum += out[i];
      count++;
      covered[i]++;
    }
    for (let i = 0; i < size; i++) out[i] -= sum / count;
  }
  const mean = new Float32Array(size);
  for (let k = 0; k < used.length; k++) {
    for (let i = 0; i < size; i++) {
      const value = aligned[k * size + i];
      if (!Number.isNaN(value)) mean[i] += value;
    }
  }
  for (let i = 0; i < size; i++) mean[i] = covered[i] > 0 ? mean[i] / covered[i] : Number.NaN;
  // missing pixels take the mean: they neither add to the components nor take from them
  for (let k = 0; k < used.length; k++) {
    for (let i = 0; i < size; i++) {
      const value = aligned[k * size + i] - mean[i];
      aligned[k * size + i] = Number.isNaN(value) ? 0 : value;
    }
  }
  const model = lowRank(aligned, used.length, size, components);
  const sums = [new Float32Array(size), new Float32Array(size)];
  const counts = [new Float32Array(size), new Float32Array(size)];
  const inSample = new Float32Array(size);
  const back = new Float32Array(size);
  const enough = Math.max(2, used.length / 4);
  const halfOf = splitByPlace(used, drift);
  for (const [k, n] of used.entries()) {
    for (let i = 0; i < size; i++) inSample[i] = covered[i] >= enough ? model[k * size + i] + mean[i] : Number.NaN;
    shiftCubic(inSample, shape, [drift.row[n] - centerRow, drift.column[n] - centerColumn], back);
    const frame = frames[n];
    let sum = 0;
    let count = 0;
    for (let i = 0; i < size; i++) {
      const value = frame[i] - back[i];
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    const offset = sum / Math.max(1, count);
    const half = halfOf[k];
    for (let i = 0; i < size; i++) {
      const value = frame[i] - back[i] - offset;
      if (Number.isNaN(value)) continue;
      sums[half][i] += value;
      counts[half][i]++;
    }
  }
  const out = new Float32Array(size);
  const halves = [new Float32Array(size), new Float32Array(size)];
  for (let i = 0; i < size; i++) {
    const count = counts[0][i] + counts[1][i];
    if (count >= enough) out[i] = (sums[0][i] + sums[1][i]) / count;
    for (const h of [0, 1]) halves[h][i] = counts[h][i] > 0 ? sums[h][i] / counts[h][i] : 0;
  }
  return { mean: out, halves };
}

/** Two halves of the frames between which the sample moved: only what stands still on the detector is common to them. */
function splitByPlace(used: readonly number[], drift: SampleDrift): Uint8Array {
  const range = (values: Float64Array): number =>
    Math.max(...used.map((n) => values[n])) - Math.min(...used.map((n) => values[n]));
  const axis = range(drift.row) >= range(drift.column) ? drift.row : drift.column;
  const order = used.map((_, k) => k).sort((a, b) => axis[used[a]] - axis[used[b]]);
  const out = new Uint8Array(used.length);
  for (const [rank, k] of order.entries()) out[k] = rank < used.length / 2 ? 0 : 1;
  return out;
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

/** Approximation of `rows` vectors by their strongest `components`, through the eigenvectors of their Gram matrix. */
function lowRank(values: Float32Array, rows: number, columns: number, components: number): Float32Array {
  return readOut(() => {
    const all = tf.tensor2d(values, [rows, columns]);
    const gram = tf.matMul(all, all, false, true);
    const { vectors } = eigh(tf.div(gram, tf.maximum(tf.max(tf.abs(gram)), 1e-30)));
    const keep = Math.min(components, rows - 1);
    const strongest = vectors.slice([0, rows - keep], [rows, keep]);
    return tf.matMul(strongest, tf.matMul(strongest, all, true, false));
  });
}
