import { CHART_COLORS } from './colors.js';
import { type ChartSize, type ChartSpec, type DrawChart, drawChart } from './drawChart.js';
import { escapeText, Html } from './html.js';

/** A figure, for the page and for a file of its own. */
export interface Figure {
  /** File name without extension. */
  readonly name: string;
  readonly inline: Html;
  readonly files: readonly { readonly extension: 'svg' | 'png'; readonly content: string | Uint8Array }[];
}

/** Widths of the plotting area in pixels. */
const PLOT_WIDTH: Readonly<Record<ChartSize, number>> = { wide: 790, narrow: 268 };

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
 * @param draw what turns a specification into an SVG; default: Vega on this thread.
 */
export async function renderChart(
  name: string,
  label: string,
  makeSpec: (width: number, size: ChartSize) => ChartSpec,
  draw: DrawChart = drawChart,
): Promise<Figure> {
  const [wide, narrow] = await Promise.all(
    (['wide', 'narrow'] as const).map((size) => draw(makeSpec(PLOT_WIDTH[size], size), size)),
  );
  const inline = `<div class="wide">${inlineSvg(wide, `${name}-w`, label)}</div><div class="narrow">${inlineSvg(narrow, `${name}-n`, label)}</div>`;
  return { name, inline: new Html(inline), files: [{ extension: 'svg', content: standaloneSvg(wide) }] };
}
