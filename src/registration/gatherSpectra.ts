import { breathe, Pace } from '../backend/index.js';
import { type Operation, runOperation } from '../host.js';
import { type ImageStack, isIntegerType, type PixelArray } from '../stack/index.js';
import { type PixelCorrection, WindowCutter, type WindowPlace } from './windowCutter.js';
import { SpectraBuilder, type WindowSpectra } from './windowSpectra.js';

/** Smallest and largest value, over all frames and of each, `[M]`. */
export interface PixelRange {
  readonly least: number;
  readonly most: number;
}

export interface GatherOptions {
  readonly window: WindowPlace;
  readonly sigma: number;
  readonly correction: PixelCorrection;
  readonly taper?: Float32Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly seconds?: { read: number; filter: number };
}

/** Highest frequency kept: what a Gaussian of `sigma` leaves above it is below a fiftieth in energy, a thousandth in a product of two. */
export function bandOf(windowSize: number, sigma: number): number {
  // power e^(−(2πσk/N)²) of one image; 2 in the exponent's root leaves 0.02
  const cut = sigma > 0 ? (2 * windowSize) / (2 * Math.PI * sigma) : windowSize / 2;
  const grids = [8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128];
  const most = Math.min(128, Math.floor(windowSize / 2));
  return grids.filter((b) => b <= most).find((b) => b >= Math.min(cut, most)) ?? Math.max(...grids.filter((b) => b <= most));
}

/** Frames that go through the filter together. */
const BATCH = 8;

/** Reads all frames of a stack once and keeps the low frequencies of their edge images; reading overlaps with filtering. */
export async function gatherSpectra(
  stack: ImageStack,
  options: GatherOptions,
): Promise<{ spectra: WindowSpectra; range: PixelRange }> {
  const { signal, onProgress } = options;
  return runOperation({ label: 'Filtering frames', unit: 'frames', signal, onProgress }, (operation) =>
    gather(stack, options, operation),
  );
}

async function gather(
  stack: ImageStack,
  options: GatherOptions,
  { signal, progress }: Operation,
): Promise<{ spectra: WindowSpectra; range: PixelRange }> {
  const { window, sigma, correction, taper, seconds = { read: 0, filter: 0 } } = options;
  const [count, height, width] = stack.shape;
  const builder = new SpectraBuilder(count, window.size, sigma, bandOf(window.size, sigma), taper);
  const { margin, fftSize } = builder.plan;
  const cutter = new WindowCutter([height, width], window, margin, fftSize, correction);
  const padded = new Float32Array(BATCH * fftSize * fftSize);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  const read = (start: number) => {
    const places = Array.from({ length: Math.min(BATCH, count - start) }, (_, k) => start + k);
    const frames = Promise.all(places.map((n) => stack.frame(n, signal)));
    frames.catch(() => {}); // reported when it is awaited
    return frames;
  };
  const pace = new Pace(signal, 'Filtering the frames');
  let next: ReturnType<typeof read> | undefined = read(0);
  try {
    for (let start = 0; start < count; start += BATCH) {
      await pace.next();
      const begin = performance.now();
      const frames = await (next as ReturnType<typeof read>);
      next = start + BATCH < count ? read(start + BATCH) : undefined;
      const middle = performance.now();
      for (const [k, pixels] of frames.entries()) {
        const range = rangeOf(pixels);
        least = Math.min(least, range.least);
        most = Math.max(most, range.most);
        cutter.cut(pixels, padded, k * fftSize * fftSize);
        await pace.next();
      }
      builder.add(
        padded.subarray(0, frames.length * fftSize * fftSize),
        frames.map((_, k) => start + k),
      );
      seconds.read += (middle - begin) / 1000;
      seconds.filter += (performance.now() - middle) / 1000;
      progress(start + frames.length, count);
      await breathe();
    }
  } catch (error) {
    builder.finish(); // frees the filter
    throw error;
  }
  if (!isIntegerType(stack.info.pixelType) && least > most) {
    least = 0;
    most = 0;
  }
  return { spectra: builder.finish(), range: { least, most } };
}

function rangeOf(pixels: PixelArray): PixelRange {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}
