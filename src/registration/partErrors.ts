import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { finishSteps, irfft2d, readAll, type Steps, tf } from '../backend/index.js';
import { type DriftSolution, laplacianSteps, listPairs, type PairList, type PairTable } from './solveDrift.js';
import { narrowBand, shiftSpectrum, type WindowSpectra } from './windowSpectra.js';

/** What each part of the window adds to the drift of each frame, pixels: `[parts]` of `[M]`, relative to the first solved frame. */
export interface PartErrors {
  readonly row: readonly Float64Array[];
  readonly column: readonly Float64Array[];
}

/** Parts a side of the window. */
const PARTS = 4;
/** Highest frequency looked at, cycles per window: finer ones hold a few percent of the edges' energy. */
const BAND = 32;
/** Pairs whose peak lies farther from where the drifts put it are wrong; their parts say nothing. */
const WRONG = 3;
/** A pair's curvature counts for at least this share of what two equal frames would have. */
const LEAST_CURVATURE = 0.1;

export interface PartErrorOptions {
  readonly minWeight: number;
  readonly weightPower: number;
}

/**
 * How much each of 4 × 4 parts of the window pulls the drifts away from where all parts together put them.
 *
 * The drift of a frame is a sum over pairs, and the peak of a pair's correlation a sum over the window: about it,
 * `shift = curvature⁻¹ · gradient`, and both are sums over the parts. So each part has its share of every drift, through
 * the same least-squares solution. The shares of all parts add up to zero; their scatter is the error that noise, remains
 * of a fixed pattern and local distortion make, with all correlations between frames: residuals of pairs cannot tell it,
 * as a frame's noise enters all its pairs alike and closes every loop.
 *
 * Eight matrix products of M × M from images of `64 × 64`, and one factorization: about 1 s for M = 700.
 *
 * @param spectra edge spectra of M frames.
 * @param solution their drifts, from `pairs` with `options`.
 */
export function partErrors(
  spectra: WindowSpectra,
  pairs: PairTable,
  solution: DriftSolution,
  options: PartErrorOptions,
): PartErrors {
  return finishSteps(partErrorSteps(spectra, pairs, solution, options));
}

/** {@link partErrors} in pieces. */
export function* partErrorSteps(
  spectra: WindowSpectra,
  pairs: PairTable,
  solution: DriftSolution,
  options: PartErrorOptions,
): Steps<PartErrors> {
  const frames = [...solution.solved.keys()].filter((m) => solution.solved[m]);
  const list = listPairs(pairs, frames, options.minWeight, options.weightPower);
  yield;
  const low = narrowBand(spectra, Math.min(BAND, spectra.band));
  const images = yield* alignedImages(low, solution, frames);
  const side = 2 * low.band;
  const table: PairCurvatures = {
    list,
    residual: residuals(list, solution, frames),
    curvature: yield* wholeCurvatures(images, list),
  };
  const cuts = Array.from({ length: PARTS + 1 }, (_, k) => Math.round((k * side) / PARTS));
  const shifts: Float64Array[] = [];
  for (let r = 0; r < PARTS; r++) {
    for (let c = 0; c < PARTS; c++) {
      yield;
      shifts.push(...partShifts(images, table, [cuts[r], cuts[c], cuts[r + 1], cuts[c + 1]]));
    }
  }
  const solved = yield* laplacianSteps(list, shifts, list.weight, frames.length);
  const spread = (values: Float64Array): Float64Array => {
    const out = new Float64Array(pairs.count).fill(Number.NaN);
    for (const [k, m] of frames.entries()) out[m] = values[k];
    return out;
  };
  return {
    row: solved.filter((_, k) => k % 2 === 0).map(spread),
    column: solved.filter((_, k) => k % 2 === 1).map(spread),
  };
}

/** Edge images in register, and their slopes, `[frames, side, side]` each. */
interface AlignedImages {
  readonly frames: number;
  readonly side: number;
  readonly image: Float32Array;
  /** Per pixel of the window. */
  readonly slopeRow: Float32Array;
  readonly slopeColumn: Float32Array;
}

interface PairCurvatures {
  readonly list: PairList;
  /** pairShift − (drift_j − drift_i), rows and columns. */
  readonly residual: readonly [Float64Array, Float64Array];
  /** Minus the second derivatives of the correlation: rows, mixed, columns. */
  readonly curvature: readonly [Float64Array, Float64Array, Float64Array];
}

function residuals(list: PairList, solution: DriftSolution, frames: readonly number[]): [Float64Array, Float64Array] {
  const rest = (shift: Float64Array, drift: Float64Array): Float64Array =>
    shift.map((value, p) => value - (drift[frames[list.j[p]]] - drift[frames[list.i[p]]]));
  return [rest(list.shiftRow, solution.row), rest(list.shiftColumn, solution.column)];
}

