import type { DriftSolution, PairTable } from './solveDrift.js';

/** How well the pairs agree with the drifts. */
export interface PairResiduals {
  /** pairShift − (drift_j − drift_i), pixels, `[M, M]`, i < j; NaN where there is no used pair. */
  readonly row: Float32Array;
  readonly column: Float32Array;
  /** Median of their lengths over the used pairs, pixels. */
  readonly median: number;
  /** Used pairs, and those that miss by more than `limit` pixels: they break the loops that they belong to. */
  readonly used: number;
  readonly broken: number;
  readonly limit: number;
}

/** A pair that misses by more pixels is wrong, however much the others contradict each other. */
const LARGEST_LIMIT = 10;

/** Residuals of the pairs that the solution used; a pair is broken if it misses by 2 pixels and by 8 medians, or by 10 pixels. */
export function pairResiduals(pairs: PairTable, solution: DriftSolution, minWeight: number): PairResiduals {
  const { count } = pairs;
  const row = new Float32Array(count * count).fill(Number.NaN);
  const column = new Float32Array(count * count).fill(Number.NaN);
  const lengths: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const at = i * count + j;
      if (!(solution.solved[i] && solution.solved[j] && pairs.weight[at] > 0 && pairs.weight[at] >= minWeight)) continue;
      row[at] = pairs.shiftRow[at] - (solution.row[j] - solution.row[i]);
      column[at] = pairs.shiftColumn[at] - (solution.column[j] - solution.column[i]);
      lengths.push(Math.hypot(row[at], column[at]));
    }
  }
  const sorted = Float64Array.from(lengths).sort();
  const median = sorted.length > 0 ? sorted[sorted.length >> 1] : 0;
  const limit = Math.max(2, Math.min(LARGEST_LIMIT, 8 * median));
  let broken = 0;
  for (const length of lengths) if (length > limit) broken++;
  return { row, column, median, used: lengths.length, broken, limit };
}

/** Pixels above which a pair is only wrong, however far. */
const WRONG = 3;

/**
 * How far the used pairs contradict the drift: mean length of their residuals, 3 pixels at most each, weighted by the
 * square of the pair weight.
 */
export function weightedMisfit(pairs: PairTable, residuals: PairResiduals): number {
  let sum = 0;
  let weights = 0;
  for (let at = 0; at < pairs.weight.length; at++) {
    const length = Math.hypot(residuals.row[at], residuals.column[at]);
    if (Number.isNaN(length)) continue;
    const weight = pairs.weight[at] ** 2;
    sum += weight * Math.min(WRONG, length);
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}
