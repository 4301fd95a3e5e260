import { Pace, paceSteps } from '../backend/index.js';
import type { ImageStack } from '../stack/index.js';
import { correlateStack } from './correlateStack.js';
import type { PatternChange } from './driftVariance.js';
import { planEdgeFilter } from './edgeFilter.js';
import { fastSizeFrom } from './fftSize.js';
import { type FixedPattern, findFixedPattern } from './fixedPattern.js';
import { interpolateDrift } from './interpolateDrift.js';
import { pairResiduals, weightedMisfit } from './pairResiduals.js';
import { solveSteps } from './solveDrift.js';
import { type PixelCorrection, WindowCutter, type WindowPlace } from './windowCutter.js';
import { SpectraBuilder, type WindowSpectra } from './windowSpectra.js';

/** Frames that the pattern is found from. */
const SAMPLE = 72;
/** Coarser pixels than these make the Gaussian too narrow for the Sobel operator. */
const COARSEST = 4;
/** Fewer frames cannot tell the pattern from the sample. */
const LEAST = 12;
/** Pixels around the window and its margin that the pattern is found for, so that the window itself is well covered. */
const SURROUND = 32;

/** A pattern, at half the frames' resolution or at full, of a square region of the frames. */
export interface RegionPattern {
  readonly found: FixedPattern;
  /** Frames of the stack that it was found from. */
  readonly sampled: readonly number[];
  /** Upper left corner of the region, pixels of the frame. */
  readonly row: number;
  readonly column: number;
  /** Pixels of the frame that one of the pattern's stands for, a side. */
  readonly coarsen: number;
}

/** Why no pattern was looked for. */
export interface NoPattern {
  readonly reason: string;
}

export interface PatternSampleOptions {
  readonly sigma: number;
  readonly correction: PixelCorrection;
  readonly taper?: Float32Array | undefined;
  readonly minWeight: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Looks for a fixed pattern in up to 100 frames spread over the stack, in the window's surroundings. */
export async function sampleFixedPattern(
  stack: ImageStack,
  place: WindowPlace,
  options: PatternSampleOptions,
): Promise<RegionPattern | NoPattern> {
  const { sigma, correction, minWeight, signal, onProgress } = options;
  const [count, height, width] = stack.shape;
  if (count < LEAST) return { reason: `${count} frames are too few, ${LEAST} are needed` };
  // after a Gaussian of `sigma` nothing finer than this matters
  const coarsen = Math.max(1, Math.min(COARSEST, Math.floor(sigma)));
  const { margin } = planEdgeFilter(place.size, sigma);
  const side = Math.ceil((place.size + 2 * (margin + SURROUND)) / coarsen);
  const size = side * coarsen;
  const around = Math.floor((size - place.size) / 2);
  const region = { row: place.row - around, column: place.column - around, size };
  const cutter = new WindowCutter([height, width], region, 0, size, correction);
  const inside = insideFrame(region, coarsen, correction.valid, [height, width]);
  const looks = Math.min(SAMPLE, count);
  const frames: Float32Array[] = [];
  const full = new Float32Array(size * size);
  const pace = new Pace(signal, 'Looking for a fixed pattern');
  for (let k = 0; k < looks; k++) {
    await pace.next();
    cutter.cut(await stack.frame(Math.floor(((k + 0.5) * count) / looks), signal), full, 0);
    const logarithm = logarithmOf(full, size, coarsen, inside);
    if (!logarithm) return { reason: 'some frames hold values of 0 or less; a pattern is found in counts only' };
    frames.push(logarithm);
  }
  // a little larger than the window, where the fast size asks for it
  const inner = fastSizeFrom(place.size / coarsen);
  const window: WindowPlace = { row: Math.floor((side - inner) / 2), column: Math.floor((side - inner) / 2), size: inner };
  const taper = options.taper && resizeTaper(options.taper, place.size, inner);
  const counts: Float32Array[] = [];
  for (const logarithm of frames) {
    await pace.next();
    counts.push(logarithm.map(Math.exp));
  }
  const register = async (pattern: Float32Array) => {
    const spectra = await regionSpectra(counts, pattern, { side, place: window, sigma: sigma / coarsen, taper }, pace);
    const pairs = await correlateStack(spectra, { minWeight, signal });
    const solution = await paceSteps(solveSteps(pairs, { minWeight }), pace);
    return { ...solution, misfit: coarsen * weightedMisfit(pairs, pairResiduals(pairs, solution, minWeight)) };
  };
  const found = await findFixedPattern(frames, [side, side], register, {
    tolerance: 0.02 / coarsen,
    signal,
    onRound: (round, rounds) => onProgress?.(round, rounds),
  });
  const sampled = Array.from({ length: looks }, (_, k) => Math.floor(((k + 0.5) * count) / looks));
  return { found, sampled, row: region.row, column: region.column, coarsen };
}

/** 1 where a pixel of the coarsened region is a pixel of the frame, and no masked one. */
function insideFrame(
  { row, column, size }: WindowPlace,
  coarsen: number,
  valid: Uint8Array | undefined,
  [height, width]: readonly [number, number],
): Uint8Array {
  const side = size / coarsen;
  const out = new Uint8Array(side * side).fill(1);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const y = row + r;
      const x = column + c;
      const outside = y < 0 || x < 0 || y >= height || x >= width;
      if (outside || (valid && valid[y * width + x] === 0)) out[Math.floor(r / coarsen) * side + Math.floor(c / coarsen)] = 0;
    }
  }
  return out;
}

