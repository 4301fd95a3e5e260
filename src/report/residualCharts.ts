import { seriesColor } from './chartChannels.js';
import { CHART_COLORS } from './colors.js';
import type { ChartSize, ChartSpec, DrawChart } from './drawChart.js';
import type { PairStatistics } from './pairStatistics.js';
import { type Figure, renderChart } from './renderChart.js';
import type { FrameChartData } from './types.js';

const TICKS = { tickCount: { expr: 'max(3, width / 80)' } };

/** The outline of a histogram as the corners of its steps. */
function steps({ histogram }: PairStatistics): object[] {
  return (['rows', 'columns'] as const).flatMap((series) => {
    const corners = histogram.flatMap((bin) => [bin.from, bin.to].map((x) => ({ x, y: bin[series], series })));
    return corners.map((corner, n) => ({ ...corner, n }));
  });
}

/** How many pairs have which residual. */
export function histogramChart(statistics: PairStatistics, draw?: DrawChart): Promise<Figure> {
  const { rows, columns } = CHART_COLORS;
  const reach = statistics.histogram.at(-1)?.to ?? 1;
  const makeSpec = (width: number, size: ChartSize): ChartSpec => ({
    width,
    height: size === 'wide' ? 190 : 160,
    data: { values: steps(statistics) },
    mark: { type: 'line', strokeWidth: 1.4 },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: 'residual (px)',
        scale: { domain: [-reach, reach], nice: false },
        axis: TICKS,
      },
      y: { field: 'y', type: 'quantitative', title: 'pairs', axis: { tickCount: 4, format: '~s' } },
      color: seriesColor({ rows, columns }, size),
      order: { field: 'n' },
    },
  });
  return renderChart('residuals-histogram', 'Histogram of the pair residuals', makeSpec, draw);
}

/** The residual against the distance of the two frames on the axis. */
export function residualDistanceChart(
  { axis }: Pick<FrameChartData, 'axis'>,
  statistics: PairStatistics,
  draw?: DrawChart,
): Promise<Figure> {
  const values = statistics.byDistance.flatMap(({ distance, median, percentile95 }) => [
    { x: distance, y: median, series: 'median' },
    { x: distance, y: percentile95, series: '95 %' },
  ]);
  const title = `${axis.label} difference of the two frames${axis.unit && ` (${axis.unit})`}`;
  const { ink, muted } = CHART_COLORS;
  const makeSpec = (width: number, size: ChartSize): ChartSpec => ({
    width,
    height: size === 'wide' ? 190 : 160,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.4, point: { size: 18, filled: true } },
    encoding: {
      x: { field: 'x', type: 'quantitative', title, axis: TICKS },
      y: { field: 'y', type: 'quantitative', title: 'length of the residual (px)', axis: { tickCount: 4 } },
      color: seriesColor({ median: ink, '95 %': muted }, size),
    },
  });
  return renderChart('residuals-distance', 'Residual against the distance of the two frames', makeSpec, draw);
}
