import { ShapeError } from '../errors.js';
import { quantile } from '../stack/quantile.js';
import { median } from './statistics.js';
import type { RowsAndColumns } from './types.js';

/** How far a found drift lies from the true one; pixels. */
export interface DriftError {
  /** Found − true per frame, after the center of the used frames' differences was taken off: drift has no absolute zero. */
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  /** Distance per frame. */
  readonly distance: Float64Array;
  /** Of the distance, over all frames. */
  readonly median: number;
  readonly percentile95: number;
  readonly max: number;
  /** Root mean square of one coordinate. */
  readonly rms: number;
  /** Share of the coordinates (two a frame, with a finite sigma) that lie within 3 sigma; NaN without sigma. */
  readonly within3Sigma: number;
}

/**
 * Compares a found drift with the true one.
 *
 * @param found drift per frame, pixels; `truth` the same, with any constant offset.
 * @param used 1 for frames that take part in the offset. Default all.
 * @param center what the offset is: the `mean` difference, as in the paper's accuracy test, or the `median`, which one bad
 *   frame does not move. Default `mean`.
 * @param sigma standard errors of the drift.
 * @throws ShapeError if the arrays differ in length.
 */
export function driftError(
  found: RowsAndColumns,
  truth: RowsAndColumns,
  options: { used?: Uint8Array; sigma?: RowsAndColumns; center?: 'mean' | 'median' } = {},
): DriftError {
  const count = found.rows.length;
  if (found.columns.length !== count || truth.rows.length !== count || truth.columns.length !== count) {
    throw new ShapeError(`driftError(): 'truth' must have ${count} rows and columns, as 'found', got ${truth.rows.length}`);
  }
  const { used, sigma, center = 'mean' } = options;
  const rows = centered(found.rows, truth.rows, used, center);
  const columns = centered(found.columns, truth.columns, used, center);
  const distance = rows.map((row, n) => Math.hypot(row, columns[n]));
  const sorted = distance.filter(Number.isFinite).sort();
  let squares = 0;
  for (const value of sorted) squares += value ** 2;
  return {
    rows,
    columns,
    distance,
    median: quantile(sorted, 0.5),
    percentile95: quantile(sorted, 0.95),
    max: quantile(sorted, 1),
    rms: Math.sqrt(squares / (2 * sorted.length)),
    within3Sigma: sigma ? shareWithin(3, [rows, columns], [sigma.rows, sigma.columns]) : Number.NaN,
  };
}

function centered(
  found: Float64Array,
  truth: Float64Array,
  used: Uint8Array | undefined,
  center: 'mean' | 'median',
): Float64Array {
  const difference = found.map((value, n) => value - truth[n]);
  const taken = difference.filter((value, n) => (!used || used[n] !== 0) && Number.isFinite(value));
  if (taken.length === 0) return difference;
  const middle = center === 'mean' ? taken.reduce((sum, value) => sum + value, 0) / taken.length : median(taken);
  return difference.map((value) => value - middle);
}

function shareWithin(limit: number, errors: readonly Float64Array[], sigmas: readonly Float64Array[]): number {
  let inside = 0;
  let count = 0;
  for (const [k, error] of errors.entries()) {
    for (const [n, value] of error.entries()) {
      const sigma = sigmas[k][n];
      if (!Number.isFinite(sigma) || !Number.isFinite(value)) continue;
      count++;
      if (Math.abs(value) <= limit * sigma) inside++;
    }
  }
  return inside / count;
}
