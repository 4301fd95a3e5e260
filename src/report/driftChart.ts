import { quantile, sortedFinite } from '../stack/quantile.js';
import {
  BROKEN_LINE,
  driftColors,
  type FrameRow,
  frameAxis,
  frameRows,
  SERIES,
  seriesColor,
  unusedLayer,
} from './chartChannels.js';
import { CHART_COLORS } from './colors.js';
import type { ChartSize, ChartSpec, DrawChart } from './drawChart.js';
import { driftError } from './driftError.js';
import { type Figure, renderChart } from './renderChart.js';
import { runningMedian } from './statistics.js';
import type { FrameChartData, RowsAndColumns } from './types.js';

/** Neighbors to both sides in the running median that shows the drift's detail where the truth is not known. */
const TREND_HALF = 7;

/** All error bars of a coordinate as one broken line: 700 frames would otherwise be 1400 elements. */
function errorBarRows(report: FrameChartData, values: RowsAndColumns): FrameRow[] {
  return (['rows', 'columns'] as const).flatMap((name) =>
    Array.from(values[name]).flatMap((value, n) => {
      const sigma = report.sigma[name][n];
      const x = report.axis.values[n];
      if (!Number.isFinite(value) || !Number.isFinite(sigma)) return [];
      const ends = [value - sigma, value + sigma, null];
      return ends.map((y, k) => ({ x, y, n: 3 * n + k, series: SERIES[name] }));
    }),
  );
}

/** Room for every registered value and most error bars: the long bars of interpolated frames are cut. */
function valueRange({ used, sigma }: FrameChartData, values: RowsAndColumns): [number, number] {
  const isUsed = (_: number, n: number) => used[n] === 1;
  const shown = sortedFinite([...values.rows.filter(isUsed), ...values.columns.filter(isUsed)]);
  const bars = sortedFinite([...sigma.rows.filter(isUsed), ...sigma.columns.filter(isUsed)]);
  const bar = bars.length > 0 ? quantile(bars, 0.98) : 0;
  const [low, high] = shown.length > 0 ? [shown[0] - bar, shown[shown.length - 1] + bar] : [-1, 1];
  const room = 0.04 * (high - low) || 0.5;
  return [low - room, high + room];
}

interface PanelOptions {
  readonly values: RowsAndColumns;
  readonly title: string;
  readonly height: number;
  readonly upper: boolean;
  readonly truth?: RowsAndColumns | undefined;
}

/** The true drift as a broad pale line under the found one. */
function truthLayers(report: FrameChartData, truth: RowsAndColumns, encoding: object): object[] {
  const rows = frameRows(report, truth).map((row) => ({ ...row, group: row.series, series: SERIES.truth }));
  return [
    {
      data: { values: rows },
      mark: { ...BROKEN_LINE, strokeWidth: 5, opacity: 0.3 },
      encoding: { ...encoding, detail: { field: 'group' } },
    },
  ];
}

/** Lines of both coordinates with error bars, over the marks of unused frames. */
function driftPanel(report: FrameChartData, width: number, size: ChartSize, options: PanelOptions): object {
  const { values, title, height, upper, truth } = options;
  const scale = { domain: valueRange(report, values), nice: false, zero: false };
  const encoding = {
    x: frameAxis(report, !upper),
    y: { field: 'y', type: 'quantitative', title, scale, axis: { tickCount: upper ? 8 : 5 } },
    color: seriesColor(driftColors(report.truth !== undefined), size),
    order: { field: 'n' },
  };
  const dense = report.axis.values.length > width / 5;
  const points = dense ? false : { size: 16, filled: true };
  const interpolated = frameRows(report, values).filter(({ n }) => report.used[n] === 0);
  return {
    width,
    height,
    layer: [
      unusedLayer(report, width),
      ...(truth ? truthLayers(report, truth, encoding) : []),
      {
        data: { values: errorBarRows(report, values) },
        mark: { ...BROKEN_LINE, strokeWidth: dense ? 0.8 : 1.2, opacity: 0.55 },
        encoding,
      },
      {
        data: { values: frameRows(report, values) },
        mark: { ...BROKEN_LINE, strokeWidth: dense ? 1.2 : 1.4, point: points },
        encoding,
      },
      {
        data: { values: interpolated },
        mark: { type: 'point', filled: false, fill: CHART_COLORS.paper, size: 26, strokeWidth: 1.3, opacity: 1, clip: true },
        encoding,
      },
    ],
  };
}

/** The true drift, moved by the mean difference to the found one. */
function alignedTruth(report: FrameChartData, truth: RowsAndColumns, error: RowsAndColumns): RowsAndColumns {
  const move = (name: 'rows' | 'columns') => {
    const n = report.drift[name].findIndex((value) => Number.isFinite(value));
    const offset = n < 0 ? 0 : report.drift[name][n] - error[name][n] - truth[name][n];
    return truth[name].map((value) => value + offset);
  };
  return { rows: move('rows'), columns: move('columns') };
}

function aboveTrend(values: Float64Array): Float64Array {
  const trend = runningMedian(values, TREND_HALF);
  return values.map((value, n) => value - trend[n]);
}

/** Drift against the axis with error bars; below it the difference to the truth or, where that is unknown, to the trend. */
export function driftChart(report: FrameChartData, draw?: DrawChart): Promise<Figure> {
  const { drift, truth, used, sigma } = report;
  const error = truth && driftError(drift, truth, { used, sigma });
  const detail: RowsAndColumns = error ?? { rows: aboveTrend(drift.rows), columns: aboveTrend(drift.columns) };
  const shownTruth = truth && error && alignedTruth(report, truth, error);
  const makeSpec = (width: number, size: ChartSize): ChartSpec => {
    const heights = size === 'wide' ? [300, 170] : [220, 140];
    const upper = { values: drift, title: 'drift (px)', height: heights[0], upper: true, truth: shownTruth };
    const title = error ? 'found − true (px)' : 'drift − trend (px)';
    const lower = { values: detail, title, height: heights[1], upper: false };
    return { vconcat: [driftPanel(report, width, size, upper), driftPanel(report, width, size, lower)] };
  };
  return renderChart('drift', 'Drift of every frame with error bars', makeSpec, draw);
}
