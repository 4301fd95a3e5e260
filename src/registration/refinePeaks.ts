import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { readAll, tf } from '../backend/index.js';
import { fitOwnPositions, fitPositions, furthest } from './blockPositions.js';
import { climbPeak } from './climbPeak.js';
import type { FrameRange } from './correlatePairs.js';
import { shiftSpectrum, type WindowSpectra } from './windowSpectra.js';

/** Refined peaks of a block of pairs, `[rows, columns]` row by row. */
export interface RefinedPeaks {
  /** `drift[j] − drift[i]`, pixels. */
  readonly shiftRow: Float32Array;
  readonly shiftColumn: Float32Array;
  /** Height of the correlation there, in units of {@link selfCorrelations}. */
  readonly height: Float32Array;
}

/** Orders of the Taylor polynomial: x^a · y^b with a + b up to 4. */
const ORDER = 4;
const TERMS: readonly (readonly [number, number])[] = (() => {
  const terms: [number, number][] = [];
  for (let n = 0; n <= ORDER; n++) for (let a = n; a >= 0; a--) terms.push([a, n - a]);
  return terms;
})();
const EVEN = TERMS.filter(([a, b]) => (a + b) % 2 === 0);
const ODD = TERMS.filter(([a, b]) => (a + b) % 2 === 1);
const FACTORIAL = [1, 1, 2, 6, 24];

/**
 * Weights `[terms, 1, 2 · stride]` of the moments, for real and imaginary parts side by side. Frequencies are in units of
 * `band`, so that all moments have one magnitude; the half of the spectrum that is not stored counts through the factor 2.
 */
function momentWeights(spectra: WindowSpectra, terms: readonly (readonly [number, number])[]): Float32Array {
  const { band, stride } = spectra;
  const stored = band + 1;
  const out = new Float32Array(terms.length * 2 * stride);
  for (const [t, [a, b]] of terms.entries()) {
    const scale = 1 / (FACTORIAL[a] * FACTORIAL[b]);
    for (let k = 0; k < 2 * band; k++) {
      const row = ((k < band ? k : k - 2 * band) / band) ** a;
      for (let l = 0; l < stored; l++) {
        const value = scale * row * (l / band) ** b * (l === 0 ? 1 : 2);
        out[t * 2 * stride + k * stored + l] = value;
        out[t * 2 * stride + stride + k * stored + l] = value;
      }
    }
  }
  return out;
}

/** Positions of a block's frames along rows and columns of the image. */
interface Positions {
  readonly vertical: { readonly row: Float64Array; readonly column: Float64Array };
  readonly horizontal: { readonly row: Float64Array; readonly column: Float64Array };
}

/** The row frames of a run of blocks, in register and multiplied by the weights of all moments. */
interface WeightedRows {
  readonly start: number;
  readonly vertical: Float64Array;
  readonly horizontal: Float64Array;
  readonly even: Tensor2D;
  readonly odd: Tensor2D;
}

/** Pixels by which the fit of a block's positions may improve before the moments are taken anew about the better ones. */
const CLOSE = 0.75;

/** Refines blocks of pairs; what blocks of the same rows share is kept until {@link PeakRefiner.dispose}. */
export class PeakRefiner {
  readonly #spectra: WindowSpectra;
  readonly #even: Tensor3D;
  readonly #odd: Tensor3D;
  /** Pixels within which the polynomial of fourth order holds. */
  readonly #radius: number;
  #rows: WeightedRows | undefined;
  #anchor: { readonly start: number; readonly vertical: Float64Array; readonly horizontal: Float64Array } | undefined;

  constructor(spectra: WindowSpectra) {
    this.#spectra = spectra;
    const { stride } = spectra;
    this.#even = tf.tensor3d(momentWeights(spectra, EVEN), [EVEN.length, 1, 2 * stride]);
    this.#odd = tf.tensor3d(momentWeights(spectra, ODD), [ODD.length, 1, 2 * stride]);
    // the correlation of edge images is about as wide as its highest strong frequencies are long
    this.#radius = (1.2 * spectra.windowSize) / (Math.PI * spectra.band);
  }

  dispose(): void {
    this.#even.dispose();
    this.#odd.dispose();
    this.#dropRows();
  }

