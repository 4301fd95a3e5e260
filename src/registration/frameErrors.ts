import { irfft2d, readOut, tf } from '../backend/index.js';
import { shiftSpectrum, type WindowSpectra } from './windowSpectra.js';

/** How far each frame lies from what the other frames predict, with its standard error. */
export interface FrameErrors {
  /** Step in pixels that would bring the frame onto the aligned sum of the others, `[M]`; NaN where there are no others. */
  readonly stepRow: Float64Array;
  readonly stepColumn: Float64Array;
  /** Variance of the frame's own position, px², from the scatter of disjoint parts of its window. */
  readonly varianceRow: Float64Array;
  readonly varianceColumn: Float64Array;
  /** Correlation of the frame with the aligned sum of the others, −1 … 1. */
  readonly agreement: Float64Array;
}

/** Parts a side of the window. */
const PARTS = 4;

/**
 * Standard error of each frame's drift, measured from disjoint parts of its window.
 *
 * Residuals of pairs cannot give it: the noise of a frame enters all its pairs alike and closes every loop. Here each
 * frame is compared with the weighted, aligned sum of the others in 4 × 4 parts of the window, by one Gauss–Newton step
 * each; noise, remains of a fixed pattern and local distortion differ from part to part, so the scatter of the parts gives
 * the variance of their mean (cluster-robust sandwich).
 *
 * @param spectra edge spectra of M frames.
 * @param drift M drifts, pixels; NaN: unknown, left out.
 * @param weight `[M, M]`, 0 … 1, symmetric in use: only i < j is read.
 * @param power power of the weight in the sum.
 */
export function frameErrors(
  spectra: WindowSpectra,
  drift: { readonly row: Float64Array; readonly column: Float64Array },
  weight: Float32Array,
  power: number,
): FrameErrors {
  const { count } = spectra;
  const out = {
    stepRow: new Float64Array(count).fill(Number.NaN),
    stepColumn: new Float64Array(count).fill(Number.NaN),
    varianceRow: new Float64Array(count).fill(Number.NaN),
    varianceColumn: new Float64Array(count).fill(Number.NaN),
    agreement: new Float64Array(count).fill(Number.NaN),
  };
  const side = 2 * spectra.band;
  const images = alignedImages(spectra, drift);
  const sums = weightedSums(images, weight, count, power, (m) => !Number.isNaN(drift.row[m]));
  const step = spectra.windowSize / side;
  for (let m = 0; m < count; m++) {
    if (Number.isNaN(drift.row[m])) continue;
    compare(images.subarray(m * side * side), sums.subarray(m * side * side), side, step, out, m);
  }
  return out;
}

/** The edge images, band-limited to `2·band` samples a side and brought into register. */
function alignedImages(
  spectra: WindowSpectra,
  drift: { readonly row: Float64Array; readonly column: Float64Array },
): Float32Array {
  const { count, band, stride } = spectra;
  const side = 2 * band;
  const images = new Float32Array(count * side * side);
  const batch = 32;
  const moved = new Float32Array(2 * stride);
  for (let start = 0; start < count; start += batch) {
    const frames = Math.min(batch, count - start);
    const re = new Float32Array(frames * stride);
    const im = new Float32Array(frames * stride);
    for (let b = 0; b < frames; b++) {
      if (Number.isNaN(drift.row[start + b])) continue;
      // out(x) = in(x + drift): the sample moves back to its place
      shiftSpectrum(spectra, start + b, [drift.row[start + b], drift.column[start + b]], moved, 0);
      re.set(moved.subarray(0, stride), b * stride);
      im.set(moved.subarray(stride), b * stride);
    }
    const shape: [number, number, number] = [frames, side, band + 1];
    images.set(
      readOut(() => irfft2d(tf.complex(tf.tensor3d(re, shape), tf.tensor3d(im, shape)))),
      start * side * side,
    );
  }
  return images;
}

function weightedSums(
  images: Float32Array,
  weight: Float32Array,
  count: number,
  power: number,
  known: (m: number) => boolean,
): Float32Array {
  const matrix = new Float32Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const value = known(i) && known(j) ? Math.max(0, Math.min(1, weight[i * count + j])) ** power : 0;
      if (!(value > 0)) continue;
      matrix[i * count + j] = value;
      matrix[j * count + i] = value;
    }
  }
  return readOut(() => tf.matMul(tf.tensor2d(matrix, [count, count]), tf.tensor2d(images, [count, images.length / count])));
}

function compare(
  image: Float32Array,
  model: Float32Array,
  side: number,
  step: number,
  out: { -readonly [K in keyof FrameErrors]: FrameErrors[K] },
  m: number,
): void {
  // amplitude of the model in this frame
  let mm = 0;
  let mi = 0;
  let ii = 0;
  for (let p = 0; p < side * side; p++) {
    mm += model[p] * model[p];
    mi += model[p] * image[p];
    ii += image[p] * image[p];
  }
  if (!(mm > 0 && ii > 0)) return;
  out.agreement[m] = mi / Math.sqrt(mm * ii);
  const amplitude = mi / mm;
  if (!(amplitude > 0)) return;
  const part = side / PARTS;
  // per part: the normal equations of the step, A·δ = b
  const normal = Array.from({ length: PARTS * PARTS }, () => ({ rr: 0, rc: 0, cc: 0, br: 0, bc: 0 }));
  // one sample off the window's edge, where the periodic image jumps
  for (let r = 1; r < side - 1; r++) {
    for (let c = 1; c < side - 1; c++) {
      const p = r * side + c;
      const gr = (amplitude * (model[p + side] - model[p - side])) / (2 * step);
      const gc = (amplitude * (model[p + 1] - model[p - 1])) / (2 * step);
      const rest = amplitude * model[p] - image[p]; // image(x) ≈ model(x − δ): rest = ∇·δ
      const n = normal[Math.floor(r / part) * PARTS + Math.floor(c / part)];
      n.rr += gr * gr;
      n.rc += gr * gc;
      n.cc += gc * gc;
      n.br += gr * rest;
      n.bc += gc * rest;
    }
  }
  let [rr, rc, cc, br, bc] = [0, 0, 0, 0, 0];
  for (const n of normal) {
    rr += n.rr;
    rc += n.rc;
    cc += n.cc;
    br += n.br;
    bc += n.bc;
  }
  const determinant = rr * cc - rc * rc;
  if (!(determinant > 0)) return;
  const dr = (cc * br - rc * bc) / determinant;
  const dc = (rr * bc - rc * br) / determinant;
  // scores of the parts about the common step: their sum is 0, their scatter the variance of the sum
  let [srr, src, scc] = [0, 0, 0];
  for (const n of normal) {
    const ur = n.br - n.rr * dr - n.rc * dc;
    const uc = n.bc - n.rc * dr - n.cc * dc;
    srr += ur * ur;
    src += ur * uc;
    scc += uc * uc;
  }
  const scale = normal.length / (normal.length - 1) / determinant ** 2;
  out.stepRow[m] = dr;
  out.stepColumn[m] = dc;
  out.varianceRow[m] = scale * (cc * cc * srr - 2 * cc * rc * src + rc * rc * scc);
  out.varianceColumn[m] = scale * (rr * rr * scc - 2 * rr * rc * src + rc * rc * srr);
}
