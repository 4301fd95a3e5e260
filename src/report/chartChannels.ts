import { sortedFinite } from '../stack/quantile.js';
import { CHART_COLORS } from './colors.js';
import type { ChartSize } from './drawChart.js';
import type { FrameChartData, RowsAndColumns } from './types.js';

/** What the lines of the charts over frames are called. */
export const SERIES = { rows: 'rows (+ down)', columns: 'columns (+ right)', truth: 'true drift' } as const;

/** A row of a chart's data. */
export interface FrameRow {
  readonly x: number;
  readonly y: number | null;
  /** Order along the line: the axis need not be monotonic. */
  readonly n: number;
  readonly series?: string;
}

/** A line that stops where a value is missing. */
export const BROKEN_LINE = { type: 'line', invalid: 'break-paths-show-path-domains', clip: true } as const;

/** `Energy (eV)`. */
export function axisTitle({ label, unit }: FrameChartData['axis']): string {
  return unit ? `${label} (${unit})` : label;
}

/** The frames' axis; `shown` without it only the grid is drawn, for the upper of two charts. */
export function frameAxis(report: FrameChartData, shown: boolean): object {
  const values = sortedFinite(report.axis.values);
  const [low, high] = [values[0] ?? 0, values.at(-1) ?? 1];
  return {
    field: 'x',
    type: 'quantitative',
    title: shown ? axisTitle(report.axis) : null,
    axis: { labels: shown, tickCount: { expr: 'max(3, width / 80)' } },
    scale: { domain: high > low ? [low, high] : [low - 1, low + 1], nice: false, zero: false, padding: 6 },
  };
}

/** A color for each series; the legend stands above the chart. */
export function seriesColor(colors: Readonly<Record<string, string>>, size: ChartSize): object {
  const columns = size === 'narrow' ? { columns: 2 } : {};
  return {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain: Object.keys(colors), range: Object.values(colors) },
    legend: { orient: 'top', direction: 'horizontal', symbolType: 'stroke', offset: 4, ...columns },
  };
}

/** The colors of rows and columns and, where it is drawn, of the truth. */
export function driftColors(withTruth: boolean): Record<string, string> {
  const { rows, columns, truth } = CHART_COLORS;
  return { [SERIES.rows]: rows, [SERIES.columns]: columns, ...(withTruth ? { [SERIES.truth]: truth } : {}) };
}

/** One row of data a frame and coordinate; what is not finite becomes a gap. */
export function frameRows(report: FrameChartData, values: RowsAndColumns): FrameRow[] {
  return (['rows', 'columns'] as const).flatMap((name) =>
    Array.from(values[name], (value, n) => ({
      x: report.axis.values[n],
      y: Number.isFinite(value) ? value : null,
      n,
      series: SERIES[name],
    })),
  );
}

/** Light vertical lines where a frame was not used. */
export function unusedLayer(report: FrameChartData, width: number): object {
  const values = Array.from(report.axis.values).flatMap((x, n) => (report.used[n] ? [] : [{ x }]));
  const thickness = Math.max(1.5, Math.min(8, width / report.axis.values.length));
  return {
    data: { values },
    mark: { type: 'rule', color: CHART_COLORS.shade, strokeWidth: thickness, opacity: 0.55 },
    encoding: { x: { field: 'x', type: 'quantitative' } },
  };
}
