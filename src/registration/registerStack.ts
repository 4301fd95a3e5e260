import { Pace, paceSteps } from '../backend/index.js';
import { OptionError, ShapeError } from '../errors.js';
import { type Operation, runOperation } from '../host.js';
import type { ImageStack } from '../stack/index.js';
import { coarseBand, correlateStack, countPairs, type PairCheckpoint, type PairChoice } from './correlateStack.js';
import { type DriftTable, driftTableSteps } from './driftQuality.js';
import { isFastSize } from './fftSize.js';
import type { Aperture } from './findAperture.js';
import { largestWindow, placeWindow, taperSteps } from './frameMask.js';
import { gatherSpectra, type PixelRange } from './gatherSpectra.js';
import { type PairResiduals, pairResiduals } from './pairResiduals.js';
import { automaticMinWeight } from './pairWeights.js';
import { changeByPattern, type RegionPattern } from './patternSample.js';
import { type DriftSolution, type PairTable, type SolveDriftOptions, solveSteps } from './solveDrift.js';
import { surveyStack } from './surveyStack.js';
import { flatFieldGain, takePattern } from './takePattern.js';
import type { WindowPlace } from './windowCutter.js';

export interface RegisterOptions {
  /** Full side of the window, pixels: even, no prime factor above 5. Default 512, or the largest that fits. */
  readonly windowSize?: number | undefined;
  /** Width of the Gaussian, pixels. Default 3; the paper uses 3 to 17. */
  readonly sigma?: number;
  /** Every so many frames are compared, the others interpolated. Default 1. */
  readonly stride?: number;
  /** Default `all`; `{ band: K }` compares frames at most K compared frames apart, in time linear in N. */
  readonly pairs?: PairChoice;
  /** Pairs of lower weight are not used. Default 0.15, the paper's; `auto`: from the loops that pairs close. */
  readonly minWeight?: number | 'auto';
  /** Default 4. */
  readonly weightPower?: number;
  readonly solver?: SolveDriftOptions['solver'];
  /** `auto` finds and takes out what stands still on the detector; `none`; or a pattern of an earlier run. */
  readonly pattern?: 'auto' | 'none' | Float32Array;
  /** `[H, W]`, 0: do not use. */
  readonly mask?: Uint8Array | undefined;
  /** false: do not look for the edge of a round field of view. */
  readonly aperture?: boolean;
  /** Flat field and dark count, `[H, W]`, for the registration only. */
  readonly flat?: Float32Array | undefined;
  readonly dark?: Float32Array | undefined;
  readonly checkpoint?: ((frames: readonly number[]) => Promise<PairCheckpoint>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((stage: RegisterStage, done: number, total: number) => void) | undefined;
}

export type RegisterStage = 'survey' | 'pattern' | 'filter' | 'correlate' | 'solve';

/** What the bar says, and the shares of the time that a series of some hundred frames takes. */
const STAGES: Readonly<Record<RegisterStage, { readonly label: string; readonly share: number }>> = {
  survey: { label: 'survey', share: 5 },
  pattern: { label: 'pattern', share: 45 },
  filter: { label: 'filter', share: 25 },
  correlate: { label: 'correlate', share: 15 },
  solve: { label: 'solve', share: 10 },
};

/** What {@link registerStack} found. */
export interface Registration {
  readonly drift: DriftTable;
  /** Indices, in the stack, of the frames that were compared: those of the pair table. */
  readonly frames: readonly number[];
  readonly pairs: PairTable;
  readonly solution: DriftSolution;
  readonly residuals: PairResiduals;
  readonly minWeight: number;
  readonly window: WindowPlace;
  /** Highest frequency used, cycles per window. */
  readonly band: number;
  /** Highest frequency of the coarse search, cycles per window. */
  readonly coarseBand: number;
  readonly aperture: Aperture | undefined;
  readonly badPixels: number;
  /** Why there is no pattern, or what it is. */
  readonly pattern: RegionPattern | undefined;
  readonly patternRemark: string;
  /** The pattern as a factor of the detector, `[height, width]`; 1 where it is not known. */
  readonly patternImage: { readonly pixels: Float32Array; readonly height: number; readonly width: number } | undefined;
  /** Smallest and largest value of the frames that were read. */
  readonly range: PixelRange;
  readonly warnings: readonly string[];
  readonly seconds: {
    survey: number;
    pattern: number;
    read: number;
    filter: number;
    correlate: number;
    /** Search for the maxima of the correlations. */
    refine: number;
    solve: number;
  };
}

function check(stack: ImageStack, options: RegisterOptions): void {
  const { windowSize, sigma = 3, stride = 1, minWeight = 0.15, weightPower = 4, pairs = 'all', mask, flat, dark } = options;
  const [, height, width] = stack.shape;
  const fail = (name: string, rule: string, got: unknown): never => {
    throw new OptionError(`registerStack(): '${name}' must be ${rule}, got ${got}`);
  };
  if (!(sigma >= 0 && sigma <= 100)) fail('sigma', 'from 0 to 100 pixels', sigma);
  if (!Number.isInteger(stride) || stride < 1) fail('stride', 'a whole number from 1', stride);
  if (minWeight !== 'auto' && !(minWeight >= 0 && minWeight < 1)) fail('minWeight', "'auto' or from 0 and below 1", minWeight);
  if (!(weightPower >= 0)) fail('weightPower', '0 or more', weightPower);
  if (pairs !== 'all' && !(Number.isInteger(pairs.band) && pairs.band >= 1))
    fail('pairs', "'all' or a band of at least 1", pairs.band);
  if (windowSize !== undefined) {
    if (!isFastSize(windowSize) || windowSize < 16)
      fail('windowSize', 'even, at least 16, without prime factors above 5', windowSize);
    if (windowSize > height || windowSize > width) {
      throw new ShapeError(
        `registerStack(): 'windowSize' must fit into the frames of ${height} × ${width} pixels, got ${windowSize}; ` +
          `leave it out to take the largest that fits`,
      );
    }
  } else if (Math.min(height, width) < 16) {
    throw new ShapeError(`registerStack(): 'stack' must have frames of at least 16 × 16 pixels, got ${height} × ${width}`);
  }
  for (const [name, image] of Object.entries({ mask, flat, dark })) {
    if (image && image.length !== height * width) {
      throw new ShapeError(
        `registerStack(): '${name}' must be ${height} × ${width} pixels like the frames, got ${image.length} values`,
      );
    }
  }
}

/**
 * Registers a stack (the paper's section 3.2, steps 1 to 6): edge filter, all-pairs correlation with sub-pixel peaks, and
 * a global least-squares fit, with a standard error for every frame. Before, looks for the edge of a round field of view
 * and for what stands still on the detector, so that neither is taken for the sample. Frames are read twice at most.
 *
 * @param stack `[N, H, W]`, any pixel type; NaN and, where the stack says so, 0 are missing pixels.
 * @returns drift in pixels relative to the first used frame, + down and + right, with standard errors.
 * @throws OptionError, ShapeError for wrong options; AbortedError when `signal` is aborted.
 */
export async function registerStack(stack: ImageStack, options: RegisterOptions = {}): Promise<Registration> {
  check(stack, options);
  const { signal, onProgress, pattern = 'auto' } = options;
  const stages = pattern === 'auto' ? STAGES : { ...STAGES, pattern: { ...STAGES.pattern, share: 0 } };
  const tell = onProgress && ((done: number, total: number, stage?: string) => onProgress(stage as RegisterStage, done, total));
  return runOperation({ label: 'Registering', stages, signal, onProgress: tell }, (operation) =>
    register(stack, options, operation),
  );
}

async function register(stack: ImageStack, options: RegisterOptions, { signal, progress }: Operation): Promise<Registration> {
  const { sigma = 3, stride = 1, pairs: choice = 'all', weightPower = 4, solver = 'least-squares' } = options;
  const pace = new Pace(signal, 'The registration');
  const tell = (stage: RegisterStage) => (done: number, total: number) => progress(done, total, stage);
  const [count, height, width] = stack.shape;
  const warnings: string[] = [...stack.info.warnings];
  const seconds = { survey: 0, pattern: 0, read: 0, filter: 0, correlate: 0, refine: 0, solve: 0 };
  const timed = async <T>(stage: 'survey' | 'pattern' | 'solve', work: () => Promise<T> | T): Promise<T> => {
    const start = performance.now();
    const result = await work();
    seconds[stage] += (performance.now() - start) / 1000;
    return result;
  };
  const survey = await timed('survey', () =>
    surveyStack(stack, {
      mask: options.mask,
      useAperture: options.aperture ?? true,
      signal,
      onProgress: tell('survey'),
    }),
  );
  if (!survey.valid.includes(1))
    throw new ShapeError("registerStack(): 'stack' must hold measured pixels, got only NaN, masked or missing ones");
  const window =
    options.windowSize === undefined
      ? largestWindow(height, width, 512, survey.aperture)
      : placeWindow(height, width, options.windowSize, survey.aperture);
  await pace.next();
  const taper = await paceSteps(taperSteps(survey.valid, height, width, window, sigma), pace);
  if (taper?.every((value) => value === 0)) {
    throw new ShapeError(
      "registerStack(): 'mask' must leave pixels inside the window, got none; choose a smaller sigma or another mask",
    );
  }
  await pace.next();
  const compared = stack.slice(0, count, stride);
  const frames = Array.from({ length: compared.shape[0] }, (_, m) => m * stride);
  const base = { dark: options.dark, valid: survey.valid, zeroIsMissing: stack.info.zeroIsMissing };
  const flatGain = options.flat && flatFieldGain(options.flat, options.dark);
  const bound = options.minWeight === undefined || options.minWeight === 'auto' ? 0.15 : options.minWeight;
  const taken = await timed('pattern', () =>
    takePattern(compared, window, {
      ...options,
      sigma,
      correction: { ...base, gain: flatGain },
      taper,
      minWeight: bound,
      signal,
      onProgress: (_, done, total) => progress(done, total, 'pattern'),
    }),
  );
  await pace.next();
  const { spectra, range } = await gatherSpectra(compared, {
    window,
    sigma,
    correction: { ...base, gain: taken.gain },
    taper,
    signal,
    seconds,
    onProgress: tell('filter'),
  });
  const elapsedMs = { correlate: 0, refine: 0 };
  const pairs = await correlateStack(spectra, {
    pairs: choice,
    minWeight: bound,
    checkpoint: await options.checkpoint?.(frames),
    signal,
    elapsedMs,
    onProgress: tell('correlate'),
  });
  seconds.correlate = elapsedMs.correlate / 1000;
  seconds.refine = elapsedMs.refine / 1000;
  return timed('solve', async () => {
    progress(0, 3, 'solve');
    await pace.next();
    const minWeight = options.minWeight === 'auto' ? automaticMinWeight(pairs) : bound;
    const solution = await paceSteps(solveSteps(pairs, { minWeight, weightPower, solver }), pace);
    progress(1, 3, 'solve');
    await pace.next();
    const patternChange = taken.pattern && changeByPattern(taken.pattern, frames.length);
    const input = { spectra, pairs, solution, minWeight, weightPower, patternChange, frames, count };
    const drift = await paceSteps(driftTableSteps(input), pace);
    progress(2, 3, 'solve');
    await pace.next();
    const residuals = pairResiduals(pairs, solution, minWeight);
    warnings.push(...judge(stack, drift, residuals, solution, countPairs(frames.length, choice)));
    progress(3, 3, 'solve');
    return {
      drift,
      frames,
      pairs,
      solution,
      residuals,
      minWeight,
      window,
      band: spectra.band,
      coarseBand: coarseBand(spectra),
      aperture: survey.aperture,
      badPixels: survey.badPixels,
      pattern: taken.pattern,
      patternImage: taken.image,
      patternRemark: taken.remark,
      range,
      warnings,
      seconds,
    };
  });
}

function judge(stack: ImageStack, drift: DriftTable, residuals: PairResiduals, solution: DriftSolution, pairs: number): string[] {
  const warnings: string[] = [];
  const [count] = stack.shape;
  if (count === 1) return ['one frame only: its drift is 0 by definition'];
  const solved = solution.solved.reduce((a, b) => a + b, 0);
  if (solved === 0) {
    warnings.push(
      'no two frames have an edge in common (all equal, without contrast, or only noise): drift 0, with infinite error',
    );
  } else if (solved < solution.solved.length) {
    warnings.push(
      `${solution.solved.length - solved} of ${solution.solved.length} compared frames could not be joined to the others; their drift is interpolated`,
    );
  }
  if (residuals.broken > 0) {
    warnings.push(`${residuals.broken} of ${pairs} pairs contradict the others by more than ${residuals.limit.toFixed(1)} px`);
  }
  // by their place in the input, as users count them
  const doubtful = [...drift.doubtful.keys()].filter((n) => drift.doubtful[n]).map((n) => stack.sourceIndex(n));
  if (doubtful.length > 0) warnings.push(`doubtful drift in frame${doubtful.length > 1 ? 's' : ''} ${listFrames(doubtful)}`);
  return warnings;
}

function listFrames(frames: readonly number[]): string {
  return frames.length <= 12 ? frames.join(', ') : `${frames.slice(0, 12).join(', ')} and ${frames.length - 12} more`;
}
