import { breathe, irfft2d, readAll, readOut, rfft2d, tf } from '../backend/index.js';
import { fastSizeFrom } from './fftSize.js';
import type { FixedPattern, SampleDrift } from './fixedPattern.js';
import { type FrameSpectra, PatternSeparator, type PatternSpectrum } from './patternSpectrum.js';

export interface StandingPatternOptions {
  /** Components of the sample's model, its mean included. Default 6: 4 to 8 give the same to a tenth. */
  readonly components?: number;
  /** What is wider than a Gaussian of this many pixels is left out: illumination. Default 6. */
  readonly smooth?: number;
  /** Registrations at most. Default 5. */
  readonly maxRounds?: number;
  /** Rounds end when no drift changes by more, pixels of the frames. Default 0.02. */
  readonly tolerance?: number;
  readonly onRound?: ((round: number, rounds: number) => void) | undefined;
}

/** A pattern, and what it did to the drifts. */
export interface StandingPattern extends FixedPattern {
  /** Drifts before anything was taken out. */
  readonly driftBefore: SampleDrift;
}

/** Pixels over which the region's edge fades out. */
const RAMP = 6;
/**
 * Finds what stands still on the detector while the sample drifts: spots, scratches, fibers.
 *
 * Works on logarithms. Given drifts, {@link PatternSeparator} tells the pattern from a sample of a few components, each
 * frequency on its own; without the pattern the frames register better, which gives better drifts, and so on.
 *
 * @param frames logarithms of the counts, `[height, width]` each, of a sample of the series; NaN: no such pixel.
 * @param register gives the drifts of frames that were divided by the pattern so far.
 * @returns the pattern; {@link FixedPattern.reliability} says whether there is one.
 */
export async function findStandingPattern(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  register: (pattern: Float32Array) => Promise<SampleDrift>,
  options: StandingPatternOptions = {},
): Promise<StandingPattern> {
  const { components = 6, smooth = 6, maxRounds = 5, tolerance = 0.02, onRound } = options;
  const region = new FineFrames(frames, shape, smooth);
  const separator = new PatternSeparator(region.spectra, components);
  let pattern: Float32Array = new Float32Array(shape[0] * shape[1]);
  let drift = await register(pattern);
  const driftBefore = drift;
  const misfitBefore = drift.misfit;
  let change = Number.POSITIVE_INFINITY;
  let rounds = 0;
  let reliability = 0;
  while (rounds < maxRounds && change > tolerance) {
    const used = [...drift.solved.keys()].filter((n) => drift.solved[n]);
    if (used.length < 2) break;
    separator.separate(drift, used);
    // the second time with components that are free of the pattern; what was filled in stays for the later rounds
    region.fillBeyond(used, separator.predict(drift));
    const spectrum = separator.separate(drift, used);
    reliability = separator.agreement(drift, splitByPlace(used, drift), region.measured);
    pattern = region.image(spectrum);
    await breathe();
    const next = await register(pattern);
    change = largestChange(drift, next);
    drift = next;
    rounds++;
    onRound?.(rounds, maxRounds);
  }
  const strength = Math.sqrt(pattern.reduce((sum, value) => sum + value * value, 0) / pattern.length);
  const found = { strength, reliability, rounds, change: Number.isFinite(change) ? change : 0, misfitBefore, drift, driftBefore };
  return { logarithm: pattern, height: shape[0], width: shape[1], ...found };
}

/** 1 where all frames have a pixel. */
function knownInAll(frames: readonly Float32Array[]): Uint8Array {
  const known = new Uint8Array(frames[0]?.length ?? 0).fill(1);
  for (const frame of frames) for (let i = 0; i < frame.length; i++) if (Number.isNaN(frame[i])) known[i] = 0;
  return known;
}

/** 1 inside the region that all frames cover, down to 0 at its edges. */
function fadeOut(known: Uint8Array, [height, width]: readonly [number, number]): Float32Array {
  return Float32Array.from(edgeDistance(known, height, width), (value) => {
    const t = (value - 0.5) / RAMP;
    return t <= 0 ? 0 : t >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * t);
  });
}

/** Chessboard distance of each known pixel from the nearest unknown one, or from beyond the region; two sweeps. */
function edgeDistance(known: Uint8Array, height: number, width: number): Float32Array {
  const out = new Float32Array(height * width);
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r >= height || c >= width ? 0 : out[r * width + c]);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const before = Math.min(at(r - 1, c - 1), at(r - 1, c), at(r - 1, c + 1), at(r, c - 1));
      out[r * width + c] = known[r * width + c] ? before + 1 : 0;
    }
  }
  for (let r = height - 1; r >= 0; r--) {
    for (let c = width - 1; c >= 0; c--) {
      const after = Math.min(at(r + 1, c - 1), at(r + 1, c), at(r + 1, c + 1), at(r, c + 1));
      out[r * width + c] = Math.min(out[r * width + c], after + 1);
    }
  }
  return out;
}

/**
 * Frames without what is smooth (illumination would leak into all frequencies), in a larger periodic square. Beyond the
 * region they are faded out at first, then what the model says there, so that no edge stands still.
 */
class FineFrames {
  readonly spectra: FrameSpectra;
  /** The same without anything filled in. */
  readonly measured: FrameSpectra;
  readonly #shape: readonly [number, number];
  /** Pixel of the square for each pixel of the region; −1 where there is none. */
  readonly #place: Int32Array;
  readonly #images: readonly Float32Array[];

