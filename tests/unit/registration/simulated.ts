import { expect } from 'vitest';
import { countTensors } from '../../../src/backend/index.js';
import type { DriftTable } from '../../../src/registration/index.js';
import { ImageStack, type PixelArray, type StackInfo } from '../../../src/stack/index.js';
import { type GrapheneSeriesOptions, simulateGrapheneSeries } from '../../../src/synthetic/index.js';

/** A simulated series in memory, and where its sample truly is. */
export interface KnownSeries {
  readonly stack: ImageStack;
  readonly frames: readonly Uint16Array[];
  readonly row: Float64Array;
  readonly column: Float64Array;
  /** The same drift with the frames' pixels changed. */
  as(change: (pixels: Uint16Array, n: number) => PixelArray, info?: Partial<StackInfo>): ImageStack;
}

/** A series between two inversions, so that every frame has contrast; 40 % of the default noise unless `options` say otherwise. */
export function knownSeries(options: GrapheneSeriesOptions = {}): KnownSeries {
  const series = simulateGrapheneSeries({
    frames: 16,
    height: 150,
    width: 164,
    energies: [5, 6.5],
    driftPixels: 8,
    noise: 0.025,
    fixedPattern: 0,
    vignetting: 0.2,
    seed: 11,
    ...options,
  });
  const { height, width, frames: count, axis } = series.info;
  const frames = Array.from({ length: count }, (_, n) => series.frame(n));
  const as: KnownSeries['as'] = (change, info = {}) =>
    ImageStack.fromFrames(
      frames.map((pixels, n) => change(pixels, n)),
      [height, width],
      { axis, ...info },
    );
  const axisOf = (k: number): Float64Array => Float64Array.from({ length: count }, (_, n) => series.truth.drift[2 * n + k]);
  return { stack: as((pixels) => pixels), frames, row: axisOf(0), column: axisOf(1), as };
}

/** Distances of a drift from the true one, both relative to the mean over `which` frames, pixels. */
export function driftErrors(
  drift: Pick<DriftTable, 'row' | 'column'>,
  truth: { readonly row: ArrayLike<number>; readonly column: ArrayLike<number> },
  which: readonly number[] = Array.from(drift.row, (_, n) => n),
): Float64Array {
  const mean = (found: Float64Array, known: ArrayLike<number>): number =>
    which.reduce((sum, n) => sum + found[n] - known[n], 0) / which.length;
  const [r, c] = [mean(drift.row, truth.row), mean(drift.column, truth.column)];
  return Float64Array.from(which, (n) => Math.hypot(drift.row[n] - truth.row[n] - r, drift.column[n] - truth.column[n] - c));
}

export function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

/** Runs `work` and checks that it leaves no tensor behind. */
export async function withoutLeak<T>(work: () => Promise<T> | T): Promise<T> {
  const before = countTensors();
  const result = await work();
  expect(countTensors(), 'tensors left behind').toBe(before);
  return result;
}
