/** Range of numbers and what is not a number among them. */
export interface ValueRange {
  /** Of the finite numbers; NaN if there are none. */
  readonly min: number;
  readonly max: number;
  readonly nanCount: number;
  readonly infiniteCount: number;
}

/** Smallest and largest finite number. */
export function valueRange(values: ArrayLike<number>): ValueRange {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nanCount = 0;
  let infiniteCount = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isFinite(value)) {
      if (value < min) min = value;
      if (value > max) max = value;
    } else if (Number.isNaN(value)) nanCount++;
    else infiniteCount++;
  }
  return min > max ? { min: Number.NaN, max: Number.NaN, nanCount, infiniteCount } : { min, max, nanCount, infiniteCount };
}

/** At most so many numbers are sorted for a percentile. */
const SORTED = 100_000;

/** Two percentiles of the finite numbers, of an even sample where there are many; widened where they are equal. */
export function percentiles(values: ArrayLike<number>, low: number, high: number): { low: number; high: number } {
  const step = Math.max(1, Math.floor(values.length / SORTED));
  const sample = new Float64Array(Math.ceil(values.length / step));
  let count = 0;
  for (let i = 0; i < values.length; i += step) if (Number.isFinite(values[i])) sample[count++] = values[i];
  if (count === 0) return { low: 0, high: 1 };
  const sorted = sample.subarray(0, count).sort();
  const at = (percent: number) => sorted[Math.round((percent / 100) * (count - 1))];
  if (at(high) > at(low)) return { low: at(low), high: at(high) };
  // nearly all are equal: then the few others tell the range
  if (sorted[count - 1] > sorted[0]) return { low: sorted[0], high: sorted[count - 1] };
  return { low: sorted[0] - 0.5, high: sorted[0] + 0.5 };
}
