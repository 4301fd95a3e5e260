import { quantile } from '../stack/quantile.js';
import type { PairChartData } from './types.js';

/** What the residuals of the pairs say; pixels. */
export interface PairStatistics {
  /** Pairs that take part (weight above 0). */
  readonly count: number;
  /** Root mean square of the residuals. */
  readonly rmsRows: number;
  readonly rmsColumns: number;
  /** Of the residual's length. */
  readonly median: number;
  readonly percentile95: number;
  /** Counts of the residuals, in equal bins. */
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly rows: number; readonly columns: number }[];
  /** Pairs outside the histogram. */
  readonly outside: number;
  /** Residual against the distance of the two frames on the axis. */
  readonly byDistance: readonly { readonly distance: number; readonly median: number; readonly percentile95: number }[];
}

const HISTOGRAM_BINS = 60;
const DISTANCE_BINS = 24;

interface PairList {
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly length: Float64Array;
  readonly distance: Float64Array;
}

function listPairs({ pairs, axis }: Pick<PairChartData, 'pairs' | 'axis'>): PairList {
  const m = pairs.frames.length;
  const found: number[] = [];
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const at = i * m + j;
      if (pairs.weights[at] > 0 && Number.isFinite(pairs.residualRows[at]) && Number.isFinite(pairs.residualColumns[at])) {
        found.push(at);
      }
    }
  }
  const value = (n: number) => axis.values[pairs.frames[n]];
  return {
    rows: Float64Array.from(found, (at) => pairs.residualRows[at]),
    columns: Float64Array.from(found, (at) => pairs.residualColumns[at]),
    length: Float64Array.from(found, (at) => Math.hypot(pairs.residualRows[at], pairs.residualColumns[at])),
    distance: Float64Array.from(found, (at) => Math.abs(value(at % m) - value(Math.floor(at / m)))),
  };
}

function rms(values: Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value ** 2;
  return Math.sqrt(squares / values.length);
}

/** A symmetric range that holds 99 % of the residuals: a few wild pairs must not flatten the rest. */
function histogram({ rows, columns }: PairList): Pick<PairStatistics, 'histogram' | 'outside'> {
  const sizes = Float64Array.from([...rows, ...columns], Math.abs).sort();
  const limit = quantile(sizes, 0.99) * 1.1 || 1;
  const width = (2 * limit) / HISTOGRAM_BINS;
  const bins = Array.from({ length: HISTOGRAM_BINS }, (_, k) => ({
    from: k * width - limit,
    to: (k + 1) * width - limit,
    rows: 0,
    columns: 0,
  }));
  let outside = 0;
  for (let p = 0; p < rows.length; p++) {
    const row = bins[Math.floor((rows[p] + limit) / width)];
    const column = bins[Math.floor((columns[p] + limit) / width)];
    if (row) row.rows++;
    if (column) column.columns++;
    if (!row || !column) outside++;
  }
  return { histogram: bins, outside };
}

function byDistance({ length, distance }: PairList): PairStatistics['byDistance'] {
  const largest = distance.reduce((max, value) => Math.max(max, value), 0);
  if (!(largest > 0)) return [];
  const groups: number[][] = Array.from({ length: DISTANCE_BINS }, () => []);
  for (const [p, value] of distance.entries()) {
    if (Number.isFinite(value))
      groups[Math.min(DISTANCE_BINS - 1, Math.floor((value / largest) * DISTANCE_BINS))].push(length[p]);
  }
  return groups.flatMap((group, k) => {
    if (group.length === 0) return [];
    const sorted = Float64Array.from(group).sort();
    const center = ((k + 0.5) * largest) / DISTANCE_BINS;
    return [{ distance: center, median: quantile(sorted, 0.5), percentile95: quantile(sorted, 0.95) }];
  });
}

/** Statistics of the pairs that take part. Sorts all residuals: some 0.3 s for the 245,350 pairs of 700 frames. */
export function pairStatistics(report: Pick<PairChartData, 'pairs' | 'axis'>): PairStatistics {
  const list = listPairs(report);
  const lengths = list.length.slice().sort();
  return {
    count: list.length.length,
    rmsRows: rms(list.rows),
    rmsColumns: rms(list.columns),
    median: quantile(lengths, 0.5),
    percentile95: quantile(lengths, 0.95),
    ...histogram(list),
    byDistance: byDistance(list),
  };
}
