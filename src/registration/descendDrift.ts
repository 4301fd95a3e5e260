import type { Scalar, Tensor } from '@tensorflow/tfjs';
import { Pace, readOut, tf } from '../backend/index.js';
import { OptionError } from '../errors.js';
import { type Operation, runOperation } from '../host.js';
import { connectedFrames, type DriftSolution, listPairs, type PairTable } from './solveDrift.js';

/** One step downhill. */
export interface DescentStep {
  readonly step: number;
  /** Weighted mean of the loss, px². */
  readonly loss: number;
  /** Largest change of a drift in this step, pixels. */
  readonly change: number;
}

export interface DescendDriftOptions {
  /** As for `solveDrift`. Default 0.15 and 4. */
  readonly minWeight?: number;
  readonly weightPower?: number;
  /**
   * What a residual costs: `huber` grows with its square up to about `delta`, then with its length, so that wrong pairs pull
   * no harder the farther they miss; `squares` is the loss of `solveDrift`. Default `huber`.
   */
  readonly loss?: 'huber' | 'squares';
  /** Pixels. Default 0.3. */
  readonly delta?: number;
  /** Steps at most. Default 1000. */
  readonly steps?: number;
  /** Length of a step, above 0 and below 1.9; of the steepest slope, in units of the springs' stiffness. Default 1. */
  readonly learningRate?: number;
  /** Ends when no drift changes by more in a step, pixels. Default 1e-4. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: DescentStep) => void) | undefined;
}

/** Share of the last step that the next one keeps. */
const MOMENTUM = 0.9;

/**
 * Drift of every frame by gradient descent with momentum, with tfjs' optimizer: to watch a robust fit being found. Gives
 * what `solveDrift` gives in one factorization (`squares`), or a robust fit of its own (`huber`); hundreds of times slower.
 * A smooth Huber loss, `δ² (√(1 + (r / δ)²) − 1)` of each component of the residual.
 *
 * @param pairs shifts in pixels and weights 0 … 1.
 * @returns drift in pixels; the first solved frame has drift 0. `trust` is the share of a frame's weight that the loss left.
 * @throws OptionError for a loss, delta or step out of range; AbortedError when `signal` is aborted.
 */
export async function descendDrift(pairs: PairTable, options: DescendDriftOptions = {}): Promise<DriftSolution> {
  const { signal } = options;
  return runOperation({ label: 'Descending', unit: 'steps', signal }, (operation) => descend(pairs, options, operation));
}

async function descend(pairs: PairTable, options: DescendDriftOptions, operation: Operation): Promise<DriftSolution> {
  const { minWeight = 0.15, weightPower = 4, loss = 'huber', delta = 0.3, steps = 1000, onStep } = options;
  const pace = new Pace(operation.signal, 'The descent');
  const { learningRate = 1, tolerance = 1e-4 } = options;
  if (loss !== 'huber' && loss !== 'squares')
    throw new OptionError(`descendDrift(): 'loss' must be huber or squares, got ${loss}`);
  if (!(delta > 0)) throw new OptionError(`descendDrift(): 'delta' must be above 0 px, got ${delta}`);
  if (!(learningRate > 0 && learningRate < 1.9))
    throw new OptionError(`descendDrift(): 'learningRate' must be above 0 and below 1.9, got ${learningRate}`);
  const { count } = pairs;
  const usable = (i: number, j: number): boolean => pairs.weight[i * count + j] > 0 && pairs.weight[i * count + j] >= minWeight;
  const solved = connectedFrames(count, usable);
  const frames = [...solved.keys()].filter((i) => solved[i]);
  const row = new Float64Array(count).fill(Number.NaN);
  const column = new Float64Array(count).fill(Number.NaN);
  const trust = new Float64Array(count);
  if (frames.length < 2) return { row, column, solved, trust, iterations: 0 };

  const list = listPairs(pairs, frames, minWeight, weightPower);
  const stiffness = sumsPerFrame(list, list.weight, frames.length);
  const total = list.weight.reduce((a, b) => a + b, 0);
  // in these units all frames are held equally hard, which lets one length of step serve all
  const unit = Float32Array.from(stiffness, (value) => Math.sqrt(total / value));
  const constant = {
    i: tf.tensor1d(list.i, 'int32'),
    j: tf.tensor1d(list.j, 'int32'),
    shift: tf.tensor2d([...list.shiftRow, ...list.shiftColumn], [2, list.i.length]),
    weight: tf.tensor1d(Float32Array.from(list.weight, (value) => value / total)),
    unit: tf.tensor1d(unit),
  };
  const zeros = tf.zeros([2, frames.length]);
  const place = tf.variable(zeros);
  zeros.dispose();
  const optimizer = tf.train.momentum(learningRate, MOMENTUM);
  const residuals = (): Tensor => {
    const drift = tf.mul(place, constant.unit);
    return tf.sub(tf.sub(tf.gather(drift, constant.j, 1), tf.gather(drift, constant.i, 1)), constant.shift);
  };
  const cost = (): Scalar => {
    const square = tf.square(residuals());
    const each =
      loss === 'squares' ? tf.div(square, 2) : tf.mul(tf.sub(tf.sqrt(tf.add(tf.div(square, delta ** 2), 1)), 1), delta ** 2);
    return tf.sum(tf.mul(each, constant.weight)) as Scalar;
  };
  let iterations = 0;
  try {
    let before = place.dataSync() as Float32Array;
    for (let change = Number.POSITIVE_INFINITY; iterations < steps && change > tolerance; iterations++) {
      await pace.next();
      const value = optimizer.minimize(cost, true) as Scalar;
      const now = place.dataSync() as Float32Array;
      change = largestMove(before, now, unit);
      before = now;
      operation.progress(iterations + 1, steps);
      onStep?.({ step: iterations + 1, loss: value.dataSync()[0], change });
      value.dispose();
    }
    // it settled, most often before the last step that it may take
    operation.progress(steps, steps);
    for (const [k, n] of frames.entries()) {
      row[n] = before[k] * unit[k] - before[0] * unit[0];
      column[n] = before[frames.length + k] * unit[k] - before[frames.length] * unit[0];
    }
    const kept = readOut(() => {
      const factor =
        loss === 'squares' ? tf.onesLike(constant.shift) : tf.rsqrt(tf.add(tf.square(tf.div(residuals(), delta)), 1));
      return tf.min(factor, 0);
    });
    const left = sumsPerFrame(
      list,
      list.weight.map((value, p) => value * kept[p]),
      frames.length,
    );
    for (const [k, n] of frames.entries()) trust[n] = left[k] / stiffness[k];
  } finally {
    optimizer.dispose();
    // its step length, which tfjs leaves behind
    (optimizer as unknown as { readonly c: Scalar }).c.dispose();
    place.dispose();
    tf.dispose(Object.values(constant));
  }
  return { row, column, solved, trust, iterations };
}

/** Sum over the pairs of each frame. */
function sumsPerFrame(
  list: { readonly i: Int32Array; readonly j: Int32Array },
  values: Float64Array,
  count: number,
): Float64Array {
  const out = new Float64Array(count);
  for (let p = 0; p < values.length; p++) {
    out[list.i[p]] += values[p];
    out[list.j[p]] += values[p];
  }
  return out;
}

/** Largest change of a drift, free of their common offset. */
function largestMove(before: Float32Array, now: Float32Array, unit: Float32Array): number {
  let most = 0;
  for (let axis = 0; axis < 2; axis++) {
    const from = axis * unit.length;
    const first = (now[from] - before[from]) * unit[0];
    for (let k = 1; k < unit.length; k++) {
      most = Math.max(most, Math.abs((now[from + k] - before[from + k]) * unit[k] - first));
    }
  }
  return most;
}