  constructor(frames: readonly Float32Array[], shape: readonly [number, number], smooth: number) {
    const [height, width] = shape;
    this.#shape = shape;
    const side = Math.max(height, width);
    const size = fastSizeFrom(side + Math.max(16, Math.ceil(side / 8)));
    const known = knownInAll(frames);
    const fade = fadeOut(known, shape);
    this.#place = Int32Array.from(known, (is, i) => (is ? Math.floor(i / width) * size + (i % width) : -1));
    const blur = gaussianBlur(size, smooth);
    const weight = this.#spread(size, () => 1);
    const coarseWeight = blur(weight);
    const area = weight.reduce((a, b) => a + b, 0);
    this.#images = frames.map((frame) => {
      const mean = this.#spread(size, (i) => frame[i]).reduce((a, b) => a + b, 0) / Math.max(area, 1);
      const image = this.#spread(size, (i) => frame[i] - mean);
      const coarse = blur(image);
      return image.map((value, p) => (weight[p] > 0 ? value - coarse[p] / Math.max(coarseWeight[p], 1e-3) : 0));
    });
    const length = size * (size / 2 + 1);
    const re = new Float32Array(frames.length * length);
    const im = new Float32Array(frames.length * length);
    this.spectra = { count: frames.length, size, re, im };
    const faded = this.#spread(size, (i) => fade[i]);
    for (const [n, image] of this.#images.entries()) {
      this.#transform(
        n,
        image.map((value, p) => value * faded[p]),
      );
    }
    this.measured = { ...this.spectra, re: re.slice(), im: im.slice() };
  }

  #spread(size: number, value: (i: number) => number): Float32Array {
    const image = new Float32Array(size * size);
    for (let i = 0; i < this.#place.length; i++) if (this.#place[i] >= 0) image[this.#place[i]] = value(i);
    return image;
  }

  #transform(n: number, image: Float32Array): void {
    const { size, re, im } = this.spectra;
    const parts = readAll(() => {
      const spectrum = rfft2d(tf.tensor3d(image, [1, size, size]));
      return [tf.real(spectrum), tf.imag(spectrum)];
    });
    re.set(parts[0], n * parts[0].length);
    im.set(parts[1], n * parts[1].length);
  }

  /** Takes what lies beyond the region from predicted spectra, `[used, length]` each part. */
  fillBeyond(used: readonly number[], [re, im]: readonly [Float32Array, Float32Array]): void {
    const { size } = this.spectra;
    const length = size * (size / 2 + 1);
    for (const [k, n] of used.entries()) {
      const [from, to] = [k * length, (k + 1) * length];
      const image = inverse(size, re.subarray(from, to), im.subarray(from, to));
      for (const place of this.#place) if (place >= 0) image[place] = this.#images[n][place];
      this.#transform(n, image);
    }
  }

  /** A spectrum as an image of the region, of mean 0; 0 where no pixel is known. */
  image({ re, im }: PatternSpectrum): Float32Array {
    const [height, width] = this.#shape;
    const whole = inverse(this.spectra.size, Float32Array.from(re), Float32Array.from(im));
    const out = new Float32Array(height * width);
    let sum = 0;
    let known = 0;
    for (let i = 0; i < out.length; i++) {
      if (this.#place[i] < 0) continue;
      out[i] = whole[this.#place[i]];
      sum += out[i];
      known++;
    }
    for (let i = 0; i < out.length; i++) if (this.#place[i] >= 0) out[i] -= sum / known;
    return out;
  }
}

function inverse(size: number, re: Float32Array, im: Float32Array): Float32Array {
  const shape: [number, number, number] = [1, size, size / 2 + 1];
  return readOut(() => irfft2d(tf.complex(tf.tensor3d(re, shape), tf.tensor3d(im, shape))));
}

/** Blurs `size × size` images, periodically. */
function gaussianBlur(size: number, sigma: number): (image: Float32Array) => Float32Array {
  const stored = size / 2 + 1;
  const response = Float32Array.from({ length: size * stored }, (_, q) => {
    const k = Math.floor(q / stored);
    return Math.exp(-2 * ((Math.PI * sigma) / size) ** 2 * ((k < size / 2 ? k : k - size) ** 2 + (q % stored) ** 2));
  });
  return (image) =>
    readOut(() => {
      const real = tf.tensor3d(response, [1, size, stored]);
      return irfft2d(tf.mul(rfft2d(tf.tensor3d(image, [1, size, size])), tf.complex(real, tf.zerosLike(real))));
    });
}

/** Largest change of a drift, free of the common offset, which the choice of the reference frame moves. */
function largestChange(before: SampleDrift, after: SampleDrift): number {
  const both = [...before.solved.keys()].filter((n) => before.solved[n] && after.solved[n]);
  if (both.length < 2) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (const axis of ['row', 'column'] as const) {
    const moved = both.map((n) => after[axis][n] - before[axis][n]);
    const mean = moved.reduce((a, b) => a + b, 0) / moved.length;
    for (const value of moved) most = Math.max(most, Math.abs(value - mean));
  }
  return most;
}

/** Two halves of the frames between which the sample moved: only what stands still on the detector is common to them. */
function splitByPlace(used: readonly number[], drift: SampleDrift): Uint8Array {
  const range = (values: Float64Array): number => {
    const some = used.map((n) => values[n]);
    return Math.max(...some) - Math.min(...some);
  };
  const axis = range(drift.row) >= range(drift.column) ? drift.row : drift.column;
  const order = used.map((_, k) => k).sort((a, b) => axis[used[a]] - axis[used[b]]);
  const out = new Uint8Array(used.length);
  for (const [rank, k] of order.entries()) out[k] = rank < used.length / 2 ? 0 : 1;
  return out;
}