  #dropRows(): void {
    this.#rows?.even.dispose();
    this.#rows?.odd.dispose();
    this.#rows = undefined;
  }

  /**
   * Sub-pixel peaks of a block of pairs. The frames of the block are brought into register by one fit of their coarse
   * shifts; then the correlation's Taylor polynomial of fourth order about zero shift, exact in the band, comes for all
   * pairs at once from two matrix products, and Newton's method climbs it. Pairs whose coarse peak lies elsewhere are
   * refined one by one. Blocks of the same rows are fastest one after the other, with an {@link anchor} from the first.
   *
   * @param use which pairs `[rows, columns]` to refine; others keep their coarse values and a height of 0.
   * @param coarse coarse shifts, pixels, `[rows, columns]`.
   * @returns peaks; where the refinement leaves its range, the coarse shift stays.
   */
  refine(
    rows: FrameRange,
    columns: FrameRange,
    coarse: { readonly shiftRow: Float32Array; readonly shiftColumn: Float32Array },
    use: Uint8Array,
  ): RefinedPeaks {
    const height = rows.stop - rows.start;
    const width = columns.stop - columns.start;
    const out: RefinedPeaks = {
      shiftRow: coarse.shiftRow.slice(),
      shiftColumn: coarse.shiftColumn.slice(),
      height: new Float32Array(height * width),
    };
    let apart: number[] = [];
    const onDiagonal = rows.start === columns.start;
    let positions = this.#fit(rows, columns, out, use, onDiagonal);
    for (let pass = 0; pass < 3; pass++) {
      apart = this.#climbAll(rows, columns, positions, coarse, use, out);
      const better = this.#fit(rows, columns, out, use, onDiagonal);
      const change = Math.max(furthest(positions.vertical, better.vertical), furthest(positions.horizontal, better.horizontal));
      if (change < CLOSE) break;
      positions = better;
    }
    this.#refineApart(rows, columns, coarse, apart, out);
    return out;
  }

  /** Positions of a run of rows, from the peaks of their own block: the blocks beside it are refined about them. */
  anchor(
    rows: FrameRange,
    peaks: { readonly shiftRow: Float32Array; readonly shiftColumn: Float32Array },
    use: Uint8Array,
  ): void {
    const count = rows.stop - rows.start;
    this.#anchor = {
      start: rows.start,
      vertical: fitOwnPositions(peaks.shiftRow, use, count).row,
      horizontal: fitOwnPositions(peaks.shiftColumn, use, count).row,
    };
  }

  /** Positions of the block's frames; those of the rows stay what {@link anchor} made them. */
  #fit(rows: FrameRange, columns: FrameRange, peaks: RefinedPeaks, use: Uint8Array, onDiagonal: boolean): Positions {
    const height = rows.stop - rows.start;
    const width = columns.stop - columns.start;
    if (onDiagonal) {
      return {
        vertical: fitOwnPositions(peaks.shiftRow, use, height),
        horizontal: fitOwnPositions(peaks.shiftColumn, use, height),
      };
    }
    const known = this.#anchor?.start === rows.start ? this.#anchor : undefined;
    return {
      vertical: fitPositions(peaks.shiftRow, use, height, width, known?.vertical),
      horizontal: fitPositions(peaks.shiftColumn, use, height, width, known?.horizontal),
    };
  }

  /** Climbs from the fitted positions; gives the pairs that lie elsewhere. */
  #climbAll(
    rows: FrameRange,
    columns: FrameRange,
    { vertical, horizontal }: Positions,
    coarse: { readonly shiftRow: Float32Array; readonly shiftColumn: Float32Array },
    use: Uint8Array,
    out: RefinedPeaks,
  ): number[] {
    const height = rows.stop - rows.start;
    const width = columns.stop - columns.start;
    const grid = this.#spectra.windowSize / (2 * this.#spectra.band);
    const { even, odd } = this.#moments(rows, columns, { vertical, horizontal });
    const peak = { x: 0, y: 0, value: 0 };
    const apart: number[] = [];
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const at = i * width + j;
        if (!use[at]) continue;
        const baseRow = vertical.column[j] - vertical.row[i];
        const baseColumn = horizontal.column[j] - horizontal.row[i];
        const far = Math.hypot(coarse.shiftRow[at] - baseRow, coarse.shiftColumn[at] - baseColumn) > this.#radius + grid;
        if (far || !climbPeak(this.#polynomial(even, odd, at, height * width), this.#radius, peak)) {
          apart.push(at);
          continue;
        }
        out.shiftRow[at] = baseRow + peak.x;
        out.shiftColumn[at] = baseColumn + peak.y;
        out.height[at] = peak.value;
      }
    }
    return apart;
  }

  /** Coefficients of the polynomial in pixels. */
  #polynomial(even: Float32Array, odd: Float32Array, at: number, pairs: number): Float64Array {
    // frequencies are in units of the band
    const unit = (2 * Math.PI * this.#spectra.band) / this.#spectra.windowSize;
    const coefficients = COEFFICIENTS;
    let e = 0;
    let o = 0;
    for (const [t, [a, b]] of TERMS.entries()) {
      const n = a + b;
      // i^n: real for even n with sign + − +, and through the imaginary part, −·Im, +·Im, for odd n
      const sign = n === 1 || n === 2 ? -1 : 1;
      const moment = n % 2 === 0 ? even[e++ * pairs + at] : odd[o++ * pairs + at];
      coefficients[t] = sign * moment * unit ** n;
    }
    return coefficients;
  }

  #moments(rows: FrameRange, columns: FrameRange, positions: Positions): { even: Float32Array; odd: Float32Array } {
    const { stride } = this.#spectra;
    const { vertical, horizontal } = positions;
    const width = columns.stop - columns.start;
    const weighted = this.#weightedRows(rows, positions);
    const b = new Float32Array(width * 2 * stride);
    const crossed = new Float32Array(b.length);
    for (let j = 0; j < width; j++) {
      const at = j * 2 * stride;
      shiftSpectrum(this.#spectra, columns.start + j, [vertical.column[j], horizontal.column[j]], b, at);
      // conj(A)·B: real part Ar·Br + Ai·Bi, imaginary part Ar·Bi − Ai·Br
      crossed.set(b.subarray(at + stride, at + 2 * stride), at);
      for (let s = 0; s < stride; s++) crossed[at + stride + s] = -b[at + s];
    }
    const [even, odd] = readAll(() =>
      [
        [weighted.even, b],
        [weighted.odd, crossed],
      ].map(([left, right]) => tf.matMul(left as Tensor2D, tf.tensor2d(right as Float32Array, [width, 2 * stride]), false, true)),
    );
    return { even, odd };
  }

  #weightedRows(rows: FrameRange, { vertical, horizontal }: Positions): WeightedRows {
    const same = (a: Float64Array, b: Float64Array): boolean => a === b || a.every((value, i) => value === b[i]);
    const known = this.#rows;
    if (known?.start === rows.start && same(known.vertical, vertical.row) && same(known.horizontal, horizontal.row)) return known;
    this.#dropRows();
    const { stride } = this.#spectra;
    const height = rows.stop - rows.start;
    const a = new Float32Array(height * 2 * stride);
    for (let i = 0; i < height; i++) {
      shiftSpectrum(this.#spectra, rows.start + i, [vertical.row[i], horizontal.row[i]], a, i * 2 * stride);
    }
    const [even, odd] = tf.tidy(() => {
      const left = tf.tensor3d(a, [1, height, 2 * stride]);
      return [this.#even, this.#odd].map((weights) => tf.mul(left, weights).reshape([-1, 2 * stride]) as Tensor2D);
    });
    this.#rows = { start: rows.start, vertical: vertical.row.slice(), horizontal: horizontal.row.slice(), even, odd };
    return this.#rows;
  }

  /** Pairs that do not fit the block: each about its own coarse peak. */
  #refineApart(
    rows: FrameRange,
    columns: FrameRange,
    coarse: { readonly shiftRow: Float32Array; readonly shiftColumn: Float32Array },
    apart: readonly number[],
    out: RefinedPeaks,
  ): void {
    const { stride, re, im } = this.#spectra;
    const width = columns.stop - columns.start;
    const peak = { x: 0, y: 0, value: 0 };
    const batch = 64;
    const shifted = new Float32Array(2 * stride);
    for (let start = 0; start < apart.length; start += batch) {
      const pairs = apart.slice(start, start + batch);
      // conj(F_i)·F_j with F_j moved by the coarse shift: [Re, Im]
      const cross = new Float32Array(pairs.length * 2 * stride);
      for (const [p, at] of pairs.entries()) {
        const i = (rows.start + Math.floor(at / width)) * stride;
        shiftSpectrum(this.#spectra, columns.start + (at % width), [coarse.shiftRow[at], coarse.shiftColumn[at]], shifted, 0);
        const to = p * 2 * stride;
        for (let s = 0; s < stride; s++) {
          cross[to + s] = re[i + s] * shifted[s] + im[i + s] * shifted[stride + s];
          cross[to + stride + s] = re[i + s] * shifted[stride + s] - im[i + s] * shifted[s];
        }
      }
      const [even, odd] = readAll(() => {
        const both = tf.tensor3d(cross, [pairs.length, 2, stride]);
        const sum = (weights: typeof both, part: number) =>
          tf.matMul(
            weights.slice([0, 0, 0], [-1, 1, stride]).reshape([-1, stride]),
            both.slice([0, part, 0], [-1, 1, stride]).reshape([-1, stride]),
            false,
            true,
          );
        return [sum(this.#even, 0), sum(this.#odd, 1)];
      });
      for (const [p, at] of pairs.entries()) {
        const inside = climbPeak(this.#polynomial(even, odd, p, pairs.length), this.#radius, peak);
        out.shiftRow[at] = coarse.shiftRow[at] + (inside ? peak.x : 0);
        out.shiftColumn[at] = coarse.shiftColumn[at] + (inside ? peak.y : 0);
        out.height[at] = inside ? peak.value : even[p];
      }
    }
  }
}

const COEFFICIENTS = new Float64Array(TERMS.length);

/** Height of each frame's correlation with itself: normalizes the heights of its pairs. */
export function selfCorrelations(spectra: WindowSpectra): Float64Array {
  const { count, band, stride, re, im } = spectra;
  const stored = band + 1;
  const out = new Float64Array(count);
  for (let m = 0; m < count; m++) {
    let sum = 0;
    for (let s = 0; s < stride; s++) {
      const power = re[m * stride + s] ** 2 + im[m * stride + s] ** 2;
      sum += s % stored === 0 ? power : 2 * power;
    }
    out[m] = sum;
  }
  return out;
}