function logarithmOf(image: Float32Array, size: number, coarsen: number, inside: Uint8Array): Float32Array | undefined {
  const side = size / coarsen;
  const out = new Float32Array(side * side);
  let low = 0;
  let known = 0;
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++) out[Math.floor(r / coarsen) * side + Math.floor(c / coarsen)] += image[r * size + c];
  let sum = 0;
  for (let i = 0; i < out.length; i++) {
    if (!inside[i]) continue;
    sum += out[i];
    known++;
    if (!(out[i] > 0)) low++;
  }
  if (known === 0 || low > known / 1000) return undefined;
  const floor = (1e-3 * sum) / known;
  for (let i = 0; i < out.length; i++) out[i] = inside[i] ? Math.log(Math.max(floor, out[i]) / coarsen ** 2) : Number.NaN;
  return out;
}

function resizeTaper(taper: Float32Array, from: number, to: number): Float32Array {
  const out = new Float32Array(to * to);
  const at = (i: number): number => Math.min(from - 1, Math.floor(((i + 0.5) * from) / to));
  for (let r = 0; r < to; r++) for (let c = 0; c < to; c++) out[r * to + c] = taper[at(r) * from + at(c)];
  return out;
}

interface Region {
  /** Of the frames, pixels. */
  readonly side: number;
  readonly place: WindowPlace;
  readonly sigma: number;
  readonly taper: Float32Array | undefined;
}

async function regionSpectra(
  counts: readonly Float32Array[],
  pattern: Float32Array,
  { side, place, sigma, taper }: Region,
  pace: Pace,
): Promise<WindowSpectra> {
  const builder = new SpectraBuilder(counts.length, place.size, sigma, Math.min(64, Math.floor(place.size / 4)), taper);
  const { margin, fftSize } = builder.plan;
  const cutter = new WindowCutter([side, side], place, margin, fftSize, { gain: pattern.map((value) => Math.exp(-value)) });
  const batch = 10;
  try {
    for (let start = 0; start < counts.length; start += batch) {
      await pace.next();
      const part = counts.slice(start, start + batch);
      const padded = new Float32Array(part.length * fftSize * fftSize);
      for (const [k, image] of part.entries()) cutter.cut(image, padded, k * fftSize * fftSize);
      builder.add(
        padded,
        part.map((_, k) => start + k),
      );
    }
  } catch (error) {
    builder.finish(); // frees the filter
    throw error;
  }
  return builder.finish();
}

/**
 * Factor by which the frames are multiplied to take the pattern out: `exp(−logarithm)`, bilinear between its pixels.
 *
 * @returns float32 `[height, width]`, 1 outside the region.
 */
export function patternGain(pattern: RegionPattern, height: number, width: number): Float32Array {
  const { found, row, column, coarsen } = pattern;
  const out = new Float32Array(height * width).fill(1);
  const clamp = (value: number, n: number): number => Math.min(n - 1, Math.max(0, value));
  for (let r = 0; r < height; r++) {
    const y = (r - row + 0.5) / coarsen - 0.5;
    if (y < -0.5 || y > found.height - 0.5) continue;
    const y0 = clamp(Math.floor(y), found.height);
    const y1 = clamp(y0 + 1, found.height);
    const ty = clamp(y - y0, 2);
    for (let c = 0; c < width; c++) {
      const x = (c - column + 0.5) / coarsen - 0.5;
      if (x < -0.5 || x > found.width - 0.5) continue;
      const x0 = clamp(Math.floor(x), found.width);
      const x1 = clamp(x0 + 1, found.width);
      const tx = clamp(x - x0, 2);
      const at = (i: number, j: number): number => found.logarithm[i * found.width + j];
      out[r * width + c] = Math.exp(
        -((1 - ty) * ((1 - tx) * at(y0, x0) + tx * at(y0, x1)) + ty * ((1 - tx) * at(y1, x0) + tx * at(y1, x1))),
      );
    }
  }
  return out;
}

/** Pixels by which taking the pattern out moved each of `count` frames: as in the sampled ones, linear between them. */
export function changeByPattern({ found, sampled, coarsen }: RegionPattern, count: number): PatternChange | undefined {
  const { drift, driftBefore } = found;
  const places = [...sampled.keys()].filter((k) => drift.solved[k] && driftBefore.solved[k]);
  if (places.length === 0) return undefined;
  const axis = (name: 'row' | 'column'): Float64Array =>
    interpolateDrift(
      places.map((k) => sampled[k]),
      places.map((k) => coarsen * (drift[name][k] - driftBefore[name][k])),
      count,
    );
  return { row: axis('row'), column: axis('column') };
}
