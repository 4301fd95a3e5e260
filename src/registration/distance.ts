import { finishSteps, type Steps } from '../backend/index.js';

/** Lower envelope of parabolas: squared distances along one line (Felzenszwalb and Huttenlocher, 10.4086/toc.2012.v008a019). */
function alongLine(f: Float64Array, n: number, out: Float64Array, places: Int32Array, bounds: Float64Array): void {
  let k = 0;
  places[0] = 0;
  bounds[0] = Number.NEGATIVE_INFINITY;
  bounds[1] = Number.POSITIVE_INFINITY;
  for (let q = 1; q < n; q++) {
    let s = meet(f, q, places[k]);
    while (s <= bounds[k]) s = meet(f, q, places[--k]);
    places[++k] = q;
    bounds[k] = s;
    bounds[k + 1] = Number.POSITIVE_INFINITY;
  }
  k = 0;
  for (let q = 0; q < n; q++) {
    while (bounds[k + 1] < q) k++;
    out[q] = (q - places[k]) ** 2 + f[places[k]];
  }
}

function meet(f: Float64Array, q: number, v: number): number {
  return (f[q] + q * q - (f[v] + v * v)) / (2 * q - 2 * v);
}

/**
 * Distance of every pixel to the nearest pixel where `valid` is 0, in pixels; exact, linear time.
 *
 * @param valid `[height, width]`, 0 or 1.
 * @returns `[height, width]`; 1e6 and more where nothing is invalid.
 */
export function distanceToInvalid(valid: Uint8Array, height: number, width: number): Float32Array {
  return finishSteps(distanceSteps(valid, height, width));
}

/** Lines between two breaths. */
const LINES = 64;

/** {@link distanceToInvalid} in pieces. */
export function* distanceSteps(valid: Uint8Array, height: number, width: number): Steps<Float32Array> {
  const far = 1e12;
  const squared = Float64Array.from(valid, (v) => (v ? far : 0));
  const n = Math.max(height, width);
  const line = new Float64Array(n);
  const out = new Float64Array(n);
  const places = new Int32Array(n + 1);
  const bounds = new Float64Array(n + 2);
  for (let c = 0; c < width; c++) {
    if (c % LINES === 0) yield;
    for (let r = 0; r < height; r++) line[r] = squared[r * width + c];
    alongLine(line, height, out, places, bounds);
    for (let r = 0; r < height; r++) squared[r * width + c] = out[r];
  }
  for (let r = 0; r < height; r++) {
    if (r % LINES === 0) yield;
    alongLine(squared.subarray(r * width, (r + 1) * width) as Float64Array, width, out, places, bounds);
    for (let c = 0; c < width; c++) squared[r * width + c] = out[c];
  }
  return Float32Array.from(squared, Math.sqrt);
}
