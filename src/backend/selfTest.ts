import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { eigh } from './eigh.js';
import { irfft2d, rfft2d } from './fft.js';
import { selfTestPairs } from './selfTestPairs.js';
import { backendInfo, tf } from './start.js';

/** How one kernel did on one size. */
export interface SelfTestResult {
  /** The operation, e.g. `rfft2d`. */
  readonly kernel: string;
  /** Shape of the input. */
  readonly shape: readonly number[];
  /** What was compared: `tensorflow` with `cpu`, or one of them or the compiled kernel with the operation's definition. */
  readonly tested: 'tensorflow' | 'cpu' | 'webassembly';
  readonly against: 'cpu' | 'definition';
  /** Largest difference of an element, as a share of the root mean square of the expected result. NaN where it did not run. */
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
  /** The message where a kernel threw. */
  readonly problem: string | undefined;
}

interface SelfTestCase {
  readonly kernel: string;
  readonly shape: readonly [number, number, number];
  readonly tolerance: number;
  /** Gives real tensors, so that the results of two backends can be compared. */
  readonly run: (input: Tensor) => Tensor;
  /** The same by definition, in double precision. */
  readonly define: (input: Float32Array, shape: readonly [number, number, number]) => Float64Array;
}

// 24 bits a number and about 2 log2(size) roundings on the way give 1e-6; a wrong sign, order or factor gives 1.
const TOLERANCE = 1e-5;
// A power of two, products of 2, 3 and 5, more rows than columns and fewer; three images a batch.
const SHAPES: readonly (readonly [number, number, number])[] = [
  [3, 32, 32],
  [3, 20, 36],
  [2, 48, 30],
];

/** Spectrum `[batch, rows, columns / 2 + 1]` as real and imaginary parts, interleaved: columns first, then rows. */
function defineForward(input: Float32Array, [batch, rows, columns]: readonly [number, number, number]): Float64Array {
  const stored = columns / 2 + 1;
  const out = new Float64Array(batch * rows * stored * 2);
  const half = new Float64Array(rows * stored * 2);
  for (let b = 0; b < batch; b++) {
    half.fill(0);
    for (let r = 0; r < rows; r++)
      for (let l = 0; l < stored; l++)
        for (let c = 0; c < columns; c++) {
          const phase = (-2 * Math.PI * ((l * c) % columns)) / columns;
          const value = input[(b * rows + r) * columns + c];
          half[2 * (r * stored + l)] += value * Math.cos(phase);
          half[2 * (r * stored + l) + 1] += value * Math.sin(phase);
        }
    for (let k = 0; k < rows; k++)
      for (let r = 0; r < rows; r++) {
        const phase = (-2 * Math.PI * ((k * r) % rows)) / rows;
        const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
        for (let l = 0; l < stored; l++) {
          const at = 2 * ((b * rows + k) * stored + l);
          const [re, im] = [half[2 * (r * stored + l)], half[2 * (r * stored + l) + 1]];
          out[at] += re * cos - im * sin;
          out[at + 1] += re * sin + im * cos;
        }
      }
  }
  return out;
}

/** A symmetric matrix of the first rows and columns. */
function symmetric(input: Tensor, size: number): Tensor {
  const matrix = input.slice([0, 0, 0], [1, size, size]).reshape([size, size]);
  return tf.add(matrix, tf.transpose(matrix));
}

const CASES: readonly SelfTestCase[] = SHAPES.flatMap((shape) => [
  {
    kernel: 'eigh',
    shape,
    tolerance: 4 * TOLERANCE,
    // the matrix put together again: eigenvectors themselves are free in their sign
    run: (input: Tensor) => {
      const { values, vectors } = eigh(symmetric(input, Math.min(shape[1], shape[2])) as Tensor2D);
      return tf.matMul(tf.mul(vectors, values.reshape([1, -1])), vectors, false, true);
    },
    define: (input, [, rows, columns]) => {
      const size = Math.min(rows, columns);
      return Float64Array.from({ length: size * size }, (_, i) => {
        const [r, c] = [Math.floor(i / size), i % size];
        return input[r * columns + c] + input[c * columns + r];
      });
    },
  },
  {
    kernel: 'rfft2d',
    shape,
    tolerance: TOLERANCE,
    run: (input: Tensor) => {
      const spectrum = rfft2d(input);
      return tf.stack([tf.real(spectrum), tf.imag(spectrum)], -1);
    },
    define: defineForward,
  },
  {
    kernel: 'irfft2d',
    shape,
    tolerance: TOLERANCE,
    // A spectrum in which no symmetry hides a mistake, and whose inverse is known: of the input shifted by one row and
    // two columns, made by the phase factor of the shift.
    run: (input: Tensor) => irfft2d(shiftedSpectrum(input, shape)),
    define: (input, [batch, rows, columns]) =>
      Float64Array.from({ length: batch * rows * columns }, (_, i) => {
        const c = i % columns;
        const r = Math.floor(i / columns) % rows;
        const b = Math.floor(i / (rows * columns));
        return input[(b * rows + ((r + rows - 1) % rows)) * columns + ((c + columns - 2) % columns)];
      }),
  },
]);

