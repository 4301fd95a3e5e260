import { breathe, irfft2d, PairCorrelator, type PairSteps, tf } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { PAIR_BLOCK } from '../registration/index.js';
import { Random } from '../synthetic/index.js';

/**
 * Time of real inverse FFTs alone, in batches of 64, with TensorFlow: the yardstick for the pair step.
 *
 * @param count how many.
 * @param side rows and columns of each.
 * @returns seconds.
 */
export async function timeBareTransforms(count: number, side: number, signal?: AbortSignal): Promise<number> {
  const random = new Random(0);
  const part = () =>
    tf.tensor3d(random.fillNormal(new Float32Array(PAIR_BLOCK * side * (side / 2 + 1))), [PAIR_BLOCK, side, side / 2 + 1]);
  const batch = tf.tidy(() => tf.complex(part(), part()));
  try {
    irfft2d(batch).dispose(); // plans and threads start with the first
    let seconds = 0;
    for (let done = 0; done < count; done += PAIR_BLOCK) {
      throwIfAborted(signal, 'The benchmark');
      const rest = count - done;
      const input = rest >= PAIR_BLOCK ? batch : batch.slice([0, 0, 0], [rest, -1, -1]);
      const start = performance.now();
      irfft2d(input).dispose();
      seconds += (performance.now() - start) / 1000;
      if (input !== batch) input.dispose();
      if (done % (16 * PAIR_BLOCK) === 0) await breathe();
    }
    return seconds;
  } finally {
    batch.dispose();
  }
}

/** Time of the pair step, and of its parts: seconds. */
export interface PairStepTimes {
  /** Inverse FFTs alone. */
  readonly transform: number;
  /** Products of the spectra and inverse FFTs. */
  readonly multiply: number;
  /** Products, inverse FFTs and search for the maxima: the pair step. */
  readonly all: number;
}

/**
 * Time of the pair step alone, for all pairs of `count` frames of noise, as the registration does it: on all cores.
 *
 * @param side points of the correlation a side.
 */
export async function timePairStep(count: number, side: number, signal?: AbortSignal): Promise<PairStepTimes> {
  const random = new Random(0);
  const size = count * side * (side / 2 + 1);
  const noise = (): Float32Array => random.fillNormal(new Float32Array(size));
  const spectra = { count, band: side / 2, re: noise(), im: noise() };
  const correlator = new PairCorrelator(spectra, { side, windowSize: side, largest: PAIR_BLOCK * PAIR_BLOCK });
  const range = (start: number) => ({ start, stop: Math.min(count, start + PAIR_BLOCK) });
  try {
    await correlator.search({ rows: range(0), columns: range(0), reach: count }); // starts the threads
    const seconds = { transform: 0, multiply: 0, all: 0 };
    for (let a = 0; a < count; a += PAIR_BLOCK) {
      for (let b = a; b < count; b += PAIR_BLOCK) {
        throwIfAborted(signal, 'The benchmark');
        for (const steps of Object.keys(seconds) as PairSteps[]) {
          const start = performance.now();
          await correlator.search({ rows: range(a), columns: range(b), reach: count }, steps);
          seconds[steps] += (performance.now() - start) / 1000;
        }
      }
    }
    return seconds;
  } finally {
    correlator.dispose();
  }
}
