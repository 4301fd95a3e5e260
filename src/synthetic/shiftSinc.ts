/** Pixels that {@link sampleShifted} needs beyond the region on each side. */
export const SINC_REACH = 4;

const TAPS = 2 * SINC_REACH;

/** A linear combination of maps: the sum of `weights[k] · maps[k]` plus a constant. */
export interface MapSum {
  readonly maps: readonly Float32Array[];
  readonly weights: readonly number[];
  readonly constant: number;
  /** Size of every map. */
  readonly shape: readonly [number, number];
}

/**
 * Samples a weighted sum of maps at fractional positions, `out[r, c] = sum(r + row, c + column)`, with a Kaiser-windowed
 * sinc of 8 taps in each direction. Maps blurred by a Gaussian of 0.9 pixels or more are band-limited enough for the
 * place of their structure to be right to a few thousandths of a pixel.
 *
 * One pass over the maps and 16 operations a pixel: about 5 ms for 512².
 *
 * @param position row and column of the output's first pixel in the maps, at least `SINC_REACH` from their edges.
 * @param out `[height, width]`, overwritten.
 */
export function sampleShifted(
  sum: MapSum,
  [row, column]: readonly [number, number],
  out: Float32Array,
  [height, width]: readonly [number, number],
): void {
  const firstRow = Math.floor(row);
  const firstColumn = Math.floor(column);
  const rowWeights = sincWeights(row - firstRow);
  const columnWeights = sincWeights(column - firstColumn);
  const line = new Float64Array(width + TAPS - 1);
  const ring = Array.from({ length: TAPS }, () => new Float64Array(width));
  for (let r = 1 - TAPS; r < height; r++) {
    combineRow(sum, firstRow + r + SINC_REACH, firstColumn - SINC_REACH + 1, line);
    filterRow(line, columnWeights, ring[(r + TAPS) % TAPS]);
    if (r >= 0) {
      const lines = Array.from({ length: TAPS }, (_, k) => ring[(r + 1 + k) % TAPS]);
      filterColumn(lines, rowWeights, out.subarray(r * width, (r + 1) * width));
    }
  }
}

function combineRow({ maps, weights, constant, shape }: MapSum, row: number, column: number, line: Float64Array): void {
  line.fill(constant);
  for (let k = 0; k < maps.length; k++) addScaled(maps[k], weights[k], row * shape[1] + column, line);
}

function addScaled(map: Float32Array, weight: number, first: number, line: Float64Array): void {
  for (let i = 0; i < line.length; i++) line[i] += weight * map[first + i];
}

function filterRow(line: Float64Array, w: Float64Array, out: Float64Array): void {
  const [w0, w1, w2, w3, w4, w5, w6, w7] = w;
  let [l0, l1, l2, l3, l4, l5, l6] = line;
  for (let c = 0; c < out.length; c++) {
    const l7 = line[c + 7];
    out[c] = w0 * l0 + w1 * l1 + w2 * l2 + w3 * l3 + w4 * l4 + w5 * l5 + w6 * l6 + w7 * l7;
    l0 = l1;
    l1 = l2;
    l2 = l3;
    l3 = l4;
    l4 = l5;
    l5 = l6;
    l6 = l7;
  }
}

function filterColumn(lines: readonly Float64Array[], w: Float64Array, out: Float32Array): void {
  const [w0, w1, w2, w3, w4, w5, w6, w7] = w;
  const [l0, l1, l2, l3, l4, l5, l6, l7] = lines;
  for (let c = 0; c < out.length; c++) {
    out[c] = w0 * l0[c] + w1 * l1[c] + w2 * l2[c] + w3 * l3[c] + w4 * l4[c] + w5 * l5[c] + w6 * l6[c] + w7 * l7[c];
  }
}

/** Weights of the pixels −3 … 4 around a position `fraction` behind pixel 0; their sum is 1. */
function sincWeights(fraction: number): Float64Array {
  const beta = 6;
  const weights = new Float64Array(TAPS);
  let sum = 0;
  for (let k = 0; k < TAPS; k++) {
    const x = k - SINC_REACH + 1 - fraction;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    weights[k] = sinc * besselI0(beta * Math.sqrt(Math.max(0, 1 - (x / SINC_REACH) ** 2)));
    sum += weights[k];
  }
  for (let k = 0; k < TAPS; k++) weights[k] /= sum;
  return weights;
}

function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
