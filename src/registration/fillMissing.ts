/**
 * Fills missing pixels smoothly from their surroundings (pull and push over a pyramid of averages), so that a filter or a
 * transform does not spread them. Linear in the number of pixels.
 *
 * @param image `[height, width]`; NaN: missing. Changed in place; an image without any known pixel becomes 0.
 */
export function fillMissing(image: Float32Array, height: number, width: number): void {
  const sums = image.map((value) => (Number.isNaN(value) ? 0 : value));
  const weights = image.map((value) => (Number.isNaN(value) ? 0 : 1));
  const filled = pullPush(sums, weights, height, width);
  for (let i = 0; i < image.length; i++) if (Number.isNaN(image[i])) image[i] = filled[i];
}

/** Weighted mean where there is weight; elsewhere the next coarser level's, interpolated. */
function pullPush(sums: Float32Array, weights: Float32Array, height: number, width: number): Float32Array {
  const out = new Float32Array(height * width);
  if (weights.every((w) => w > 0) || (height === 1 && width === 1)) {
    for (let i = 0; i < out.length; i++) out[i] = weights[i] > 0 ? sums[i] / weights[i] : 0;
    return out;
  }
  const rows = Math.ceil(height / 2);
  const columns = Math.ceil(width / 2);
  const coarseSums = new Float32Array(rows * columns);
  const coarseWeights = new Float32Array(rows * columns);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const to = (r >> 1) * columns + (c >> 1);
      coarseSums[to] += sums[r * width + c];
      coarseWeights[to] += weights[r * width + c];
    }
  }
  const coarse = pullPush(coarseSums, coarseWeights, rows, columns);
  for (let r = 0; r < height; r++) {
    const y = Math.min(rows - 1, Math.max(0, (r - 0.5) / 2));
    const y0 = Math.floor(y);
    const y1 = Math.min(rows - 1, y0 + 1);
    const ty = y - y0;
    for (let c = 0; c < width; c++) {
      const i = r * width + c;
      if (weights[i] > 0) {
        out[i] = sums[i] / weights[i];
        continue;
      }
      const x = Math.min(columns - 1, Math.max(0, (c - 0.5) / 2));
      const x0 = Math.floor(x);
      const x1 = Math.min(columns - 1, x0 + 1);
      const tx = x - x0;
      const top = (1 - tx) * coarse[y0 * columns + x0] + tx * coarse[y0 * columns + x1];
      const bottom = (1 - tx) * coarse[y1 * columns + x0] + tx * coarse[y1 * columns + x1];
      out[i] = (1 - ty) * top + ty * bottom;
    }
  }
  return out;
}