/** The input's spectrum from its definition, times the phase of a shift by one row and two columns. */
function shiftedSpectrum(input: Tensor, shape: readonly [number, number, number]): Tensor {
  const [batch, rows, columns] = shape;
  const stored = columns / 2 + 1;
  const spectrum = defineForward(input.dataSync() as Float32Array, shape);
  const re = new Float32Array(spectrum.length / 2);
  const im = new Float32Array(spectrum.length / 2);
  for (let i = 0; i < re.length; i++) {
    const l = i % stored;
    const k = Math.floor(i / stored) % rows;
    const phase = -2 * Math.PI * (k / rows + (2 * l) / columns);
    const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
    re[i] = spectrum[2 * i] * cos - spectrum[2 * i + 1] * sin;
    im[i] = spectrum[2 * i] * sin + spectrum[2 * i + 1] * cos;
  }
  const full = [batch, rows, stored];
  return tf.complex(tf.tensor(re, full), tf.tensor(im, full));
}

/** Seeded values around a mean, as pixels are (mulberry32, by its published formula). */
function pixels(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 + 0.5;
  });
}

function runOn(backend: string, test: SelfTestCase, input: Float32Array): Float32Array {
  const previous = tf.getBackend();
  tf.setBackend(backend);
  try {
    return tf.tidy(() => test.run(tf.tensor(input, [...test.shape])).dataSync() as Float32Array);
  } finally {
    tf.setBackend(previous);
  }
}

function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(got[i] - expected[i]);
    if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, difference);
    squares += expected[i] ** 2;
  }
  return largest / Math.sqrt(squares / expected.length);
}

type Outcome = { readonly values: ArrayLike<number> } | { readonly problem: string };

function attempt(compute: () => ArrayLike<number>): Outcome {
  try {
    return { values: compute() };
  } catch (error) {
    return { problem: String(error instanceof Error ? error.message : error).split('\n')[0] };
  }
}

function judge(
  test: SelfTestCase,
  what: Pick<SelfTestResult, 'tested' | 'against'>,
  got: Outcome,
  expected: Outcome,
): SelfTestResult {
  const base = { kernel: test.kernel, shape: test.shape, ...what, tolerance: test.tolerance };
  if ('problem' in got) return { ...base, error: Number.NaN, passed: false, problem: got.problem };
  if ('problem' in expected)
    return { ...base, error: Number.NaN, passed: false, problem: `${what.against}: ${expected.problem}` };
  const error = relativeError(got.values, expected.values);
  return { ...base, error, passed: error <= test.tolerance, problem: undefined };
}

/**
 * Tests every kernel of the backend room on seeded input: the portable one against the operation's definition in double
 * precision, the native one (where it loads) against the portable one, the
 * compiled one against the definition. About 0.3 s.
 *
 * @returns one result for each kernel, size and comparison; `passed` is false also where a kernel throws.
 */
export async function selfTest(): Promise<SelfTestResult[]> {
  const compared = CASES.flatMap((test, index) => {
    const input = pixels(
      test.shape.reduce((product, size) => product * size, 1),
      index + 1,
    );
    const portable = attempt(() => runOn('cpu', test, input));
    const results = [judge(test, { tested: 'cpu', against: 'definition' }, portable, { values: test.define(input, test.shape) })];
    if (backendInfo.name === 'tensorflow') {
      const native = attempt(() => runOn('tensorflow', test, input));
      results.push(judge(test, { tested: 'tensorflow', against: 'cpu' }, native, portable));
    }
    return results;
  });
  return [...compared, ...(await selfTestPairs())];
}