function* alignedImages(spectra: WindowSpectra, drift: DriftSolution, frames: readonly number[]): Steps<AlignedImages> {
  const { band, stride, windowSize } = spectra;
  const side = 2 * band;
  const size = side * side;
  const length = frames.length * size;
  const out = { image: new Float32Array(length), slopeRow: new Float32Array(length), slopeColumn: new Float32Array(length) };
  const unit = (2 * Math.PI) / windowSize;
  const [alongRow, alongColumn] = [new Float32Array(stride), new Float32Array(stride)];
  for (let s = 0; s < stride; s++) {
    const k = Math.floor(s / (band + 1));
    alongRow[s] = unit * (k < band ? k : k - side);
    alongColumn[s] = unit * (s % (band + 1));
  }
  const batch = 32;
  const moved = new Float32Array(2 * stride);
  for (let start = 0; start < frames.length; start += batch) {
    yield;
    const some = frames.slice(start, start + batch);
    const re = new Float32Array(some.length * stride);
    const im = new Float32Array(some.length * stride);
    for (const [b, m] of some.entries()) {
      // out(x) = in(x + drift): the sample moves back to its place
      shiftSpectrum(spectra, m, [drift.row[m], drift.column[m]], moved, 0);
      re.set(moved.subarray(0, stride), b * stride);
      im.set(moved.subarray(stride), b * stride);
    }
    const [image, slopeRow, slopeColumn] = readAll(() => {
      const shape: [number, number, number] = [some.length, side, band + 1];
      const [a, b] = [tf.tensor3d(re, shape), tf.tensor3d(im, shape)];
      const slope = (along: Float32Array) => {
        const times = tf.tensor3d(along, [1, side, band + 1]);
        return irfft2d(tf.complex(tf.neg(tf.mul(b, times)), tf.mul(a, times)));
      };
      return [irfft2d(tf.complex(a, b)), slope(alongRow), slope(alongColumn)];
    });
    out.image.set(image, start * size);
    out.slopeRow.set(slopeRow, start * size);
    out.slopeColumn.set(slopeColumn, start * size);
  }
  return { frames: frames.length, side, ...out };
}

/** Rows `top` to `bottom` and columns `left` to `right` of the images. */
type Box = readonly [top: number, left: number, bottom: number, right: number];

function cut({ frames, side }: AlignedImages, values: Float32Array, [top, left, bottom, right]: Box): Tensor2D {
  const width = right - left;
  const out = new Float32Array(frames * (bottom - top) * width);
  let to = 0;
  for (let m = 0; m < frames; m++) {
    for (let r = top; r < bottom; r++, to += width) {
      const from = (m * side + r) * side + left;
      out.set(values.subarray(from, from + width), to);
    }
  }
  return tf.tensor2d(out, [frames, (bottom - top) * width]);
}

/** Products of slopes, frame by frame, in a box: rows, twice the mixed one, columns; `[frames, frames]` each, symmetric. */
function curvatureProducts(images: AlignedImages, box: Box): Tensor[] {
  const a = cut(images, images.slopeRow, box);
  const b = cut(images, images.slopeColumn, box);
  const mixed = tf.matMul(a, b, false, true);
  return [tf.matMul(a, a, false, true), tf.add(mixed, tf.transpose(mixed)), tf.matMul(b, b, false, true)];
}

/** Curvature of each pair's correlation over the whole window, kept away from 0. */
function* wholeCurvatures(images: AlignedImages, list: PairList): Steps<[Float64Array, Float64Array, Float64Array]> {
  const { frames, side } = images;
  const products = readAll(() => curvatureProducts(images, [0, 0, side, side]));
  yield;
  const out = products.map(() => new Float64Array(list.i.length));
  for (let p = 0; p < list.i.length; p++) {
    const [i, j] = [list.i[p], list.j[p]];
    const at = i * frames + j;
    const own = (product: Float32Array): number => Math.sqrt(product[i * frames + i] * product[j * frames + j]);
    // a correlation that is flat in one direction would say anything there
    out[0][p] = Math.max(products[0][at], LEAST_CURVATURE * own(products[0]));
    out[2][p] = Math.max(products[2][at], LEAST_CURVATURE * own(products[2]));
    const most = 0.9 * Math.sqrt(out[0][p] * out[2][p]);
    out[1][p] = Math.max(-most, Math.min(most, products[1][at] / 2));
  }
  return [out[0], out[1], out[2]];
}

/** What one part of the window adds to the shift of each pair, rows and columns. */
function partShifts(
  images: AlignedImages,
  { list, residual, curvature }: PairCurvatures,
  box: Box,
): [Float64Array, Float64Array] {
  const { frames } = images;
  const [gradientRow, gradientColumn, rr, rc, cc] = readAll(() => {
    const image = cut(images, images.image, box);
    const gradient = (slope: Float32Array) => {
      const product = tf.matMul(image, cut(images, slope, box), false, true);
      return tf.sub(product, tf.transpose(product));
    };
    return [gradient(images.slopeRow), gradient(images.slopeColumn), ...curvatureProducts(images, box)];
  });
  const row = new Float64Array(list.i.length);
  const column = new Float64Array(list.i.length);
  for (let p = 0; p < row.length; p++) {
    const at = list.i[p] * frames + list.j[p];
    const [r, c] = [residual[0][p], residual[1][p]];
    if (Math.hypot(r, c) > WRONG) continue;
    // derivatives of Σ e_i(x) · e_j(x + shift) at the pair's peak; 0 in the sum over all parts
    const mixed = rc[at] / 2;
    const ur = gradientRow[at] / 2 - rr[at] * r - mixed * c;
    const uc = gradientColumn[at] / 2 - mixed * r - cc[at] * c;
    const [a, b, d] = [curvature[0][p], curvature[1][p], curvature[2][p]];
    const determinant = a * d - b * b;
    row[p] = (d * ur - b * uc) / determinant;
    column[p] = (a * uc - b * ur) / determinant;
  }
  return [row, column];
}
