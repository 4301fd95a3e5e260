import { Pace, paceSteps } from '../backend/index.js';
import { type Operation, runOperation } from '../host.js';
import { FineFrames } from './fineFrames.js';
import { PatternSeparator } from './separatePattern.js';
import { extent } from './statistics.js';

/** Drifts of the sampled frames, as a registration of them gives it. */
export interface SampleDrift {
  readonly row: Float64Array;
  readonly column: Float64Array;
  /** 1 where the drift is known. */
  readonly solved: Uint8Array;
  /** How far the pairs of frames contradict each other, pixels of these frames: a weighted mean. */
  readonly misfit: number;
}

/** What stands still on the detector. */
export interface FixedPattern {
  /** Logarithm of the pattern, `[height, width]`, mean 0: frames are divided by its exponential. */
  readonly logarithm: Float32Array;
  readonly height: number;
  readonly width: number;
  /** Root mean square: 0.03 is 3 %. */
  readonly strength: number;
  /** Correlation of the patterns that two halves of the frames give, in which the sample lies at different places; up to 1. */
  readonly reliability: number;
  readonly rounds: number;
  /** Largest change of a drift in the last round, pixels of the frames. */
  readonly change: number;
  /** {@link SampleDrift.misfit} before anything was taken out. */
  readonly misfitBefore: number;
  readonly drift: SampleDrift;
  /** Drifts before anything was taken out. */
  readonly driftBefore: SampleDrift;
}

export interface FixedPatternOptions {
  /** Components of the sample's model, its mean included. Default 6: 4 to 8 give the same to a tenth. */
  readonly components?: number;
  /** What is wider than a Gaussian of this many pixels is left out: illumination. Default 6. */
  readonly smooth?: number;
  /** Registrations at most. Default 5. */
  readonly maxRounds?: number;
  /** Rounds end when no drift changes by more, pixels of the frames. Default 0.02. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onRound?: ((round: number, rounds: number) => void) | undefined;
}

/**
 * Finds what stands still on the detector while the sample drifts: spots, scratches, fibers.
 *
 * Works on logarithms. Given drifts, {@link PatternSeparator} tells the pattern from a sample of a few components, each
 * frequency on its own; without the pattern the frames register better, which gives better drifts, and so on.
 *
 * @param frames logarithms of the counts, `[height, width]` each, of a sample of the series; NaN: no such pixel.
 * @param register gives the drifts of the frames divided by the exponential of the pattern so far, `[height, width]`.
 * @returns the pattern; {@link FixedPattern.reliability} says whether there is one.
 * @throws AbortedError when `options.signal` is aborted.
 */
export async function findFixedPattern(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  register: (pattern: Float32Array) => Promise<SampleDrift>,
  options: FixedPatternOptions = {},
): Promise<FixedPattern> {
  const { signal, onRound } = options;
  return runOperation({ label: 'Looking for a fixed pattern', unit: 'rounds', signal, onProgress: onRound }, (operation) =>
    find(frames, shape, register, options, operation),
  );
}

async function find(
  frames: readonly Float32Array[],
  shape: readonly [number, number],
  register: (pattern: Float32Array) => Promise<SampleDrift>,
  options: FixedPatternOptions,
  { signal, progress }: Operation,
): Promise<FixedPattern> {
  const { components = 6, smooth = 6, maxRounds = 5, tolerance = 0.02 } = options;
  const pace = new Pace(signal, 'Looking for a fixed pattern');
  const region = await paceSteps(FineFrames.make(frames, shape, smooth), pace);
  await pace.next();
  const separator = new PatternSeparator(region.spectra, components);
  let pattern: Float32Array = new Float32Array(shape[0] * shape[1]);
  const driftBefore = await register(pattern);
  let drift = driftBefore;
  let change = Number.POSITIVE_INFINITY;
  let rounds = 0;
  let reliability = 0;
  while (rounds < maxRounds && change > tolerance) {
    const used = [...drift.solved.keys()].filter((n) => drift.solved[n]);
    if (used.length < 2) break;
    await paceSteps(separator.separate(drift, used), pace);
    // the second time with components that are free of the pattern; what was filled in stays for the later rounds
    const predicted = await paceSteps(separator.predict(drift), pace);
    await paceSteps(region.fillBeyond(used, predicted), pace);
    const spectrum = await paceSteps(separator.separate(drift, used), pace);
    pattern = region.image(spectrum);
    await pace.next();
    const next = await register(pattern);
    change = largestChange(drift, next);
    rounds++;
    progress(rounds, maxRounds);
    if (!(rounds < maxRounds && change > tolerance)) {
      reliability = await paceSteps(separator.agreement(drift, splitByPlace(used, drift), region.measured), pace);
    }
    drift = next;
  }
  return {
    logarithm: pattern,
    height: shape[0],
    width: shape[1],
    strength: Math.sqrt(pattern.reduce((sum, value) => sum + value * value, 0) / pattern.length),
    reliability,
    rounds,
    change: Number.isFinite(change) ? change : 0,
    misfitBefore: driftBefore.misfit,
    drift,
    driftBefore,
  };
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
  const range = (values: Float64Array): number => extent(used.map((n) => values[n]));
  const axis = range(drift.row) >= range(drift.column) ? drift.row : drift.column;
  const order = used.map((_, k) => k).sort((a, b) => axis[used[a]] - axis[used[b]]);
  const out = new Uint8Array(used.length);
  for (const [rank, k] of order.entries()) out[k] = rank < used.length / 2 ? 0 : 1;
  return out;
}
