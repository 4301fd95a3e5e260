import { OptionError } from '../errors.js';
import { bandOf, countPairs, type PairChoice } from '../registration/index.js';
import { BYTES_PER_PIXEL, type StackInfo } from '../stack/index.js';
import { formatBytes } from './format.js';

/** What a registration will take, worked out before it starts. */
export interface RegistrationPlan {
  readonly frames: number;
  readonly compared: number;
  readonly pairs: number;
  readonly inputBytes: number;
  readonly memoryBytes: number;
  /** A guess, good to a factor of about 1.5. */
  readonly seconds: number;
}

/** Resident memory of Node with TensorFlow loaded and warm, before any data; and of the threads that write. */
const BASE_BYTES = 660 * 2 ** 20;
const WRITING_BYTES = 60 * 2 ** 20;

/** Seconds of each phase for one of its units of work, measured on two cores; {@link PlanOptions.slowness} scales them. */
const SECONDS = {
  /** Loading what computes, looking at the detector, writing the report. */
  once: 3,
  /** A pixel of the coarse sample, over all rounds. */
  patternPixel: 3.9e-7,
  /** A pixel of a window with its margins. */
  filterPixel: 3e-8,
  /** A pair at a band of 64, correlated on a grid of 96², and refined. */
  pair: 2.3e-5,
  /** A frame, and a product of the factorization. */
  solveFrame: 2e-3,
  solveProduct: 1.5e-9,
  /** A pixel of a whole frame: read, shifted, compressed, written. */
  shiftPixel: 2.5e-8,
} as const;

export interface PlanOptions {
  readonly windowSize?: number | undefined;
  readonly sigma: number;
  readonly stride: number;
  readonly pairs: PairChoice;
  readonly pattern: boolean;
  /** How many times slower the machine is than the one that the times were measured on. Default 1. */
  readonly slowness?: number;
}

/** Estimates memory from the sizes of what is held at once, and time from the work of each phase. */
export function planRegistration(info: StackInfo, options: PlanOptions): RegistrationPlan {
  const { frames, height, width, pixelType } = info;
  const { sigma, slowness = 1 } = options;
  const compared = Math.ceil(frames / options.stride);
  const window = options.windowSize ?? Math.min(512, height, width);
  const band = bandOf(window, sigma);
  const pairs = countPairs(compared, options.pairs);
  const frameBytes = height * width * BYTES_PER_PIXEL[pixelType];
  // twice: the pair step has its own, and what its coarse grid needs
  const spectra = compared * (2 * 2 * band * (band + 1) * 8 + 4 * (1.5 * band) ** 2);
  // edge images and their sums for the error bars, three matrices of pairs, the Laplacian
  const errors = compared * 4 * band * band * 4 * 4;
  const tables = compared * compared * (3 * 4 + 2 * 4 + 8);
  const side = (window + 2 * (4 * sigma + 33)) / (sigma >= 2 ? 2 : 1);
  const sample = options.pattern ? Math.min(100, compared) * side * side : 0;
  const shifting = 24 * (frameBytes + height * width * 2);
  const filtering = 8 * (window + 8 * sigma) ** 2 * 4 * 10;
  // the report's images stay until the end
  const writing = WRITING_BYTES + 16 * 4 * height * width;
  const seconds =
    SECONDS.once +
    SECONDS.patternPixel * sample +
    SECONDS.filterPixel * compared * (window + 8 * sigma) ** 2 +
    SECONDS.pair * pairs * (band / 64) ** 2 +
    SECONDS.solveFrame * compared +
    SECONDS.solveProduct * compared ** 3 +
    SECONDS.shiftPixel * frames * height * width;
  return {
    frames,
    compared,
    pairs,
    inputBytes: frames * frameBytes,
    memoryBytes: BASE_BYTES + spectra + tables + writing + Math.max(sample * 4 * 5, errors, shifting, filtering),
    seconds: slowness * seconds,
  };
}

/** @throws OptionError where the plan needs more memory than it may use. */
export function assertMemory(plan: RegistrationPlan, limit: number): void {
  if (plan.memoryBytes <= limit) return;
  throw new OptionError(
    `--memory must be at least ${formatBytes(plan.memoryBytes)} for ${plan.compared} compared frames, got ${formatBytes(limit)}: ` +
      `allow more, compare fewer frames (--stride), or take a smaller --window`,
  );
}
