import { DataFormatError } from '../errors.js';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { PixelArray, PixelType } from '../stack/types.js';

/**
 * The intensities of an image whose channels stand pixel by pixel: one channel, or several that are equal.
 *
 * @param alphaChannels how many of the last channels are opacity, which does not count.
 * @throws DataFormatError where the channels differ: colors are no intensities.
 */
export function grayFromChannels(pixels: PixelArray, channels: number, path: string, alphaChannels = 0): PixelArray {
  if (channels === 1) return pixels;
  const colors = channels - alphaChannels;
  const type = pixels.constructor.name.replace('Array', '').toLowerCase() as PixelType;
  const gray = new PIXEL_ARRAYS[type](pixels.length / channels);
  for (let i = 0, at = 0; i < gray.length; i++, at += channels) {
    gray[i] = pixels[at];
    for (let c = 1; c < colors; c++) {
      if (pixels[at + c] !== pixels[at]) {
        throw new DataFormatError(
          `the image has colors (pixel ${i}: ${Array.from(pixels.subarray(at, at + colors)).join(', ')}), which are no intensities; save it as gray`,
          { path },
        );
      }
    }
  }
  return gray;
}
