import type { Random } from './random.js';

/**
 * Adds smooth noise of one length scale to a map: normals on a square lattice, interpolated with the cubic B-spline.
 * Plain JavaScript, so that it is the same on every backend; about 6 operations a pixel.
 *
 * @param out `[height, width]`, changed in place.
 * @param spacing distance of the lattice points in pixels, from 1.
 * @param amplitude factor on the normals.
 */
export function addSmoothNoise(
  out: Float32Array,
  [height, width]: readonly [number, number],
  spacing: number,
  amplitude: number,
  random: Random,
): void {
  const lines = Math.ceil(height / spacing) + 4;
  const points = Math.ceil(width / spacing) + 4;
  const lattice = random.fillNormal(new Float32Array(lines * points), 0, amplitude);
  const stretched = new Float32Array(lines * width);
  for (let c = 0; c < width; c++) {
    const at = Math.floor(c / spacing);
    const [w0, w1, w2, w3] = splineWeights(c / spacing - at);
    for (let line = 0; line < lines; line++) {
      const i = line * points + at;
      stretched[line * width + c] = w0 * lattice[i] + w1 * lattice[i + 1] + w2 * lattice[i + 2] + w3 * lattice[i + 3];
    }
  }
  for (let r = 0; r < height; r++) {
    const at = Math.floor(r / spacing);
    const [w0, w1, w2, w3] = splineWeights(r / spacing - at);
    let i = at * width;
    for (let to = r * width; to < (r + 1) * width; to++, i++) {
      out[to] += w0 * stretched[i] + w1 * stretched[i + width] + w2 * stretched[i + 2 * width] + w3 * stretched[i + 3 * width];
    }
  }
}

function splineWeights(t: number): [number, number, number, number] {
  const u = 1 - t;
  return [u ** 3 / 6, (3 * t ** 3 - 6 * t ** 2 + 4) / 6, (3 * u ** 3 - 6 * u ** 2 + 4) / 6, t ** 3 / 6];
}

/**
 * A random field with structure at all scales between two lengths: one octave after the other, amplitude growing as
 * `scale ** roughness`, so that its contour lines are ragged however close one looks.
 *
 * @param scales smallest and largest lattice spacing in pixels.
 * @param roughness 0 = all scales alike (grainy), 1 = large scales only (smooth).
 * @returns `[height, width]`.
 */
export function fractalNoise(
  shape: readonly [number, number],
  scales: readonly [number, number],
  roughness: number,
  random: Random,
): Float32Array {
  const out = new Float32Array(shape[0] * shape[1]);
  for (let scale = scales[0]; scale <= scales[1]; scale *= 2) addSmoothNoise(out, shape, scale, scale ** roughness, random);
  return out;
}

/** Blurs a map with a Gaussian (separable, cut at 4 sigma, edges repeated), in place. */
export function blurGaussian(map: Float32Array, [height, width]: readonly [number, number], sigma: number): void {
  if (sigma === 0) return;
  const reach = Math.ceil(4 * sigma);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2));
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  for (let i = 0; i < kernel.length; i++) kernel[i] /= sum;
  const line = new Float32Array(Math.max(height, width) + 2 * reach);
  const along = (first: number, step: number, count: number): void => {
    for (let i = -reach; i < count + reach; i++) line[i + reach] = map[first + step * Math.min(count - 1, Math.max(0, i))];
    for (let i = 0; i < count; i++) {
      let value = 0;
      for (let k = 0; k < kernel.length; k++) value += kernel[k] * line[i + k];
      map[first + step * i] = value;
    }
  };
  for (let r = 0; r < height; r++) along(r * width, 1, width);
  for (let c = 0; c < width; c++) along(c, width, height);
}

/** The values below which the given shares of a map lie, from a sample of at most 65,536 pixels. */
export function quantiles(map: Float32Array, shares: readonly number[]): number[] {
  const step = Math.max(1, Math.floor(map.length / 65536));
  const sample = Float32Array.from({ length: Math.floor(map.length / step) }, (_, i) => map[i * step]).sort();
  return shares.map((share) => sample[Math.min(sample.length - 1, Math.floor(share * sample.length))]);
}
