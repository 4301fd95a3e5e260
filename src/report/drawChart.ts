import { breathe } from '../backend/pace.js';
import { throwIfAborted } from '../errors.js';
import { CHART_COLORS } from './colors.js';

/** A Vega-Lite 5 specification. */
export type ChartSpec = Readonly<Record<string, unknown>>;

/** Inner width of a chart: as wide as the page, or as a telephone. */
export type ChartSize = 'wide' | 'narrow';

/** Turns a specification into an SVG. */
export type DrawChart = (spec: ChartSpec, size: ChartSize) => Promise<string>;

const FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

function config(size: ChartSize): object {
  const { ink, muted, grid } = CHART_COLORS;
  const fontSize = size === 'wide' ? 12 : 11;
  return {
    aria: false,
    background: null,
    font: FONT,
    view: { stroke: muted, strokeWidth: 0.75 },
    axis: {
      labelColor: ink,
      titleColor: ink,
      labelFontSize: fontSize,
      titleFontSize: fontSize,
      titleFontWeight: 'normal',
      gridColor: grid,
      tickColor: muted,
      domainColor: muted,
      domainWidth: 0.75,
      titlePadding: 6,
    },
    // The axes of all charts stand under each other.
    axisY: { minExtent: size === 'wide' ? 34 : 30 },
    legend: {
      labelColor: ink,
      titleColor: ink,
      labelFontSize: fontSize,
      symbolStrokeWidth: 2,
      symbolOpacity: 1,
      labelLimit: 240,
    },
    title: { color: ink, fontSize: fontSize + 1, fontWeight: 600, anchor: 'start' },
    concat: { spacing: 14 },
  };
}

/** Coordinates to a hundredth of a pixel: Vega writes 16 digits, most of a chart's size. */
function roundCoordinates(svg: string): string {
  return svg.replace(/ (?:d|transform)="[^"]*"/g, (attribute) =>
    attribute.replace(/-?\d+\.\d{3,}(?:e-\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
  );
}

// charts that are asked for at once are drawn one a turn, or a stop would wait for all of them; a count and not a chain of
// promises, which would never end if code were cut off in the middle of one
let waiting = 0;

/** {@link drawChart} until a signal stops it. */
export function stoppableDraw(signal: AbortSignal | undefined): DrawChart {
  return (spec, size) => drawChart(spec, size, signal);
}

/** Draws a chart as an SVG; Vega is loaded with the first one. @throws AbortedError */
export async function drawChart(spec: ChartSpec, size: ChartSize, signal?: AbortSignal): Promise<string> {
  for (let turns = ++waiting; turns > 0; turns--) await breathe();
  waiting = 0;
  throwIfAborted(signal, 'Drawing charts');
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = compile({ ...spec, config: config(size) } as unknown as Parameters<typeof compile>[0]);
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return roundCoordinates(await view.toSVG());
  } finally {
    view.finalize();
  }
}
