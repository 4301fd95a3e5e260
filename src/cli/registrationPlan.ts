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
  /** A rough guess: the machine's speed is not known beforehand. */
  readonly seconds: number;
}

/** Resident memory of Node with TensorFlow loaded, before any data. */
const BASE_BYTES = 560 * 2 ** 20;

/** Estimates memory from the sizes of what is held at once, and time from two cores of a laptop. */
export function planRegistration(
  info: StackInfo,
  options: { windowSize?: number | undefined; sigma: number; stride: number; pairs: PairChoice; pattern: boolean },
): RegistrationPlan {
  const { frames, height, width, pixelType } = info;
  const compared = Math.ceil(frames / options.stride);
  const window = options.windowSize ?? Math.min(512, height, width);
  const band = bandOf(window, options.sigma);
  const pairs = countPairs(compared, options.pairs);
  const frameBytes = height * width * BYTES_PER_PIXEL[pixelType];
  const spectra = compared * 2 * band * (band + 1) * 8;
  // edge images and their sums for the error bars, three matrices of pairs, the Laplacian
  const errors = compared * 4 * band * band * 4 * 4;
  const tables = compared * compared * (3 * 4 + 2 * 4 + 8);
  const side = (window + 2 * (4 * options.sigma + 33)) / (options.sigma >= 2 ? 2 : 1);
  const pattern = options.pattern ? Math.min(100, compared) * side * side * 4 * 5 : 0;
  const shifting = 24 * (frameBytes + height * width * 2);
  const filtering = 8 * (window + 8 * options.sigma) ** 2 * 4 * 10;
  return {
    frames,
    compared,
    pairs,
    inputBytes: frames * frameBytes,
    memoryBytes: BASE_BYTES + spectra + Math.max(pattern, errors + tables, shifting + tables, filtering),
    seconds:
      (options.pattern ? 6 : 0) + compared * 6e-3 * (window / 512) ** 2 + pairs * 4e-5 + (frames * height * width) / 5e7 + 2,
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
