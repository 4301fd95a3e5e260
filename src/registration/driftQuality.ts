import { finishSteps, type Steps } from '../backend/index.js';
import { type DriftVarianceInput, varianceSteps } from './driftVariance.js';
import { interpolateDrift, interpolationError } from './interpolateDrift.js';
import type { DriftSolution, PairTable } from './solveDrift.js';
import { median } from './statistics.js';

/** Drift and standard error of every frame of the stack. */
export interface DriftTable {
  /** Pixels relative to the first used frame, `[N]`, + down and + right. */
  readonly row: Float64Array;
  readonly column: Float64Array;
  /** One standard error of the drift relative to the first used frame, pixels; infinite where nothing is known. */
  readonly sigmaRow: Float64Array;
  readonly sigmaColumn: Float64Array;
  /** Mean weight of the frame's used pairs, 0 … 1; 0 where there are none. */
  readonly weight: Float64Array;
  /** 1 where the frame was registered, 0 where its drift was interpolated. */
  readonly used: Uint8Array;
  /** Why a frame was not used, or why its drift is doubtful; empty for most. */
  readonly remark: readonly string[];
  /** 1 where the drift is doubtful. */
  readonly doubtful: Uint8Array;
}

export interface DriftQualityInput extends DriftVarianceInput {
  /** Indices, in the stack, of the M frames that were compared. */
  readonly frames: readonly number[];
  /** Number of frames of the stack. */
  readonly count: number;
}

/** Pixels of standard error from which on a frame may be interpolated. */
const UNSURE = 0.5;

/** Puts the solution, its standard errors and the interpolated frames together, and names doubtful frames. */
export function driftTable(input: DriftQualityInput): DriftTable {
  return finishSteps(driftTableSteps(input));
}

/** {@link driftTable} in pieces. */
export function* driftTableSteps(input: DriftQualityInput): Steps<DriftTable> {
  const { pairs, solution, minWeight, frames, count } = input;
  const used = new Uint8Array(count);
  const remark: string[] = new Array(count).fill('');
  const doubtful = new Uint8Array(count);
  const known = frames.map((_, m) => m).filter((m) => solution.solved[m]);
  const weights = meanWeights(pairs, solution, minWeight);
  const weight = new Float64Array(count);
  const row = new Float64Array(count);
  const column = new Float64Array(count);
  const sigmaRow = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const sigmaColumn = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  for (let n = 0; n < count; n++) remark[n] = 'not compared: between two frames of the stride';
  for (const [m, n] of frames.entries()) {
    weight[n] = weights[m];
    remark[n] = solution.solved[m] ? '' : `no pair of weight ${minWeight.toFixed(3)} or more joins it to the others`;
  }
  if (known.length === 0) return { row, column, sigmaRow, sigmaColumn, weight, used, remark, doubtful };
  const variance = yield* varianceSteps(input);
  yield;
  const { row: varianceRow, column: varianceColumn } = variance.aboutOffset();
  let places = known.map((m) => frames[m]);
  let kept = known.map((_, k) => k);
  // a frame that sure ones around it predict better than its own image does is interpolated
  const own = (k: number): number => Math.hypot(Math.sqrt(varianceRow[k]), Math.sqrt(varianceColumn[k]));
  const sure = kept.filter((k) => own(k) < UNSURE);
  const at = sure.map((k) => frames[known[k]]);
  const predict = (values: Float64Array, variance: Float64Array, n: number): number =>
    interpolationError(
      at,
      sure.map((k) => values[known[k]]),
      sure.map((k) => Math.sqrt(variance[k])),
      n,
    );
  if (sure.length >= known.length / 2) {
    kept = kept.filter((k) => {
      const n = frames[known[k]];
      if (own(k) < UNSURE) return true;
      if (Math.hypot(predict(solution.row, varianceRow, n), predict(solution.column, varianceColumn, n)) > own(k) / 2)
        return true;
      remark[n] = `its own drift is known to ${own(k).toFixed(2)} px only; the frames around it tell it better`;
      return false;
    });
  }
  places = kept.map((k) => frames[known[k]]);
  const first = kept[0];
  const atFirst = { row: solution.row[known[first]], column: solution.column[known[first]] };
  const valuesRow = kept.map((k) => solution.row[known[k]] - atFirst.row);
  const valuesColumn = kept.map((k) => solution.column[known[k]] - atFirst.column);
  row.set(interpolateDrift(places, valuesRow, count));
  column.set(interpolateDrift(places, valuesColumn, count));
  // the reference frame's own error is in every other drift
  const relative = variance.relativeTo(first);
  const sigmasRow = kept.map((k) => Math.sqrt(relative.row[k]));
  const sigmasColumn = kept.map((k) => Math.sqrt(relative.column[k]));
  for (const [i, k] of kept.entries()) {
    const n = frames[known[k]];
    used[n] = 1;
    sigmaRow[n] = sigmasRow[i];
    sigmaColumn[n] = sigmasColumn[i];
  }
  for (let n = 0; n < count; n++) {
    if (used[n]) continue;
    yield;
    sigmaRow[n] = interpolationError(places, valuesRow, sigmasRow, n);
    sigmaColumn[n] = interpolationError(places, valuesColumn, sigmasColumn, n);
  }
  markDoubtful({ places, valuesRow, valuesColumn, sigmas: kept.map(own) }, remark, doubtful);
  return { row, column, sigmaRow, sigmaColumn, weight, used, remark, doubtful };
}

function meanWeights(pairs: PairTable, solution: DriftSolution, minWeight: number): Float64Array {
  const { count, weight } = pairs;
  const sum = new Float64Array(count);
  const number = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const value = weight[i * count + j];
      if (!(value > 0 && value >= minWeight) || !solution.solved[i] || !solution.solved[j]) continue;
      for (const m of [i, j]) {
        sum[m] += value;
        number[m]++;
      }
    }
  }
  return sum.map((value, m) => (number[m] > 0 ? value / number[m] : 0));
}

interface Placed {
  readonly places: readonly number[];
  readonly valuesRow: readonly number[];
  readonly valuesColumn: readonly number[];
  /** Of each frame itself, about the common offset: what the reference adds is no fault of theirs. */
  readonly sigmas: readonly number[];
}

/** Names frames of large error, and frames that stand apart from both neighbors while these agree. */
function markDoubtful(placed: Placed, remark: string[], doubtful: Uint8Array): void {
  const { places, valuesRow, valuesColumn, sigmas } = placed;
  const apart = places.map((n, k) => {
    if (k === 0 || k === places.length - 1) return 0;
    const t = (n - places[k - 1]) / (places[k + 1] - places[k - 1]);
    const off = (values: readonly number[]): number => values[k] - (1 - t) * values[k - 1] - t * values[k + 1];
    return Math.hypot(off(valuesRow), off(valuesColumn));
  });
  const usualApart = median(apart);
  const usualSigma = median(sigmas);
  for (const [k, n] of places.entries()) {
    // a single frame that is off puts both its neighbors half as far off
    const peak = apart[k] >= 0.7 * Math.max(apart[k - 1] ?? 0, apart[k + 1] ?? 0);
    if (apart[k] > Math.max(0.25, 2.5 * usualApart) && peak) {
      remark[n] = `doubtful: ${apart[k].toFixed(2)} px away from where the frames before and after it lie`;
      doubtful[n] = 1;
    } else if (sigmas[k] > Math.max(0.3, Math.min(1, 4 * usualSigma))) {
      remark[n] = `doubtful: standard error ${sigmas[k].toFixed(2)} px`;
      doubtful[n] = 1;
    }
  }
}
