import { finishSteps, type Steps } from '../backend/index.js';
import { type PartErrors, partErrorSteps } from './partErrors.js';
import type { DriftSolution, PairTable } from './solveDrift.js';
import type { WindowSpectra } from './windowSpectra.js';

/** Pixels by which the drift of each frame changed when the fixed pattern was taken out, `[M]`. */
export interface PatternChange {
  readonly row: Float64Array;
  readonly column: Float64Array;
}

export interface DriftVarianceInput {
  readonly spectra: WindowSpectra;
  readonly pairs: PairTable;
  readonly solution: DriftSolution;
  readonly minWeight: number;
  readonly weightPower: number;
  /** Default: no pattern was taken out. */
  readonly patternChange?: PatternChange | undefined;
}

/**
 * Share of what a pattern did to a frame that its remains may still do, one standard error. On series of two simulators
 * (drifts of 6 to 18 px, patterns of 3 %) the errors that the parts of the window do not show were 5 to 20 % of it.
 */
const REMAINS = 0.15;
/**
 * Largest pull of a pattern that a frame does not lock on, in units of window / (π · band), about the width of a correlation
 * peak: a weak peak beside a strong one moves its top by a fraction of the width. A frame that was locked moved by all of the
 * drift, which says nothing of what remains.
 */
const LARGEST_PULL = 0.4;
/** Neighbors on each side over which the variance of a frame is averaged with its own. */
const NEIGHBORS = 2;
/** Pixels at which a pair is only wrong, however far. */
const WRONG = 3;

/**
 * Variance of drifts, px², from three sources that do not show each other's: the scatter of the window's parts (noise,
 * distortion), how far a frame's pairs contradict each other (groups of like frames, each sure of itself), and what may
 * remain of a fixed pattern.
 */
export class DriftVariance {
  readonly #parts: PartErrors;
  readonly #known: readonly number[];
  readonly #change: PatternChange | undefined;
  readonly #largestPull: number;
  readonly #contradiction: { readonly row: Float64Array; readonly column: Float64Array };

  /** @param parts where they are known already; by default they are computed, which takes nearly all the time. */
  constructor(input: DriftVarianceInput, parts: PartErrors = finishSteps(partsOf(input))) {
    const { spectra, pairs, solution, minWeight, weightPower, patternChange } = input;
    this.#known = [...solution.solved.keys()].filter((m) => solution.solved[m]);
    this.#parts = parts;
    this.#change = patternChange;
    this.#largestPull = (LARGEST_PULL * spectra.windowSize) / (Math.PI * spectra.band);
    const contradiction = (axis: 'row' | 'column'): Float64Array =>
      meanSquareResiduals(pairs, axis === 'row' ? pairs.shiftRow : pairs.shiftColumn, solution[axis], {
        known: this.#known,
        minWeight,
        power: weightPower,
      });
    this.#contradiction = { row: contradiction('row'), column: contradiction('column') };
  }

  /** Of the drifts of all solved frames, in their order, about their common offset. */
  aboutOffset(): { row: Float64Array; column: Float64Array } {
    return { row: this.#axis('row', undefined), column: this.#axis('column', undefined) };
  }

  /** Of the drifts relative to that of the k-th solved frame, whose own is 0. */
  relativeTo(k: number): { row: Float64Array; column: Float64Array } {
    return { row: this.#axis('row', k), column: this.#axis('column', k) };
  }

  #axis(axis: 'row' | 'column', reference: number | undefined): Float64Array {
    const known = this.#known;
    const parts = this.#parts[axis].map((part) => deviations(known, part, reference));
    const change = this.#change && deviations(known, this.#change[axis], reference);
    const own = this.#contradiction[axis];
    const variance = known.map((_, k) => {
      const scatter = parts.reduce((sum, part) => sum + part[k] ** 2, 0) / Math.max(1, parts.length - 1);
      const scaled = scatter * parts.length;
      const remains = change ? (REMAINS * Math.min(this.#largestPull, Math.abs(change[k]))) ** 2 : 0;
      return scaled + remains + own[k] + (reference === undefined ? 0 : own[reference]);
    });
    const out = smoothVariance(variance);
    if (reference !== undefined) out[reference] = 0;
    return out;
  }
}

function partsOf({ spectra, pairs, solution, minWeight, weightPower }: DriftVarianceInput): Steps<PartErrors> {
  return partErrorSteps(spectra, pairs, solution, { minWeight, weightPower });
}

/** A {@link DriftVariance} made in pieces. */
export function* varianceSteps(input: DriftVarianceInput): Steps<DriftVariance> {
  const parts = yield* partsOf(input);
  yield;
  return new DriftVariance(input, parts);
}

/** Differences from the reference's value, or from the median. */
function deviations(known: readonly number[], values: Float64Array, reference: number | undefined): number[] {
  const some = known.map((m) => values[m]);
  const finite = some.filter(Number.isFinite).sort((a, b) => a - b);
  const zero = reference === undefined ? finite[finite.length >> 1] : some[reference];
  return some.map((value) => (Number.isFinite(value - zero) ? value - zero : 0));
}

/** Weighted mean square of the residuals of each frame's pairs. Half the solution's weights, so that others than its like count. */
function meanSquareResiduals(
  pairs: PairTable,
  shift: Float32Array,
  drift: Float64Array,
  { known, minWeight, power }: { known: readonly number[]; minWeight: number; power: number },
): Float64Array {
  const squares = new Float64Array(known.length);
  const weights = new Float64Array(known.length);
  for (const [a, i] of known.entries()) {
    for (let b = a + 1; b < known.length; b++) {
      const j = known[b];
      const at = i * pairs.count + j;
      const value = pairs.weight[at];
      if (!(value > 0 && value >= minWeight)) continue;
      const weight = value ** power;
      const square = weight * Math.min(WRONG, Math.abs(shift[at] - (drift[j] - drift[i]))) ** 2;
      squares[a] += square;
      squares[b] += square;
      weights[a] += weight;
      weights[b] += weight;
    }
  }
  return squares.map((value, a) => (weights[a] > 0 ? value / weights[a] : 0));
}

/**
 * Mean of a frame's own variance and its neighbors' (their lower median, so that a bad frame does not spoil those around
 * it): sixteen parts alone give a variance to a third only.
 */
function smoothVariance(values: readonly number[]): Float64Array {
  return Float64Array.from(values, (value, k) => {
    const around = values.slice(Math.max(0, k - NEIGHBORS), k + NEIGHBORS + 1);
    around.splice(Math.min(k, NEIGHBORS), 1);
    if (around.length === 0) return value;
    around.sort((a, b) => a - b);
    return (value + around[(around.length - 1) >> 1]) / 2;
  });
}
