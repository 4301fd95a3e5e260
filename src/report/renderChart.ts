import { CHART_COLORS } from './colors.js';
import { escapeText, Html } from './html.js';

/** A Vega-Lite 5 specification. */
export type ChartSpec = Readonly<Record<string, unknown>>;

/** Inner width of a chart: as wide as the page, or as a telephone. */
export type ChartSize = 'wide' | 'narrow';

/** A figure, for the page and for a file of its own. */
export interface Figure {
  /** File name without extension. */
  readonly name: string;
  readonly inline: Html;
  readonly files: readonly { readonly extension: 'svg' | 'png'; readonly content: string | Uint8Array }[];
}

/** Widths of the plotting area in pixels. */
export const PLOT_WIDTH: Readonly<Record<ChartSize, number>> = { wide: 790, narrow: 268 };

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

async function render(spec: ChartSpec, size: ChartSize): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const compiled = compile({ ...spec, config: config(size) } as unknown as Parameters<typeof compile>[0]);
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return roundCoordinates(await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** The colors of an SVG as CSS variables, so that it follows the page's dark mode; see {@link CHART_COLORS}. */
export function withPageColors(svg: string): string {
  let text = svg;
  for (const [name, color] of Object.entries(CHART_COLORS)) text = text.replaceAll(color, `var(--${name})`);
  return text;
}

/** An SVG to stand in the page: ids of its own, a name for those who cannot see it, never wider than the page. */
export function inlineSvg(svg: string, id: string, label: string): string {
  return withPageColors(svg)
    .replace(/\bid="(clip|gradient|hatch)/g, `id="${id}-$1`)
    .replace(/url\(#(clip|gradient|hatch)/g, `url(#${id}-$1`)
    .replace('<svg ', `<svg role="img" aria-label="${escapeText(label)}" `);
}

/** An SVG to stand alone: on paper color. */
export function standaloneSvg(svg: string): string {
  return svg.replace(/(<svg [^>]*>)/, `$1<rect width="100%" height="100%" fill="${CHART_COLORS.paper}"/>`);
}

/**
 * Draws a chart twice, for a wide and for a narrow page; the style sheet shows the one that fits.
 *
 * @param makeSpec the chart for a plotting area of the given width.
 */
export async function renderChart(
  name: string,
  label: string,
  makeSpec: (width: number, size: ChartSize) => ChartSpec,
): Promise<Figure> {
  const [wide, narrow] = await Promise.all(
    (['wide', 'narrow'] as const).map((size) => render(makeSpec(PLOT_WIDTH[size], size), size)),
  );
  const inline = `<div class="wide">${inlineSvg(wide, `${name}-w`, label)}</div><div class="narrow">${inlineSvg(narrow, `${name}-n`, label)}</div>`;
  return { name, inline: new Html(inline), files: [{ extension: 'svg', content: standaloneSvg(wide) }] };
}
