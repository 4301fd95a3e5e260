import type { FramePlacement, PixelArray } from './types.js';

/**
 * Shifts a frame by a fraction of a pixel onto the output canvas, bilinear (the paper's order 1), and stores it as uint16.
 * One pass over the canvas; plain JavaScript, so that worker threads can run it without TensorFlow.
 *
 * An output pixel is measured where all input pixels that it mixes are: inside the frame, not NaN and, with
 * `zeroIsMissing`, not 0. Others are stored as 0, measured ones are at least 1.
 *
 * @param pixels `[height, width]`.
 * @param placement sizes, shift (pixels, + down, + right) and scale.
 * @returns uint16 `[outHeight, outWidth]`.
 */
export function placeFrame(pixels: PixelArray, placement: FramePlacement): Uint16Array {
  const { height, width, outHeight, outWidth, scale, offset, zeroIsMissing } = placement;
  const [shiftRow, shiftColumn] = placement.shift;
  const out = new Uint16Array(outHeight * outWidth);
  // output[r] mixes input rows r − rowFloor − 1 (share rowPart) and r − rowFloor (share 1 − rowPart)
  const rowFloor = Math.floor(shiftRow);
  const columnFloor = Math.floor(shiftColumn);
  const rowPart = shiftRow - rowFloor;
  const columnPart = shiftColumn - columnFloor;
  const w11 = (1 - rowPart) * (1 - columnPart);
  const w10 = (1 - rowPart) * columnPart;
  const w01 = rowPart * (1 - columnPart);
  const w00 = rowPart * columnPart;
  const rowStep = rowPart > 0 ? width : 0;
  const columnStep = columnPart > 0 ? 1 : 0;
  const firstRow = Math.max(0, rowFloor + (rowStep ? 1 : 0));
  const lastRow = Math.min(outHeight, height + rowFloor);
  const firstColumn = Math.max(0, columnFloor + columnStep);
  const lastColumn = Math.min(outWidth, width + columnFloor);
  const missing = zeroIsMissing ? 0 : Number.NaN;
  for (let r = firstRow; r < lastRow; r++) {
    let at = (r - rowFloor) * width + firstColumn - columnFloor;
    let to = r * outWidth + firstColumn;
    for (let c = firstColumn; c < lastColumn; c++, at++, to++) {
      const p11 = pixels[at];
      const p10 = pixels[at - columnStep];
      const p01 = pixels[at - rowStep];
      const p00 = pixels[at - rowStep - columnStep];
      if (p11 === missing || p10 === missing || p01 === missing || p00 === missing) continue;
      const value = (w11 * p11 + w10 * p10 + w01 * p01 + w00 * p00) * scale + offset + 0.5;
      // what NaN or an infinite pixel is mixed into is left as 0: not measured
      if (!Number.isFinite(value)) continue;
      out[to] = value < 1 ? 1 : value > 65535 ? 65535 : value;
    }
  }
  return out;
}
