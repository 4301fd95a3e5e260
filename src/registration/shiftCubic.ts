/** Weights of the four samples around a fraction `t` of a pixel: Catmull and Rom's cubic. */
function cubicWeights(t: number): [number, number, number, number] {
  return [((2 - t) * t - 1) * t * 0.5, ((3 * t - 5) * t * t + 2) * 0.5, ((4 - 3 * t) * t + 1) * t * 0.5, (t - 1) * t * t * 0.5];
}

/**
 * Shifts an image by a fraction of a pixel with separable cubic interpolation: `out(x) = image(x − shift)`.
 *
 * @param image `[height, width]`; NaN: no such pixel.
 * @param shift pixels, + down and + right.
 * @param out `[height, width]`; NaN where the four by four pixels around a place are not all known.
 */
export function shiftCubic(
  image: Float32Array,
  shape: readonly [number, number],
  shift: readonly [number, number],
  out: Float32Array,
): void {
  const [height, width] = shape;
  const rowFloor = Math.floor(-shift[0]);
  const columnFloor = Math.floor(-shift[1]);
  const [r0, r1, r2, r3] = cubicWeights(-shift[0] - rowFloor);
  const [c0, c1, c2, c3] = cubicWeights(-shift[1] - columnFloor);
  const line = new Float32Array(width);
  const firstColumn = Math.max(0, 1 - columnFloor);
  const lastColumn = Math.min(width, width - 2 - columnFloor);
  out.fill(Number.NaN);
  for (let r = 0; r < height; r++) {
    const row = r + rowFloor;
    if (row < 1 || row + 2 >= height) continue;
    const at = row * width;
    for (let c = 0; c < width; c++) {
      line[c] = r0 * image[at - width + c] + r1 * image[at + c] + r2 * image[at + width + c] + r3 * image[at + 2 * width + c];
    }
    const to = r * width;
    for (let c = firstColumn; c < lastColumn; c++) {
      const from = c + columnFloor;
      out[to + c] = c0 * line[from - 1] + c1 * line[from] + c2 * line[from + 1] + c3 * line[from + 2];
    }
  }
}
