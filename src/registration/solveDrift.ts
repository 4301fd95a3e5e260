import { finishSteps, type Steps } from '../backend/index.js';
import { OptionError, ShapeError } from '../errors.js';
import { bandedSteps } from './solveBanded.js';

/** Pair shifts and weights of M frames, `[M, M]` row by row; only i < j is read. */
export interface PairTable {
  readonly count: number;
  /** `drift[j] − drift[i]`, pixels. */
  readonly shiftRow: Float32Array;
  readonly shiftColumn: Float32Array;
  /** Normalized height of the correlation peak, 0 … 1; 0 or NaN: no such pair. */
  readonly weight: Float32Array;
}

/** Drifts of M frames. */
export interface DriftSolution {
  /** Drift in pixels relative to the first solved frame, + down; NaN for frames that no pair reaches. */
  readonly row: Float64Array;
  /** The same, + right. */
  readonly column: Float64Array;
  /** 1 where the frame takes part in the solution. */
  readonly solved: Uint8Array;
  /** Share of each frame's weight that the robust solver kept, 0 … 1. */
  readonly trust: Float64Array;
  /** Rounds of re-weighting. */
  readonly iterations: number;
}

export interface SolveDriftOptions {
  /** Pairs of lower weight are not used; 0 … 1. Default 0.15, the paper's. */
  readonly minWeight?: number;
  /** Power of the weight on the residual. Default 4, the paper's. */
  readonly weightPower?: number;
  /** `least-squares`, or `robust`: re-weighted until pairs that break the loops no longer matter. Default `least-squares`, the paper's. */
  readonly solver?: 'least-squares' | 'robust';
}

/** The largest set of frames that pairs of positive weight connect. */
export function connectedFrames(count: number, connected: (i: number, j: number) => boolean): Uint8Array {
  const label = new Int32Array(count).fill(-1);
  let best = -1;
  let bestSize = 0;
  for (let seed = 0; seed < count; seed++) {
    if (label[seed] >= 0) continue;
    const stack = [seed];
    label[seed] = seed;
    let size = 0;
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      size++;
      for (let j = 0; j < count; j++) {
        if (label[j] < 0 && connected(Math.min(i, j), Math.max(i, j))) {
          label[j] = seed;
          stack.push(j);
        }
      }
    }
    if (size > bestSize) {
      best = seed;
      bestSize = size;
    }
  }
  return Uint8Array.from(label, (value) => (value === best && bestSize > 1 ? 1 : 0));
}

/**
 * Drift of every frame from the shifts of its pairs (the paper's section 3.2, step 5): minimizes
 * `Σ_{i<j} (W_ij^weightPower · (drift_j − drift_i − pairShift_ij))²`, rows and columns apart. The normal equations are a
 * graph Laplacian, solved by a banded Cholesky factorization: M³/3 operations for all pairs, M·b² for a band of b.
 *
 * @param pairs shifts in pixels and weights 0 … 1.
 * @returns drift in pixels; the first solved frame has drift 0.
 * @throws ShapeError if the table's arrays do not hold count² values; OptionError for a weight or power out of range.
 */
export function solveDrift(pairs: PairTable, options: SolveDriftOptions = {}): DriftSolution {
  return finishSteps(solveSteps(pairs, options));
}

/** {@link solveDrift} in pieces. */
export function* solveSteps(pairs: PairTable, options: SolveDriftOptions = {}): Steps<DriftSolution> {
  const { minWeight = 0.15, weightPower = 4, solver = 'least-squares' } = options;
  const { count } = pairs;
  const wrong = [pairs.weight, pairs.shiftRow, pairs.shiftColumn].find((values) => values.length !== count * count);
  if (wrong) throw new ShapeError(`solveDrift(): 'pairs' must hold ${count} × ${count} values, got ${wrong.length}`);
  if (!(minWeight >= 0 && minWeight < 1))
    throw new OptionError(`solveDrift(): 'minWeight' must be from 0 and below 1, got ${minWeight}`);
  if (!(weightPower >= 0)) throw new OptionError(`solveDrift(): 'weightPower' must be 0 or more, got ${weightPower}`);
  // a frame without any weight drops out; what hangs together stays
  const solved = connectedFrames(count, (i, j) => isUsable(pairs, i, j, minWeight));
  const frames = Array.from({ length: count }, (_, i) => i).filter((i) => solved[i]);
  yield;
  const list = listPairs(pairs, frames, minWeight, weightPower);
  yield;
  const robust = solver === 'robust';
  const [row, column] = yield* laplacianSteps(list, [list.shiftRow, list.shiftColumn], list.weight, frames.length);
  const rowPart = yield* solveAxis(list, list.shiftRow, row, robust);
  const columnPart = yield* solveAxis(list, list.shiftColumn, column, robust);
  const spread = (values: Float64Array): Float64Array => {
    const out = new Float64Array(count).fill(Number.NaN);
    for (const [k, i] of frames.entries()) out[i] = values[k] - values[0];
    return out;
  };
  const trust = new Float64Array(count);
  for (const [k, i] of frames.entries()) trust[i] = Math.min(rowPart.trust[k], columnPart.trust[k]);
  return {
    row: spread(rowPart.position),
    column: spread(columnPart.position),
    solved,
    trust,
    iterations: Math.max(rowPart.iterations, columnPart.iterations),
  };
}

/** The used pairs of some frames, by their places among these. */
export interface PairList {
  readonly i: Int32Array;
  readonly j: Int32Array;
  readonly weight: Float64Array;
  readonly shiftRow: Float64Array;
  readonly shiftColumn: Float64Array;
  /** Largest |i − j|. */
  readonly reach: number;
}

