import { GREYS } from '../stack/palettePng.js';
import { type Contrast, dataUri, encodePng, percentileContrast, shrinkImage } from '../stack/pngImage.js';
import { length } from './formatNumbers.js';
import { escapeText, Html } from './html.js';
import type { Figure } from './renderChart.js';
import { niceBelow } from './statistics.js';
import type { ReportAperture, ReportImage } from './types.js';

/** The page shows images of at most this side; the files hold every pixel. */
const MAX_SHOWN = 560;

/** What is drawn over an image. */
export interface ImageOverlay {
  readonly pixelSizeNanometers?: number | undefined;
  readonly aperture?: ReportAperture | undefined;
  readonly window?: { readonly row: number; readonly column: number; readonly size: number } | undefined;
  /** Default: the 0.5 and 99.5 percentile of the measured pixels. */
  readonly contrast?: Contrast | undefined;
}

/** A light line over a dark one, to be seen on any grey. */
function outline(shape: (style: string) => string, width: number, dash = ''): string {
  const dashes = dash && ` stroke-dasharray="${dash}"`;
  const style = (color: string, factor: number) =>
    `fill="none" stroke="${color}" stroke-width="${(width * factor).toFixed(2)}"${dashes}`;
  return shape(style('#000', 2.2)) + shape(style('#ffe27a', 1));
}

function scaleBar({ width, height }: ReportImage, nanometers: number): string {
  const bar = niceBelow(0.28 * width * nanometers);
  const pixels = bar / nanometers;
  const unit = width / 100;
  const x = 4 * unit;
  const y = height - 5 * unit;
  const label = `<text x="${x.toFixed(1)}" y="${(y - 2 * unit).toFixed(1)}" font-size="${(6 * unit).toFixed(1)}" fill="#fff" stroke="#000" stroke-width="${(1.2 * unit).toFixed(2)}" paint-order="stroke" stroke-linejoin="round">${escapeText(length(bar, 1))}</text>`;
  return `<rect class="scale-bar" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${pixels.toFixed(2)}" height="${(1.6 * unit).toFixed(1)}" fill="#fff" stroke="#000" stroke-width="${(0.5 * unit).toFixed(2)}"/>${label}`;
}

/** The edge of a mask as steps along its pixels' sides. */
function maskPath({ pixels, height, width }: NonNullable<ReportAperture['mask']>): string {
  const valid = (r: number, c: number) => r >= 0 && c >= 0 && r < height && c < width && pixels[r * width + c] > 0;
  const parts: string[] = [];
  const runs = (
    lines: number,
    along: number,
    differs: (line: number, at: number) => boolean,
    path: (line: number, from: number, to: number) => string,
  ) => {
    for (let line = 0; line <= lines; line++) {
      for (let at = 0; at < along; at++) {
        if (!differs(line, at)) continue;
        const from = at;
        while (at < along && differs(line, at)) at++;
        parts.push(path(line, from, at));
      }
    }
  };
  runs(
    height,
    width,
    (r, c) => valid(r - 1, c) !== valid(r, c),
    (r, from, to) => `M${from} ${r}H${to}`,
  );
  runs(
    width,
    height,
    (c, r) => valid(r, c - 1) !== valid(r, c),
    (c, from, to) => `M${c} ${from}V${to}`,
  );
  return parts.join('');
}

function overlays(image: ReportImage, { aperture, window, pixelSizeNanometers }: ImageOverlay): string {
  const line = image.width / 260;
  const parts: string[] = [];
  const { disc, mask } = aperture ?? {};
  // Pixel (r, c) covers r … r + 1: its center, which positions mean, lies half a pixel further.
  if (disc) {
    parts.push(
      outline((style) => `<circle cx="${disc.column + 0.5}" cy="${disc.row + 0.5}" r="${disc.radius}" ${style}/>`, line),
    );
  } else if (mask) {
    const path = maskPath(mask);
    const scale = `scale(${image.width / mask.width} ${image.height / mask.height})`;
    parts.push(outline((style) => `<path d="${path}" transform="${scale}" ${style}/>`, line));
  }
  if (window) {
    const { row, column, size } = window;
    const dash = `${(line * 4).toFixed(1)} ${(line * 3).toFixed(1)}`;
    parts.push(outline((style) => `<rect x="${column}" y="${row}" width="${size}" height="${size}" ${style}/>`, line, dash));
  }
  if (pixelSizeNanometers !== undefined && pixelSizeNanometers > 0) parts.push(scaleBar(image, pixelSizeNanometers));
  return parts.join('');
}

/** A grey image with its scale bar and outlines; what was not measured lets the page's hatching through. */
export function imageFigure(name: string, label: string, image: ReportImage, overlay: ImageOverlay = {}): Figure {
  const contrast = overlay.contrast ?? percentileContrast(image);
  const { width, height } = image;
  const shown = shrinkImage(image, MAX_SHOWN);
  const uri = dataUri(encodePng(shown, GREYS, contrast));
  const svg = `<svg class="image" role="img" aria-label="${escapeText(label)}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, Arial, 'DejaVu Sans', sans-serif"><image width="${shown.width * shown.factor}" height="${shown.height * shown.factor}" preserveAspectRatio="none" href="${uri}"/>${overlays(image, overlay)}</svg>`;
  return { name, inline: new Html(svg), files: [{ extension: 'png', content: encodePng(image, GREYS, contrast) }] };
}
