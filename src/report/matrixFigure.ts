import { type Contrast, dataUri, encodePng, shrinkImage } from '../stack/pngImage.js';
import { axisTitle } from './chartChannels.js';
import { CHART_COLORS, SEQUENTIAL } from './colors.js';
import { axisDecimals, decimals } from './formatNumbers.js';
import { escapeText, Html } from './html.js';
import { type Figure, inlineSvg, standaloneSvg } from './renderChart.js';
import { niceTicks } from './statistics.js';
import type { MatrixChartData, ReportImage } from './types.js';

const SIDE = 280;
const LEFT = 62;
const TOP = 10;
const BAR_LEFT = LEFT + SIDE + 18;
const BAR_WIDTH = 14;
const WIDTH = BAR_LEFT + BAR_WIDTH + 62;
const HEIGHT = TOP + SIDE + 48;
/** Above this the matrix is shown in means of squares of pairs; the file holds every pair. */
const MAX_SHOWN = 400;

const { grid, ink, muted } = CHART_COLORS;

/** A label beside the matrix, and the position, counted in frames, where it belongs. */
interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Round values of the axis where it rises or falls steadily, otherwise round indices of the input. */
export function matrixTicks(report: MatrixChartData): { readonly ticks: readonly Tick[]; readonly title: string } {
  const frames = Array.from(report.pairs.frames);
  const values = frames.map((n) => report.axis.values[n]);
  const direction = Math.sign(values[values.length - 1] - values[0]);
  const steady = direction !== 0 && values.every((value, k) => k === 0 || (value - values[k - 1]) * direction > 0);
  const scale = steady ? values : frames.map((n) => report.frame[n]);
  const ends = [scale[0], scale[scale.length - 1]];
  const places = niceTicks(Math.min(...ends), Math.max(...ends), 6);
  const digits = axisDecimals(places);
  const ticks = places.map((value) => ({ at: positionOf(value, scale) + 0.5, text: decimals(value, digits) }));
  return { ticks, title: steady ? axisTitle(report.axis) : 'Frame' };
}

function positionOf(value: number, scale: readonly number[]): number {
  if (scale.length < 2) return 0;
  const rising = scale[scale.length - 1] > scale[0];
  let k = 0;
  while (k < scale.length - 2 && (rising ? scale[k + 1] < value : scale[k + 1] > value)) k++;
  return k + (value - scale[k]) / (scale[k + 1] - scale[k]);
}

/** The upper half mirrored to the lower one; a pair without a value and the diagonal become NaN. */
export function symmetricImage(count: number, value: (at: number) => number): ReportImage {
  const pixels = new Float32Array(count * count).fill(Number.NaN);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const entry = value(i * count + j);
      pixels[i * count + j] = entry;
      pixels[j * count + i] = entry;
    }
  }
  return { pixels, height: count, width: count };
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" fill="${ink}" font-size="12" ${attributes}>${escapeText(content)}</text>`;
}

function frameTicks(report: MatrixChartData): string {
  const { ticks, title } = matrixTicks(report);
  const scale = SIDE / report.pairs.frames.length;
  const middle = SIDE / 2;
  const marks = ticks.map(({ at, text: label }) => {
    const x = LEFT + at * scale;
    const y = TOP + at * scale;
    return `<path d="M${x.toFixed(1)} ${TOP + SIDE}v5M${LEFT} ${y.toFixed(1)}h-5" stroke="${muted}"/>${text(x, TOP + SIDE + 19, label, 'text-anchor="middle"')}${text(LEFT - 9, y + 4, label, 'text-anchor="end"')}`;
  });
  const titles = `${text(LEFT + middle, HEIGHT - 8, title, 'text-anchor="middle"')}${text(0, 0, title, `text-anchor="middle" transform="translate(14 ${TOP + middle}) rotate(-90)"`)}`;
  return marks.join('') + titles;
}

function colorBar(contrast: Contrast, label: string): string {
  const stops = [0, 36, 73, 109, 145, 181, 218, 254].map(
    (k) => `<stop offset="${((100 * k) / 254).toFixed(1)}%" stop-color="rgb(${SEQUENTIAL[k].join()})"/>`,
  );
  const ticks = niceTicks(contrast.low, contrast.high, 5).map((value) => {
    const y = TOP + SIDE * (1 - (value - contrast.low) / (contrast.high - contrast.low));
    const digits = Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(contrast.high - contrast.low))));
    return `<path d="M${BAR_LEFT + BAR_WIDTH} ${y.toFixed(1)}h4" stroke="${muted}"/>${text(BAR_LEFT + BAR_WIDTH + 7, y + 4, decimals(value, digits), '')}`;
  });
  return `<defs><linearGradient id="gradient" x1="0" y1="1" x2="0" y2="0">${stops.join('')}</linearGradient></defs><rect x="${BAR_LEFT}" y="${TOP}" width="${BAR_WIDTH}" height="${SIDE}" fill="url(#gradient)" stroke="${muted}" stroke-width="0.75"/>${ticks.join('')}${text(0, 0, label, `text-anchor="middle" transform="translate(${WIDTH - 6} ${TOP + SIDE / 2}) rotate(-90)"`)}`;
}

/**
 * A matrix over all pairs of the used frames, with the axis on both sides and a color bar. The page shows means of at
 * most 400 × 400; the PNG beside it has a pixel for every pair.
 */
export function matrixFigure(
  report: MatrixChartData,
  name: string,
  label: string,
  image: ReportImage,
  contrast: Contrast,
): Figure {
  const shown = shrinkImage(image, MAX_SHOWN);
  const uri = dataUri(encodePng(shown, SEQUENTIAL, contrast));
  const place = `x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}" viewBox="0 0 ${image.width} ${image.height}"`;
  const picture = `<svg ${place}><image width="${shown.width * shown.factor}" height="${shown.height * shown.factor}" preserveAspectRatio="none" style="image-rendering:pixelated" href="${uri}"/></svg>`;
  const hatch = `<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="6" height="6" fill="${grid}"/><rect width="2" height="6" fill="${muted}" opacity="0.45"/></pattern></defs><rect x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}" fill="url(#hatch)"/>`;
  const frame = `<rect x="${LEFT}" y="${TOP}" width="${SIDE}" height="${SIDE}" fill="none" stroke="${muted}" stroke-width="0.75"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, Arial, 'DejaVu Sans', sans-serif">${hatch}${picture}${frame}${frameTicks(report)}${colorBar(contrast, label)}</svg>`;
  return {
    name,
    inline: new Html(inlineSvg(svg, name, label)),
    files: [
      { extension: 'svg', content: standaloneSvg(svg) },
      { extension: 'png', content: encodePng(image, SEQUENTIAL, contrast) },
    ],
  };
}
