import { CHART_COLORS } from './colors.js';
import { driftError } from './driftError.js';
import { type ChartSize, type ChartSpec, type Figure, renderChart } from './renderChart.js';
import { runningMedian, sortedFinite } from './statistics.js';
import type { RegistrationReport, RowsAndColumns } from './types.js';

const SERIES = { rows: 'rows (+ down)', columns: 'columns (+ right)', truth: 'true drift' } as const;
/** Neighbors to both sides in the running median that shows the drift's detail where the truth is not known. */
const TREND_HALF = 7;

type Coordinate = 'rows' | 'columns';
const COORDINATES: readonly Coordinate[] = ['rows', 'columns'];

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** `Energy (eV)`. */
export function axisTitle({ label, unit }: RegistrationReport['axis']): string {
  return unit ? `${label} (${unit})` : label;
}

function xChannel(report: RegistrationReport, shown: boolean): object {
  const values = sortedFinite(report.axis.values);
  return {
    field: 'x',
    type: 'quantitative',
    title: shown ? axisTitle(report.axis) : null,
    axis: { labels: shown, grid: true, tickCount: { expr: 'width / 80' } },
    scale: { domain: [values[0] ?? 0, values.at(-1) ?? 1], nice: false, zero: false, padding: 6 },
  };
}

function colorChannel(report: RegistrationReport, legend: boolean): object {
  const names: (keyof typeof SERIES)[] = report.truth ? ['rows', 'columns', 'truth'] : ['rows', 'columns'];
  return {
    field: 'series',
    type: 'nominal',
    title: null,
    scale: { domain: names.map((name) => SERIES[name]), range: names.map((name) => CHART_COLORS[name]) },
    legend: legend ? { orient: 'top', direction: 'horizontal', symbolType: 'stroke', offset: 4 } : null,
  };
}

/** One row of data a frame and coordinate. */
function frameRows(report: RegistrationReport, values: RowsAndColumns): Record<string, unknown>[] {
  return COORDINATES.flatMap((name) =>
    Array.from(values[name], (value, n) => ({ x: report.axis.values[n], y: finiteOrNull(value), n, series: SERIES[name] })),
  );
}

/** All error bars of a coordinate as one broken line: 700 frames would otherwise be 1400 elements. */
function errorBarRows(report: RegistrationReport, values: RowsAndColumns): Record<string, unknown>[] {
  return COORDINATES.flatMap((name) =>
    Array.from(values[name]).flatMap((value, n) => {
      const sigma = report.sigma[name][n];
      const x = report.axis.values[n];
      if (!Number.isFinite(value) || !Number.isFinite(sigma)) return [];
      const ends = [value - sigma, value + sigma, null];
      return ends.map((y, k) => ({ x, y, n: 3 * n + k, series: SERIES[name] }));
    }),
  );
}

/** Light vertical lines where a frame was not used. */
function unusedLayer(report: RegistrationReport, width: number): object {
  const values = Array.from(report.axis.values).flatMap((x, n) => (report.used[n] ? [] : [{ x }]));
  const thickness = Math.max(1.5, Math.min(8, width / report.axis.values.length));
  return {
    data: { values },
    mark: { type: 'rule', color: CHART_COLORS.shade, strokeWidth: thickness, opacity: 0.55 },
    encoding: { x: { field: 'x', type: 'quantitative' } },
  };
}

interface PanelOptions {
  readonly values: RowsAndColumns;
  readonly title: string;
  readonly height: number;
  readonly xShown: boolean;
  readonly legend: boolean;
  readonly truth?: RowsAndColumns;
}

