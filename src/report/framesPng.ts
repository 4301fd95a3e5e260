import { OptionError, ShapeError } from '../errors.js';
import { joinImages } from '../stack/joinImages.js';
import { GREYS } from '../stack/palettePng.js';
import { type Contrast, encodePng, percentileContrast, shrinkImage } from '../stack/pngImage.js';
import { SEQUENTIAL } from './colors.js';
import type { ReportImage } from './types.js';

export interface FramesPngOptions {
  /** Frames side by side. Default: all, 4 at most. */
  readonly columns?: number;
  /** `each` frame its own, `common` to all, or the values that become the first and the last color. Default `each`. */
  readonly contrast?: 'each' | 'common' | Contrast;
  /** `grey`, or `sequential`: dark blue to pale yellow. Default `grey`. */
  readonly colors?: 'grey' | 'sequential';
  /** Longest side of a frame in the picture; larger ones are averaged over squares of pixels. Default 400. */
  readonly maxSide?: number;
  /** Side of the square that a pixel becomes, for small pictures. Default 1. */
  readonly enlarge?: number;
  /** Whether a value of 0 is "not measured", as in a registered stack. Default false. */
  readonly zeroIsMissing?: boolean;
}

/**
 * A picture of one or more frames side by side, row by row, for notebooks and reports. Contrast runs from the 0.5 to the
 * 99.5 percentile of the measured pixels; NaN is transparent.
 *
 * @param frames values of each frame, row by row, all of one size.
 * @param shape `[height, width]` of a frame, pixels.
 * @returns a PNG of 8 bits with a palette.
 * @throws ShapeError if a frame does not hold height · width values; OptionError for wrong options.
 */
export function framesPng(
  frames: readonly ArrayLike<number>[],
  shape: readonly [number, number],
  options: FramesPngOptions = {},
): Uint8Array {
  const { contrast = 'each', colors = 'grey', maxSide = 400, enlarge = 1, zeroIsMissing = false } = options;
  const { columns = Math.min(4, frames.length) } = options;
  const [height, width] = shape;
  if (frames.length === 0) throw new ShapeError("framesPng(): 'frames' must hold at least one frame, got none");
  for (const [name, value] of Object.entries({ columns, maxSide, enlarge })) {
    if (!Number.isInteger(value) || value < 1)
      throw new OptionError(`framesPng(): '${name}' must be a whole number from 1, got ${value}`);
  }
  const images = frames.map((frame, n): ReportImage => {
    if (frame.length !== height * width) {
      throw new ShapeError(
        `framesPng(): 'frames' must all hold ${height} × ${width} pixels, got ${frame.length} values in frame ${n}`,
      );
    }
    const pixels = Float32Array.from(frame, (value) => (zeroIsMissing && value === 0 ? Number.NaN : value));
    return enlargeImage(shrinkImage({ pixels, height, width }, maxSide), enlarge);
  });
  const ranges = rangesOf(images, contrast);
  const sheet = joinImages(images, ranges, columns);
  return encodePng(sheet, colors === 'grey' ? GREYS : SEQUENTIAL, { low: 0, high: 1 });
}

function enlargeImage(image: ReportImage, factor: number): ReportImage {
  if (factor === 1) return image;
  const height = image.height * factor;
  const width = image.width * factor;
  const pixels = new Float32Array(height * width);
  for (let r = 0; r < height; r++) {
    const from = Math.floor(r / factor) * image.width;
    for (let c = 0; c < width; c++) pixels[r * width + c] = image.pixels[from + Math.floor(c / factor)];
  }
  return { pixels, height, width };
}

function rangesOf(images: readonly ReportImage[], contrast: 'each' | 'common' | Contrast): readonly Contrast[] {
  if (typeof contrast === 'object') return images.map(() => contrast);
  const own = images.map((image) => percentileContrast(image));
  if (contrast === 'each') return own;
  const common = { low: Math.min(...own.map(({ low }) => low)), high: Math.max(...own.map(({ high }) => high)) };
  return own.map(() => common);
}
