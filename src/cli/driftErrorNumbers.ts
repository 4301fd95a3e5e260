import { driftError } from '../report/index.js';

/** How far a drift is from the true one, in numbers; pixels. */
export interface DriftErrorNumbers {
  /** Of the distance, over the frames. */
  readonly median: number;
  readonly percentile95: number;
  readonly max: number;
  /** Mean and largest absolute error of rows and of columns. */
  readonly rows: { readonly mean: number; readonly max: number };
  readonly columns: { readonly mean: number; readonly max: number };
}

/**
 * {@link driftError} of a benchmark, without its arrays.
 *
 * @param found rows and columns, `[N]` each.
 * @param truth `[N, 2]`.
 */
export function driftErrorNumbers(
  found: { readonly row: ArrayLike<number>; readonly column: ArrayLike<number> },
  truth: Float64Array,
  center: 'mean' | 'median',
): DriftErrorNumbers {
  const axis = (k: number): Float64Array => Float64Array.from({ length: truth.length / 2 }, (_, n) => truth[2 * n + k]);
  const { rows, columns, median, percentile95, max } = driftError(
    { rows: Float64Array.from(found.row), columns: Float64Array.from(found.column) },
    { rows: axis(0), columns: axis(1) },
    { center },
  );
  return { median, percentile95, max, rows: sizes(rows), columns: sizes(columns) };
}

function sizes(errors: Float64Array): { mean: number; max: number } {
  const absolute = errors.map(Math.abs);
  return { mean: absolute.reduce((sum, value) => sum + value, 0) / absolute.length, max: Math.max(...absolute) };
}
