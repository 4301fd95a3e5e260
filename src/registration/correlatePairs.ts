import { irfft2d, readOut, sliceComplex, tf } from '../backend/index.js';
import type { WindowSpectra } from './windowSpectra.js';

/** Coarse correlation peaks of frames `rows` against frames `columns`. */
export interface CoarsePeaks {
  /** Position of the maximum, pixels, `[rows, columns]` row by row: `drift[j] − drift[i]` to about a grid step. */
  readonly shiftRow: Float32Array;
  readonly shiftColumn: Float32Array;
  /** Height of the maximum, in units of `selfCorrelations`. */
  readonly height: Float32Array;
}

/** Bands of the coarse search: half the side of a fast transform. */
export const COARSE_BANDS: readonly number[] = [8, 12, 16, 24, 32, 48, 64, 96, 128];

/** A range of frames: from `start` below `stop`. */
export interface FrameRange {
  readonly start: number;
  readonly stop: number;
}

function spectraTensor(spectra: WindowSpectra, { start, stop }: FrameRange, conjugate: boolean) {
  const { band, stride, re, im } = spectra;
  const shape: [number, number, number] = [stop - start, 2 * band, band + 1];
  const part = (values: Float32Array) => tf.tensor3d(values.subarray(start * stride, stop * stride), shape);
  return tf.tidy(() => tf.complex(part(re), conjugate ? tf.neg(part(im)) : part(im)));
}

/**
 * Place and height of the cross-correlation's maximum for a block of pairs (the paper's section 3.2, step 3): one real
 * inverse FFT of size `2·band` a pair, then the maximum and a parabola through its neighbors. Plain tensor operations;
 * `correlateStack` does the same ten times faster with `PairCorrelator`.
 *
 * @param spectra edge spectra, usually narrowed to the band that carries most of their energy.
 * @param rows frames i of the pairs; `columns` frames j.
 * @param wanted whether the pair (i, j) is to be computed; others are left 0.
 * @returns peaks `[rows, columns]`; accurate to a few tenths of the grid step `windowSize / (2·band)`.
 */
export function coarsePeaks(
  spectra: WindowSpectra,
  rows: FrameRange,
  columns: FrameRange,
  wanted: (i: number, j: number) => boolean,
): CoarsePeaks {
  const height = rows.stop - rows.start;
  const width = columns.stop - columns.start;
  const out = {
    shiftRow: new Float32Array(height * width),
    shiftColumn: new Float32Array(height * width),
    height: new Float32Array(height * width),
  };
  const side = 2 * spectra.band;
  const step = spectra.windowSize / side;
  tf.tidy(() => {
    const all = spectraTensor(spectra, columns, false);
    for (let i = rows.start; i < rows.stop; i++) {
      const first = firstWanted(i, columns, wanted);
      if (first === columns.stop) continue;
      const values = readOut(() => {
        const one = spectraTensor(spectra, { start: i, stop: i + 1 }, true);
        const many = first === columns.start ? all : sliceComplex(all, [first - columns.start, 0, 0], [-1, -1, -1]);
        return irfft2d(tf.mul(one, many));
      });
      for (let j = first; j < columns.stop; j++) {
        if (!wanted(i, j)) continue;
        const at = (i - rows.start) * width + (j - columns.start);
        locateMaximum(values, (j - first) * side * side, side, step, out, at);
      }
    }
  });
  return out;
}

function firstWanted(i: number, columns: FrameRange, wanted: (i: number, j: number) => boolean): number {
  let j = columns.start;
  while (j < columns.stop && !wanted(i, j)) j++;
  return j;
}

/** Vertex of the parabola through three equidistant values, in steps from the middle one; within ±0.5 at a maximum. */
function parabola(left: number, middle: number, right: number): number {
  const curvature = left - 2 * middle + right;
  return curvature < 0 ? Math.max(-0.5, Math.min(0.5, (left - right) / (2 * curvature))) : 0;
}

function locateMaximum(
  values: Float32Array,
  from: number,
  side: number,
  step: number,
  out: { shiftRow: Float32Array; shiftColumn: Float32Array; height: Float32Array },
  at: number,
): void {
  let best = from;
  let top = Number.NEGATIVE_INFINITY;
  const end = from + side * side;
  for (let i = from; i < end; i++) {
    if (values[i] > top) {
      top = values[i];
      best = i;
    }
  }
  const row = Math.floor((best - from) / side);
  const column = (best - from) % side;
  // the correlation is periodic: neighbors wrap around, positions beyond the middle are negative
  const up = values[from + ((row + side - 1) % side) * side + column];
  const down = values[from + ((row + 1) % side) * side + column];
  const left = values[from + row * side + ((column + side - 1) % side)];
  const right = values[from + row * side + ((column + 1) % side)];
  out.shiftRow[at] = ((row < side / 2 ? row : row - side) + parabola(up, top, down)) * step;
  out.shiftColumn[at] = ((column < side / 2 ? column : column - side) + parabola(left, top, right)) * step;
  out.height[at] = top * side * side; // the inverse FFT divides by the number of its points
}