function isUsable(pairs: PairTable, i: number, j: number, minWeight: number): boolean {
  const weight = pairs.weight[i * pairs.count + j];
  return weight > 0 && weight >= minWeight;
}

/** The used pairs among `frames`; their weight is that of the squared residual. */
export function listPairs(pairs: PairTable, frames: readonly number[], minWeight: number, power: number): PairList {
  const { count } = pairs;
  let number = 0;
  let reach = 0;
  for (const [a, i] of frames.entries()) {
    for (let b = a + 1; b < frames.length; b++) {
      if (!isUsable(pairs, i, frames[b], minWeight)) continue;
      number++;
      reach = Math.max(reach, b - a);
    }
  }
  const list = {
    i: new Int32Array(number),
    j: new Int32Array(number),
    weight: new Float64Array(number),
    shiftRow: new Float64Array(number),
    shiftColumn: new Float64Array(number),
    reach,
  };
  let p = 0;
  let most = 0;
  for (const [a, i] of frames.entries()) {
    for (let b = a + 1; b < frames.length; b++) {
      if (!isUsable(pairs, i, frames[b], minWeight)) continue;
      const at = i * count + frames[b];
      list.i[p] = a;
      list.j[p] = b;
      list.weight[p] = Math.min(1, pairs.weight[at]) ** (2 * power);
      list.shiftRow[p] = pairs.shiftRow[at];
      list.shiftColumn[p] = pairs.shiftColumn[at];
      most = Math.max(most, list.weight[p++]);
    }
  }
  // double precision holds 16 digits: a weaker pair would be lost in the sums of the others, and its frames with it
  for (let k = 0; k < number; k++) list.weight[k] = Math.max(list.weight[k], 1e-11 * most);
  return list;
}

const MAX_ROUNDS = 30;

/** One coordinate, from its least-squares solution. Robust: Cauchy weights at the scale of the weighted residuals' median, until positions settle. */
function* solveAxis(
  list: PairList,
  shift: Float64Array,
  start: Float64Array,
  robust: boolean,
): Steps<{ position: Float64Array; trust: Float64Array; iterations: number }> {
  const weight = list.weight.slice();
  const count = start.length;
  let position = start;
  let iterations = 1;
  for (; robust && iterations < MAX_ROUNDS; iterations++) {
    yield;
    const residual = Float64Array.from(shift, (s, p) => Math.abs(position[list.j[p]] - position[list.i[p]] - s));
    // pairs of like frames agree to hundredths of a pixel and would shut out all others: what misses by less than a
    // third of a pixel is not wrong
    const scale = Math.max(1 / 3, 1.4826 * weightedMedian(residual, list.weight));
    for (let p = 0; p < weight.length; p++) weight[p] = list.weight[p] / (1 + (residual[p] / (2.4 * scale)) ** 2);
    const [next] = yield* laplacianSteps(list, [shift], weight, count);
    const change = next.reduce((most, value, k) => Math.max(most, Math.abs(value - next[0] - position[k] + position[0])), 0);
    position = next;
    if (change < 1e-3) break;
  }
  const kept = new Float64Array(count);
  const all = new Float64Array(count);
  for (let p = 0; p < weight.length; p++) {
    for (const k of [list.i[p], list.j[p]]) {
      kept[k] += weight[p];
      all[k] += list.weight[p];
    }
  }
  return { position, trust: kept.map((value, k) => (all[k] > 0 ? value / all[k] : 0)), iterations };
}

function weightedMedian(values: Float64Array, weight: Float64Array): number {
  // a sample of at most 20,000 pairs settles a median well enough
  const stride = Math.max(1, Math.floor(values.length / 20000));
  const order: number[] = [];
  for (let p = 0; p < values.length; p += stride) order.push(p);
  order.sort((a, b) => values[a] - values[b]);
  const half = order.reduce((sum, p) => sum + weight[p], 0) / 2;
  let sum = 0;
  for (const p of order) {
    sum += weight[p];
    if (sum >= half) return values[p];
  }
  return 0;
}

/**
 * Least-squares positions of `count` frames, the first at 0, for one or more sets of shifts of the listed pairs.
 *
 * @param weight of each pair's squared residual.
 */
export function* laplacianSteps(
  list: PairList,
  shifts: readonly Float64Array[],
  weight: Float64Array,
  count: number,
): Steps<Float64Array[]> {
  const out = shifts.map(() => new Float64Array(count));
  if (count < 2) return out;
  // frame 0 is the reference: its row and column leave the singular Laplacian and make it positive definite
  const size = count - 1;
  const band = Math.min(size - 1, list.reach);
  const matrix = new Float64Array(size * (band + 1));
  for (let p = 0; p < weight.length; p++) {
    const i = list.i[p] - 1;
    const j = list.j[p] - 1;
    // lower triangle, row by row: element (j, i) at j·(band + 1) + band − (j − i)
    matrix[j * (band + 1) + band] += weight[p];
    if (i < 0) continue;
    matrix[i * (band + 1) + band] += weight[p];
    matrix[j * (band + 1) + band - (j - i)] -= weight[p];
  }
  for (const [k, shift] of shifts.entries()) {
    yield;
    for (let p = 0; p < weight.length; p++) {
      out[k][list.j[p]] += weight[p] * shift[p];
      out[k][list.i[p]] -= weight[p] * shift[p];
    }
  }
  yield* bandedSteps(
    matrix,
    out.map((values) => values.subarray(1)),
    size,
    band,
  );
  for (const values of out) values[0] = 0;
  return out;
}
