import type { Contrast, FloatImage } from './pngImage.js';

/** Pixels between two frames. */
const GAP = 4;

/** All images on one sheet, each scaled from its range to 0 … 1. */
export function joinImages(images: readonly FloatImage[], ranges: readonly Contrast[], columns: number): FloatImage {
  const { height, width } = images[0];
  const rows = Math.ceil(images.length / columns);
  const sheetWidth = columns * (width + GAP) - GAP;
  const sheetHeight = rows * (height + GAP) - GAP;
  const pixels = new Float32Array(sheetHeight * sheetWidth).fill(Number.NaN);
  for (const [k, image] of images.entries()) {
    const { low, high } = ranges[k];
    const left = (k % columns) * (width + GAP);
    const top = Math.floor(k / columns) * (height + GAP);
    for (let r = 0; r < height; r++) {
      const to = (top + r) * sheetWidth + left;
      for (let c = 0; c < width; c++) pixels[to + c] = (image.pixels[r * width + c] - low) / (high - low);
    }
  }
  return { pixels, height: sheetHeight, width: sheetWidth };
}
