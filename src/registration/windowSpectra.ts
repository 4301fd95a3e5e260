import type { Tensor3D } from '@tensorflow/tfjs';
import { readAll, rfft2d, tf } from '../backend/index.js';
import { EdgeFilter, largestStep, lowFrequencies, planEdgeFilter } from './edgeFilter.js';

/**
 * The low frequencies of the edge images' spectra: all that the correlations need. For frame m the values
 * `re[m · stride + k · (band + 1) + l]`, k = 0 … 2·band − 1 (negative frequencies from `band` on), l = 0 … band.
 * The Nyquist row and column are 0, so that every shift of them is exact.
 */
export interface WindowSpectra {
  readonly count: number;
  /** Highest frequency kept, in cycles per window. */
  readonly band: number;
  readonly windowSize: number;
  /** Values a frame: 2·band · (band + 1). */
  readonly stride: number;
  readonly re: Float32Array;
  readonly im: Float32Array;
}

/** Shifts a spectrum's frame: `out(x) = in(x + shift)`, by the phase e^{+i k · shift}. Writes `[re…, im…]` at `at` of `out`. */
export function shiftSpectrum(
  spectra: WindowSpectra,
  frame: number,
  shift: readonly [number, number],
  out: Float32Array,
  at: number,
): void {
  const { band, windowSize, stride, re, im } = spectra;
  const stored = band + 1;
  const unitRow = (2 * Math.PI * shift[0]) / windowSize;
  const unitColumn = (2 * Math.PI * shift[1]) / windowSize;
  const cosColumn = new Float64Array(stored);
  const sinColumn = new Float64Array(stored);
  for (let l = 0; l < stored; l++) {
    cosColumn[l] = Math.cos(unitColumn * l);
    sinColumn[l] = Math.sin(unitColumn * l);
  }
  const from = frame * stride;
  for (let k = 0; k < 2 * band; k++) {
    const angle = unitRow * (k < band ? k : k - 2 * band);
    const cosRow = Math.cos(angle);
    const sinRow = Math.sin(angle);
    for (let l = 0; l < stored; l++) {
      const c = cosRow * cosColumn[l] - sinRow * sinColumn[l];
      const s = sinRow * cosColumn[l] + cosRow * sinColumn[l];
      const i = k * stored + l;
      const a = re[from + i];
      const b = im[from + i];
      out[at + i] = a * c - b * s;
      out[at + stride + i] = a * s + b * c;
    }
  }
}

/** The same spectra with a lower band. */
export function narrowBand(spectra: WindowSpectra, band: number): WindowSpectra {
  if (band >= spectra.band) return spectra;
  const stride = 2 * band * (band + 1);
  const out = {
    ...spectra,
    band,
    stride,
    re: new Float32Array(spectra.count * stride),
    im: new Float32Array(spectra.count * stride),
  };
  for (let m = 0; m < spectra.count; m++) copyBand(spectra, m, out, m);
  return out;
}

function copyBand(source: WindowSpectra, from: number, target: WindowSpectra, to: number): void {
  const wide = source.band + 1;
  const stored = target.band + 1;
  for (let k = 0; k < 2 * target.band; k++) {
    if (k === target.band) continue; // Nyquist row
    const row = k < target.band ? k : k - 2 * target.band + 2 * source.band;
    const at = from * source.stride + row * wide;
    const put = to * target.stride + k * stored;
    // without the Nyquist column
    target.re.set(source.re.subarray(at, at + target.band), put);
    target.im.set(source.im.subarray(at, at + target.band), put);
  }
}

/** Edges weaker than this share of the largest pixel are rounding of single precision. */
const ROUNDING = 2e-6;

/** Collects the spectra of many frames, a batch at a time. */
export class SpectraBuilder {
  readonly #filter: EdgeFilter;
  readonly #spectra: WindowSpectra;
  readonly #taper: Tensor3D | undefined;

