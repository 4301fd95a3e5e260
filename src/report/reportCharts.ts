import type { DrawChart } from './drawChart.js';
import { driftChart } from './driftChart.js';
import { type PairStatistics, pairStatistics } from './pairStatistics.js';
import { qualityChart } from './qualityChart.js';
import type { Figure } from './renderChart.js';
import { histogramChart, residualDistanceChart } from './residualCharts.js';
import type { PairChartData } from './types.js';

/** The charts of a report, and the statistics that they show. */
export interface ReportCharts {
  readonly statistics: PairStatistics;
  readonly drift: Figure;
  readonly quality: Figure;
  /** Absent where no pair took part. */
  readonly histogram: Figure | undefined;
  readonly distance: Figure | undefined;
}

/**
 * Draws the charts that need nothing but drift and pairs, so that they can be made before the report is complete.
 *
 * @param draw default: Vega on this thread; {@link ChartThread}'s `draw` leaves this one free.
 */
export async function reportCharts(data: PairChartData, draw?: DrawChart): Promise<ReportCharts> {
  const statistics = pairStatistics(data);
  const [drift, quality, histogram, distance] = await Promise.all([
    driftChart(data, draw),
    qualityChart(data, draw),
    statistics.count > 0 ? histogramChart(statistics, draw) : undefined,
    statistics.byDistance.length > 1 ? residualDistanceChart(data, statistics, draw) : undefined,
  ]);
  return { statistics, drift, quality, histogram, distance };
}
