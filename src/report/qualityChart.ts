import { sortedFinite } from '../stack/quantile.js';
import { BROKEN_LINE, driftColors, frameAxis, frameRows, seriesColor, unusedLayer } from './chartChannels.js';
import { CHART_COLORS } from './colors.js';
import type { ChartSize, ChartSpec, DrawChart } from './drawChart.js';
import { type Figure, renderChart } from './renderChart.js';
import type { FrameChartData } from './types.js';

/** From this ratio of the largest to the smallest error on, the scale is logarithmic. */
const LOGARITHMIC_FROM = 12;

function sigmaPanel(report: FrameChartData, width: number, size: ChartSize): object {
  const finite = sortedFinite([...report.sigma.rows, ...report.sigma.columns]).filter((value) => value > 0);
  const [low, high] = [finite[0] ?? 0, finite.at(-1) ?? 1];
  const logarithmic = high > LOGARITHMIC_FROM * low && low > 0;
  const scale = logarithmic
    ? { type: 'log', domain: [low / 1.2, high * 1.2], nice: false }
    : { zero: true, domain: [0, high * 1.08], nice: false };
  const rows = frameRows(report, report.sigma).map((row) => (row.y !== null && row.y > 0 ? row : { ...row, y: null }));
  return {
    width,
    height: size === 'wide' ? 180 : 150,
    layer: [
      unusedLayer(report, width),
      {
        data: { values: rows },
        mark: { ...BROKEN_LINE, strokeWidth: 1.3 },
        encoding: {
          x: frameAxis(report, false),
          y: { field: 'y', type: 'quantitative', title: 'standard error (px)', scale, axis: { tickCount: 5, format: '~g' } },
          color: seriesColor(driftColors(false), size),
          order: { field: 'n' },
        },
      },
    ],
  };
}

function weightPanel(report: FrameChartData, width: number, size: ChartSize): object {
  const values = Array.from(report.weight, (y, n) => ({ x: report.axis.values[n], y: Number.isFinite(y) ? y : null, n }));
  const largest = values.reduce((max, { y }) => Math.max(max, y ?? 0), 0);
  const scale = largest <= 1 ? { domain: [0, 1] } : { zero: true, nice: true };
  return {
    width,
    height: size === 'wide' ? 130 : 110,
    layer: [
      unusedLayer(report, width),
      {
        data: { values },
        mark: { ...BROKEN_LINE, strokeWidth: 1.3, color: CHART_COLORS.muted },
        encoding: {
          x: frameAxis(report, true),
          y: { field: 'y', type: 'quantitative', title: 'weight', scale, axis: { tickCount: 4 } },
          order: { field: 'n' },
        },
      },
    ],
  };
}

/** Standard error and weight of every frame. */
export function qualityChart(report: FrameChartData, draw?: DrawChart): Promise<Figure> {
  const makeSpec = (width: number, size: ChartSize): ChartSpec => ({
    vconcat: [sigmaPanel(report, width, size), weightPanel(report, width, size)],
  });
  return renderChart('quality', 'Standard error and weight of every frame', makeSpec, draw);
}