  /**
   * @param count frames to come.
   * @param windowSize side of the window, pixels.
   * @param sigma Gaussian width, pixels.
   * @param band highest frequency to keep, cycles per window.
   * @param taper float32 `[windowSize, windowSize]`, 0 … 1: weight of each pixel (masks and soft edges); default 1.
   */
  constructor(count: number, windowSize: number, sigma: number, band: number, taper?: Float32Array) {
    const step = largestStep(windowSize, sigma, band);
    this.#filter = new EdgeFilter(planEdgeFilter(windowSize, sigma, step));
    this.#taper = taper && everyNth(taper, windowSize, step);
    const stride = 2 * band * (band + 1);
    this.#spectra = {
      count,
      band,
      windowSize,
      stride,
      re: new Float32Array(count * stride),
      im: new Float32Array(count * stride),
    };
  }

  get plan(): EdgeFilter['plan'] {
    return this.#filter.plan;
  }

  /** Filters and transforms `padded` (`[B, fftSize, fftSize]`, see `WindowCutter`) into the places `frames`. */
  add(padded: Float32Array, frames: readonly number[]): void {
    const { fftSize, windowSize, step } = this.#filter.plan;
    const side = windowSize / step;
    const { band, stride } = this.#spectra;
    const scales = Float32Array.from(frames, (_, b) => ROUNDING * level(padded, b * fftSize ** 2, (b + 1) * fftSize ** 2));
    const [re, im] = readAll(() => {
      const edges = this.#filter.apply(tf.tensor3d(padded, [frames.length, fftSize, fftSize]));
      const taper = this.#taper;
      const mean = taper ? tf.div(tf.sum(tf.mul(edges, taper), [1, 2], true), tf.sum(taper)) : tf.mean(edges, [1, 2], true);
      const off = taper ? tf.mul(tf.sub(edges, mean), taper) : tf.sub(edges, mean);
      // a frame without any edge holds the transforms' rounding, which is the same in all such frames: it must not match
      const rounding = tf.tensor3d(scales, [frames.length, 1, 1]);
      const kept = tf.cast(tf.greater(tf.sqrt(tf.mean(tf.square(off), [1, 2], true)), rounding), 'float32');
      const low = lowFrequencies(rfft2d(off), side, 2 * band);
      // as many as all pixels would give
      const scale = tf.mul(kept, step ** 2);
      return [tf.mul(tf.real(low), scale), tf.mul(tf.imag(low), scale)];
    });
    for (const [b, m] of frames.entries()) {
      this.#spectra.re.set(re.subarray(b * stride, (b + 1) * stride), m * stride);
      this.#spectra.im.set(im.subarray(b * stride, (b + 1) * stride), m * stride);
      this.#clearNyquist(m);
    }
  }

  #clearNyquist(m: number): void {
    const { band, stride, re, im } = this.#spectra;
    const stored = band + 1;
    const at = m * stride;
    for (let k = 0; k < 2 * band; k++) {
      re[at + k * stored + band] = 0;
      im[at + k * stored + band] = 0;
    }
    re.fill(0, at + band * stored, at + (band + 1) * stored);
    im.fill(0, at + band * stored, at + (band + 1) * stored);
  }

  /** The spectra; frees the filter. */
  finish(): WindowSpectra {
    this.#filter.dispose();
    this.#taper?.dispose();
    return this.#spectra;
  }
}

/** A taper at the pixels 0, step, 2·step … of its window. */
function everyNth(taper: Float32Array, windowSize: number, step: number): Tensor3D {
  const side = windowSize / step;
  const out = new Float32Array(side * side);
  for (let r = 0; r < side; r++) for (let c = 0; c < side; c++) out[r * side + c] = taper[step * (r * windowSize + c)];
  return tf.tensor3d(out, [1, side, side]);
}

/** Largest magnitude of the values from `start` below `stop`, of every seventh: a frame without edges has no finer one. */
function level(values: Float32Array, start: number, stop: number): number {
  let most = 0;
  for (let i = start; i < stop; i += 7) most = Math.max(most, Math.abs(values[i]));
  return most;
}
