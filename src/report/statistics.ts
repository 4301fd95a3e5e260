import { quantile, sortedFinite } from '../stack/quantile.js';

/** Median of the finite values; NaN of none. */
export function median(values: ArrayLike<number>): number {
  return quantile(sortedFinite(values), 0.5);
}

/** Median of each value and its `half` neighbors to both sides (fewer at the ends). */
export function runningMedian(values: Float64Array, half: number): Float64Array {
  return values.map((_, n) => median(values.subarray(Math.max(0, n - half), n + half + 1)));
}

/** The largest of 1, 2 or 5 times a power of ten that is at most `value`. */
export function niceBelow(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  // A hair of tolerance: 0.3 / 0.1 is a little below 3.
  const factor = [5, 2, 1].find((candidate) => candidate * power <= value * (1 + 1e-9)) ?? 1;
  return Number((factor * power).toPrecision(12));
}

/** Multiples of a nice step from `low` to `high`: about `count` of them. */
export function niceTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const step =
    [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10(rough))).find((s) => s >= rough * 0.999) ?? rough;
  const ticks: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(Number((k * step).toPrecision(12)));
  return ticks;
}