/** Lines or points of both coordinates with error bars, over the marks of unused frames. */
function driftPanel(report: RegistrationReport, width: number, options: PanelOptions): object {
  const { values, title, height, xShown, legend, truth } = options;
  const y = { field: 'y', type: 'quantitative', title, scale: { zero: false, nice: true } };
  const x = xChannel(report, xShown);
  const color = colorChannel(report, legend);
  const encoding = { x, y, color, order: { field: 'n' } };
  const interpolated = frameRows(report, values).filter(({ n }) => report.used[n as number] === 0);
  const dense = report.axis.values.length > width / 5;
  const layers: object[] = [
    unusedLayer(report, width),
    {
      data: { values: errorBarRows(report, values) },
      mark: { type: 'line', strokeWidth: dense ? 0.8 : 1.2, opacity: 0.6, invalid: 'break-paths-show-path-domains' },
      encoding,
    },
    {
      data: { values: frameRows(report, values) },
      mark: {
        type: 'line',
        strokeWidth: dense ? 1.1 : 1.4,
        point: dense ? false : { size: 14, filled: true },
        invalid: 'break-paths-show-path-domains',
      },
      encoding,
    },
    {
      data: { values: interpolated },
      mark: { type: 'point', filled: true, fill: CHART_COLORS.paper, size: 26, strokeWidth: 1.3, opacity: 1 },
      encoding: { x, y, stroke: colorChannel(report, legend) },
    },
  ];
  if (truth) {
    const rows = frameRows(report, truth).map((row) => ({ ...row, group: row.series, series: SERIES.truth }));
    layers.push({
      data: { values: rows },
      mark: { type: 'line', strokeWidth: 1, strokeDash: [4, 3], opacity: 0.9 },
      encoding: { ...encoding, detail: { field: 'group' } },
    });
  }
  return { width, height, layer: layers, resolve: { legend: { stroke: 'independent' } } };
}

/** The true drift, moved by the mean difference to the found one. */
function alignedTruth(report: RegistrationReport, truth: RowsAndColumns, error: RowsAndColumns): RowsAndColumns {
  const move = (name: Coordinate) => {
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
export function driftChart(report: RegistrationReport): Promise<Figure> {
  const { drift, truth, used, sigma } = report;
  const error = truth && driftError(drift, truth, { used, sigma });
  const detail: RowsAndColumns = error ?? { rows: aboveTrend(drift.rows), columns: aboveTrend(drift.columns) };
  return renderChart('drift', 'Drift of every frame with error bars', (width, size) => ({
    vconcat: [
      driftPanel(report, width, {
        values: drift,
        title: 'drift (px)',
        height: size === 'wide' ? 300 : 220,
        xShown: false,
        legend: true,
        ...(truth && error ? { truth: alignedTruth(report, truth, error) } : {}),
      }),
      driftPanel(report, width, {
        values: detail,
        title: error ? 'found − true (px)' : 'drift − trend (px)',
        height: size === 'wide' ? 170 : 130,
        xShown: true,
        legend: false,
      }),
    ],
  }));
}

function sigmaPanel(report: RegistrationReport, width: number, size: ChartSize): object {
  const finite = sortedFinite([...report.sigma.rows, ...report.sigma.columns]).filter((value) => value > 0);
  const logarithmic = finite.length > 1 && finite[finite.length - 1] > 12 * finite[0];
  const scale = logarithmic ? { type: 'log', nice: false } : { zero: true, nice: true };
  const rows = frameRows(report, report.sigma).map((row) =>
    logarithmic && !((row.y as number) > 0) ? { ...row, y: null } : row,
  );
  return {
    width,
    height: size === 'wide' ? 180 : 150,
    layer: [
      unusedLayer(report, width),
      {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 1.3, invalid: 'break-paths-show-path-domains' },
        encoding: {
          x: xChannel(report, false),
          y: { field: 'y', type: 'quantitative', title: 'standard error (px)', scale, axis: { tickCount: 5 } },
          color: colorChannel({ ...report, truth: undefined }, true),
          order: { field: 'n' },
        },
      },
    ],
  };
}

function weightPanel(report: RegistrationReport, width: number, size: ChartSize): object {
  const values = Array.from(report.weight, (y, n) => ({ x: report.axis.values[n], y: finiteOrNull(y), n }));
  return {
    width,
    height: size === 'wide' ? 130 : 110,
    layer: [
      unusedLayer(report, width),
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1.3, color: CHART_COLORS.muted, invalid: 'break-paths-show-path-domains' },
        encoding: {
          x: xChannel(report, true),
          y: { field: 'y', type: 'quantitative', title: 'weight', scale: { zero: true, nice: true }, axis: { tickCount: 4 } },
          order: { field: 'n' },
        },
      },
    ],
  };
}

/** Standard error and weight of every frame. */
export function qualityChart(report: RegistrationReport): Promise<Figure> {
  return renderChart(
    'quality',
    'Standard error and weight of every frame',
    (width, size): ChartSpec => ({
      vconcat: [sigmaPanel(report, width, size), weightPanel(report, width, size)],
    }),
  );
}
