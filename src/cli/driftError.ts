/** How far a drift is from the true one, pixels. */
export interface DriftError {
  /** Of the distance, over the frames. */
  readonly median: number;
  readonly percentile95: number;
  readonly max: number;
  /** Mean and largest absolute error of rows and of columns. */
  readonly rows: { readonly mean: number; readonly max: number };
  readonly columns: { readonly mean: number; readonly max: number };
}

/**
 * Compares a drift with the truth. Where the zero lies is a matter of taste, so a constant is taken out first: per axis
 * the mean of the differences (`mean`, as the paper's accuracy test does) or their median (one bad frame does not shift the others).
 *
 * @param found rows and columns, `[N]` each.
 * @param truth `[N, 2]`.
 */
export function driftError(
  found: { readonly row: ArrayLike<number>; readonly column: ArrayLike<number> },
  truth: Float64Array,
  center: 'mean' | 'median',
): DriftError {
  const axis = (values: ArrayLike<number>, k: number): Float64Array => {
    const differences = Float64Array.from({ length: truth.length / 2 }, (_, n) => values[n] - truth[2 * n + k]);
    const middle = center === 'mean' ? mean(differences) : quantile(differences, 0.5);
    return differences.map((value) => Math.abs(value - middle));
  };
  const rows = axis(found.row, 0);
  const columns = axis(found.column, 1);
  const distance = rows.map((value, n) => Math.hypot(value, columns[n]));
  return {
    median: quantile(distance, 0.5),
    percentile95: quantile(distance, 0.95),
    max: Math.max(...distance),
    rows: { mean: mean(rows), max: Math.max(...rows) },
    columns: { mean: mean(columns), max: Math.max(...columns) },
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** With linear interpolation between the values. */
function quantile(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
