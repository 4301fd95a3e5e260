import { Buffer } from 'node:buffer';
import { palettePng, type Rgb } from './palettePng.js';
import { quantile, sortedFinite } from './quantile.js';

/** An image in memory, row by row; NaN: not measured. */
export interface FloatImage {
  readonly pixels: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** Values that become the first and the last color. */
export interface Contrast {
  readonly low: number;
  readonly high: number;
}

/** At most so many pixels are sorted for the percentiles. */
const CONTRAST_SAMPLE = 100_000;

/** Contrast from the given percentiles of the measured pixels (of an even sample of a large image). */
export function percentileContrast({ pixels }: FloatImage, low = 0.5, high = 99.5): Contrast {
  const step = Math.max(1, Math.floor(pixels.length / CONTRAST_SAMPLE));
  const sample = sortedFinite(step === 1 ? pixels : everyNth(pixels, step));
  const contrast = { low: quantile(sample, low / 100), high: quantile(sample, high / 100) };
  if (contrast.high > contrast.low) return contrast;
  const value = Number.isFinite(contrast.low) ? contrast.low : 0;
  return { low: value - 0.5, high: value + 0.5 };
}

function everyNth(values: Float32Array, step: number): Float32Array {
  const out = new Float32Array(Math.ceil(values.length / step));
  for (let k = 0; k < out.length; k++) out[k] = values[k * step];
  return out;
}

/** An image made smaller; the last row and column of squares may reach over the edge of the original. */
export interface ShrunkImage extends FloatImage {
  /** Side of a square in pixels of the original. */
  readonly factor: number;
}

/** Means of squares of pixels, so that no side is longer than `maxSide`; unmeasured pixels are left out of the means. */
export function shrinkImage(image: FloatImage, maxSide: number): ShrunkImage {
  const factor = Math.ceil(Math.max(image.height, image.width) / maxSide);
  if (factor <= 1) return { ...image, factor: 1 };
  const height = Math.ceil(image.height / factor);
  const width = Math.ceil(image.width / factor);
  const sums = new Float64Array(height * width);
  const counts = new Uint32Array(height * width);
  for (let r = 0; r < image.height; r++) {
    const rowStart = Math.floor(r / factor) * width;
    for (let c = 0; c < image.width; c++) {
      const value = image.pixels[r * image.width + c];
      if (Number.isNaN(value)) continue;
      const at = rowStart + Math.floor(c / factor);
      sums[at] += value;
      counts[at]++;
    }
  }
  const pixels = new Float32Array(sums.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = counts[i] > 0 ? sums[i] / counts[i] : Number.NaN;
  return { factor, height, width, pixels };
}

/**
 * The image as an 8-bit PNG with a palette; NaN is transparent.
 *
 * @param colors 255 colors from low to high.
 */
export function encodePng(image: FloatImage, colors: readonly Rgb[], { low, high }: Contrast): Uint8Array {
  const last = colors.length - 1;
  const scale = last / (high - low);
  // entry 0 is "not measured"
  const entries = new Uint8Array(image.pixels.length);
  for (let i = 0; i < entries.length; i++) {
    const value = image.pixels[i];
    entries[i] = Number.isNaN(value) ? 0 : 1 + Math.max(0, Math.min(last, Math.round((value - low) * scale)));
  }
  return palettePng(entries, image, colors);
}

/** A PNG as the address of an `<img>` or `<image>`. */
export function dataUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}
