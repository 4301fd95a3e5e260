import type { Buffer } from 'node:buffer';
import { coarsenMean, coarsenNearest, enlarge, type Picture } from './coarsen.js';
import { encodePng } from './encodePng.js';
import { percentiles } from './statistics.js';

/** A small picture. */
export interface Thumbnail {
  readonly png: Buffer;
  readonly height: number;
  readonly width: number;
  /** What its colors mean, for the reader. */
  readonly caption: string;
}

/** Longest side in pixels. Noise hardly compresses: 320 × 320 gray values are about 100 kB. */
export const LONGEST_SIDE = 320;
/** Smaller pictures are enlarged to about this. */
const SHORTEST_SIDE = 160;
/** Whole numbers with at most so many different values are labels. */
const MOST_LABELS = 20;
const STRETCH = [0.1, 99.9] as const;

type Rgb = readonly [number, number, number];
/** Entry 0 is transparent. */
const GRAYS: readonly Rgb[] = Array.from({ length: 256 }, (_, k): Rgb => {
  const gray = Math.max(0, k - 1) * (255 / 254);
  return [Math.round(gray), Math.round(gray), Math.round(gray)];
});
/** Colors that are told apart, also by the color-blind for the first eight (Okabe and Ito), then lighter and darker ones. */
const LABEL_COLORS: readonly Rgb[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [240, 228, 66],
  [90, 90, 90],
  [102, 170, 209],
  [148, 103, 0],
  [115, 205, 175],
  [140, 70, 110],
  [180, 220, 245],
  [145, 60, 0],
  [170, 160, 30],
  [170, 170, 170],
  [0, 70, 110],
  [250, 210, 130],
  [0, 95, 70],
  [235, 190, 215],
];

/** How a picture is made small. */
export interface ThumbnailOptions {
  readonly dtype: string;
  /** Height before only some rows were read. Default: the picture's own. */
  readonly fullHeight?: number;
}

/**
 * A picture of numbers as a PNG with no side longer than `LONGEST_SIDE`. Gray from the 0.1 to the 99.9 percentile, averaged
 * over rectangles of pixels, NaN transparent; labels (booleans, whole numbers with few values) in colors of their own, not
 * averaged; three or four channels as red, green, blue, opacity.
 */
export function thumbnail(picture: Picture, { dtype, fullHeight = picture.height }: ThumbnailOptions): Thumbnail {
  const factor = Math.max(1, Math.ceil(Math.max(fullHeight, picture.width) / LONGEST_SIDE));
  const rowShare = fullHeight / picture.height;
  const factors = { rows: Math.max(1, Math.round(factor / rowShare)), columns: factor };
  const labels = picture.channels === 1 ? labelsOf(picture, dtype) : undefined;
  const small = labels === undefined ? coarsenMean(picture, factors) : coarsenNearest(picture, factors);
  const large = enlarge(small, Math.max(1, Math.floor(SHORTEST_SIDE / Math.max(small.height, small.width))));
  const { height, width } = large;
  const made = factor === 1 ? '' : `, 1 pixel of ${factor} × ${factor}`;
  if (picture.channels > 1) {
    return {
      png: encodePng({ height, width, pixels: rgbPixels(large, picture, dtype) }),
      height,
      width,
      caption: `color${made}`,
    };
  }
  if (labels !== undefined) {
    const palette: Rgb[] = [[0, 0, 0], ...(dtype === 'bool' ? ([GRAYS[1], GRAYS[255]] as const) : LABEL_COLORS)];
    const entries = new Map(labels.map((label, k) => [label, k + (dtype === 'bool' ? 1 + label - k : 1)]));
    const pixels = Uint8Array.from(large.values, (value) => entries.get(value) ?? 0);
    return { png: encodePng({ height, width, pixels, palette }), height, width, caption: `${labels.length} labels${made}` };
  }
  const range = percentiles(picture.values, STRETCH[0], STRETCH[1]);
  const pixels = grayPixels(large, range);
  const caption = `gray from ${short(range.low)} to ${short(range.high)}${made}`;
  return { png: encodePng({ height, width, pixels, palette: GRAYS }), height, width, caption };
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The different values, sorted, if they are labels. */
function labelsOf({ values }: Picture, dtype: string): number[] | undefined {
  if (dtype !== 'int32' && dtype !== 'bool') return undefined;
  const found = new Set<number>();
  for (let i = 0; i < values.length; i++) {
    found.add(values[i]);
    if (found.size > MOST_LABELS) return undefined;
  }
  return [...found].sort((a, b) => a - b);
}

function grayPixels({ values }: Picture, { low, high }: { low: number; high: number }): Uint8Array {
  const scale = 254 / (high - low);
  const pixels = new Uint8Array(values.length);
  for (let i = 0; i < pixels.length; i++) {
    const value = values[i];
    pixels[i] = Number.isNaN(value) ? 0 : 1 + Math.max(0, Math.min(254, Math.round((value - low) * scale)));
  }
  return pixels;
}

/** Bytes of RGBA: 0 … 255 and 0 … 1 as they are, other ranges stretched in common. */
function rgbPixels({ values, channels }: Picture, whole: Picture, dtype: string): Uint8Array {
  const { low, high } = colorRange(whole, dtype);
  const scale = 255 / (high - low);
  const count = values.length / channels;
  const pixels = new Uint8Array(count * 4);
  for (let i = 0; i < count; i++) {
    let missing = false;
    for (let k = 0; k < channels; k++) {
      const value = values[i * channels + k];
      if (Number.isNaN(value)) missing = true;
      else pixels[i * 4 + k] = Math.max(0, Math.min(255, Math.round((value - low) * scale)));
    }
    if (channels === 3) pixels[i * 4 + 3] = 255;
    if (missing) pixels[i * 4 + 3] = 0;
  }
  return pixels;
}

function colorRange({ values }: Picture, dtype: string): { low: number; high: number } {
  const { low, high } = percentiles(values, 0, 100);
  if (dtype === 'int32' && low >= 0 && high <= 255) return { low: 0, high: 255 };
  if (dtype === 'bool' || (low >= 0 && high <= 1)) return { low: 0, high: 1 };
  if (low >= 0 && high > 1 && high <= 255) return { low: 0, high: 255 };
  return percentiles(values, STRETCH[0], STRETCH[1]);
}
