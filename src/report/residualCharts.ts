import { CHART_COLORS } from './colors.js';
import { axisTitle } from './frameCharts.js';
import type { PairStatistics } from './pairStatistics.js';
import { type Figure, renderChart } from './renderChart.js';
import type { RegistrationReport } from './types.js';

const COLOR = {
  field: 'series',
  type: 'nominal',
  title: null,
  scale: { domain: ['rows', 'columns'], range: [CHART_COLORS.rows, CHART_COLORS.columns] },
  legend: { orient: 'top', direction: 'horizontal', symbolType: 'stroke', offset: 4 },
} as const;

/** The outline of a histogram as the corners of its steps. */
function steps(statistics: PairStatistics): object[] {
  return (['rows', 'columns'] as const).flatMap((series) => {
    const corners = statistics.histogram.flatMap((bin) => [
      { x: bin.from, y: bin[series], series },
      { x: bin.to, y: bin[series], series },
    ]);
    return corners.map((corner, n) => ({ ...corner, n }));
  });
}

/** How many pairs have which residual. */
export function histogramChart(statistics: PairStatistics): Promise<Figure> {
  return renderChart('residuals-histogram', 'Histogram of the pair residuals', (width, size) => ({
    width,
    height: size === 'wide' ? 190 : 160,
    data: { values: steps(statistics) },
    mark: { type: 'line', strokeWidth: 1.4 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: 'residual (px)',
        scale: { nice: false },
        axis: { tickCount: { expr: 'width / 80' } },
      },
      y: { field: 'y', type: 'quantitative', title: 'pairs', axis: { tickCount: 4, format: '~s' } },
      color: COLOR,
      order: { field: 'n' },
    },
  }));
}

/** The residual against the distance of the two frames on the axis. */
export function residualDistanceChart(report: RegistrationReport, statistics: PairStatistics): Promise<Figure> {
  const values = statistics.byDistance.flatMap(({ distance, median, percentile95 }) => [
    { x: distance, y: median, series: 'median' },
    { x: distance, y: percentile95, series: '95 %' },
  ]);
  return renderChart('residuals-distance', 'Residual against the distance of the two frames', (width, size) => ({
    width,
    height: size === 'wide' ? 190 : 160,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.4, point: { size: 18, filled: true } },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: `distance of the two frames: ${axisTitle(report.axis)}`,
        axis: { tickCount: { expr: 'width / 80' } },
      },
      y: { field: 'y', type: 'quantitative', title: 'length of the residual (px)', axis: { tickCount: 4 } },
      color: {
        field: 'series',
        type: 'nominal',
        title: null,
        scale: { domain: ['median', '95 %'], range: [CHART_COLORS.ink, CHART_COLORS.muted] },
        legend: { orient: 'top', direction: 'horizontal', symbolType: 'stroke', offset: 4 },
      },
    },
  }));
}
