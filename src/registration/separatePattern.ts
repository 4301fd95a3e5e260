import { eigh, readAll, tf } from '../backend/index.js';
import { shiftCubic } from './shiftCubic.js';
import { extent, median } from './statistics.js';

/** Where the sample lies in each frame. */
export interface FramePositions {
  readonly row: Float64Array;
  readonly column: Float64Array;
  /** 1 where it is known; the other frames are left out. */
  readonly solved: Uint8Array;
}

/** What a model of the sample does not explain, in detector coordinates, `[height, width]`; 0 where too few frames tell it. */
export interface RestOfModel {
  readonly mean: Float32Array;
  /** The same of two halves of the frames, between which the sample moved. */
  readonly halves: readonly [Float32Array, Float32Array];
}

/** The sample in its own coordinates: NaN where too few frames show it. */
interface SampleModel {
  readonly mean: Float32Array;
  /** `[components, height · width]`. */
  readonly components: Float32Array;
  /** Of each frame, `[frames, components]`. */
  readonly scores: Float32Array;
  readonly count: number;
}

/**
 * Tells what stands still from what moves, given the drifts: brings the frames into register, approximates them by their
 * mean and a few principal components, moves that model back into each frame, and averages what is left. Its memory is one
 * copy of the frames; a call passes over each frame twice.
 */
export class PatternSeparator {
  readonly #frames: readonly Float32Array[];
  readonly #shape: readonly [number, number];
  readonly #size: number;
  readonly #aligned: Float32Array;
  readonly #image: Float32Array;
  readonly #shifted: Float32Array;

  /** @param frames logarithms of counts, `[height, width]` each; NaN: no such pixel. */
  constructor(frames: readonly Float32Array[], shape: readonly [number, number]) {
    this.#frames = frames;
    this.#shape = shape;
    this.#size = shape[0] * shape[1];
    this.#aligned = new Float32Array(frames.length * this.#size);
    this.#image = new Float32Array(this.#size);
    this.#shifted = new Float32Array(this.#size);
  }

  /**
   * What is left of the frames without `pattern` and without the model of the sample.
   *
   * @param pattern subtracted from all frames, `[height, width]`.
   * @param components of the model, besides its mean.
   */
  rest(pattern: Float32Array, positions: FramePositions, components: number): RestOfModel {
    const used = this.#frames.map((_, n) => n).filter((n) => positions.solved[n]);
    // sample coordinates: about the middle of the drifts, so that the frames overlap as far as they can
    const [row, column] = [positions.row, positions.column].map((values) => median(used.map((n) => values[n])));
    const shifts = used.map((n): [number, number] => [positions.row[n] - row, positions.column[n] - column]);
    const covered = this.#align(used, shifts, pattern);
    const model = this.#model(used.length, covered, components);
    return this.#average(used, shifts, pattern, model, splitByPlace(used, positions));
  }

  /** Frames in sample coordinates, each with mean 0; gives how many show each pixel. */
  #align(used: readonly number[], shifts: readonly (readonly [number, number])[], pattern: Float32Array): Float32Array {
    const covered = new Float32Array(this.#size);
    for (const [k, n] of used.entries()) {
      difference(this.#frames[n], pattern, this.#image);
      const out = this.#aligned.subarray(k * this.#size, (k + 1) * this.#size);
      shiftCubic(this.#image, this.#shape, [-shifts[k][0], -shifts[k][1]], out);
      subtractMean(out, covered);
    }
    return covered;
  }

  /** Mean and strongest components of the aligned frames, whose missing pixels become 0: they neither add nor take. */
  #model(count: number, covered: Float32Array, components: number): SampleModel {
    const size = this.#size;
    const mean = new Float32Array(size);
    for (let k = 0; k < count; k++) addKnown(this.#aligned.subarray(k * size, (k + 1) * size), mean);
    for (let i = 0; i < size; i++) mean[i] = covered[i] > 0 ? mean[i] / covered[i] : 0;
    for (let k = 0; k < count; k++) subtractKnown(this.#aligned.subarray(k * size, (k + 1) * size), mean);
    const model = principalComponents(this.#aligned.subarray(0, count * size), count, size, components);
    const enough = leastFrames(count);
    for (let i = 0; i < size; i++) if (covered[i] < enough) mean[i] = Number.NaN;
    return { mean, ...model };
  }

  /** Moves the model back into each frame, and averages what it leaves, offset by offset. */
  #average(
    used: readonly number[],
    shifts: readonly (readonly [number, number])[],
    pattern: Float32Array,
    model: SampleModel,
    halfOf: Uint8Array,
  ): RestOfModel {
    const size = this.#size;
    const halves = [0, 1].map(() => ({ sum: new Float32Array(size), count: new Float32Array(size) }));
    for (const [k, n] of used.entries()) {
      predict(model, k, this.#image);
      shiftCubic(this.#image, this.#shape, shifts[k], this.#shifted);
      const { sum, count } = halves[halfOf[k]];
      addRest(this.#frames[n], pattern, this.#shifted, sum, count);
    }
    const [one, other] = halves;
    const enough = leastFrames(used.length);
    const mean = one.sum.map((value, i) => {
      const count = one.count[i] + other.count[i];
      return count >= enough ? (value + other.sum[i]) / count : 0;
    });
    const alone = ({ sum, count }: typeof one): Float32Array => sum.map((value, i) => (count[i] > 0 ? value / count[i] : 0));
    return { mean, halves: [alone(one), alone(other)] };
  }
}

/** Frames that must show a pixel for it to be told. */
function leastFrames(count: number): number {
  return Math.max(2, count / 4);
}

function difference(a: Float32Array, b: Float32Array, out: Float32Array): void {
  for (let i = 0; i < out.length; i++) out[i] = a[i] - b[i];
}

/** Makes the mean of an image's known pixels 0, and counts them. */
function subtractMean(image: Float32Array, covered: Float32Array): void {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < image.length; i++) {
    const value = image[i];
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
    covered[i]++;
  }
  const mean = sum / count;
  for (let i = 0; i < image.length; i++) image[i] -= mean;
}

function addKnown(image: Float32Array, sum: Float32Array): void {
  for (let i = 0; i < image.length; i++) {
    const value = image[i];
    if (!Number.isNaN(value)) sum[i] += value;
  }
}

function subtractKnown(image: Float32Array, mean: Float32Array): void {
  for (let i = 0; i < image.length; i++) {
    const value = image[i];
    image[i] = Number.isNaN(value) ? 0 : value - mean[i];
  }
}

/** Frame `k` as the model has it, in sample coordinates. */
function predict({ mean, components, scores, count }: SampleModel, k: number, out: Float32Array): void {
  out.set(mean);
  for (let c = 0; c < count; c++) {
    const score = scores[k * count + c];
    const component = components.subarray(c * out.length, (c + 1) * out.length);
    for (let i = 0; i < out.length; i++) out[i] += score * component[i];
  }
}

/** Adds `frame − pattern − model`, without its mean, to `sum`, where all are known. Overwrites `model`. */
function addRest(frame: Float32Array, pattern: Float32Array, model: Float32Array, sum: Float32Array, count: Float32Array): void {
  let total = 0;
  let known = 0;
  for (let i = 0; i < model.length; i++) {
    const value = frame[i] - pattern[i] - model[i];
    model[i] = value;
    if (Number.isNaN(value)) continue;
    total += value;
    known++;
  }
  const mean = total / Math.max(1, known);
  for (let i = 0; i < model.length; i++) {
    const value = model[i];
    if (Number.isNaN(value)) continue;
    sum[i] += value - mean;
    count[i]++;
  }
}

/** Two halves of the frames between which the sample moved: only what stands still on the detector is common to them. */
function splitByPlace(used: readonly number[], { row, column }: FramePositions): Uint8Array {
  const of = (values: Float64Array): number[] => used.map((n) => values[n]);
  const axis = extent(of(row)) >= extent(of(column)) ? of(row) : of(column);
  const order = used.map((_, k) => k).sort((a, b) => axis[a] - axis[b]);
  const out = new Uint8Array(used.length);
  for (const [rank, k] of order.entries()) out[k] = rank < used.length / 2 ? 0 : 1;
  return out;
}

/** The strongest components of `rows` vectors and the vectors' scores, through the eigenvectors of their Gram matrix. */
function principalComponents(
  values: Float32Array,
  rows: number,
  columns: number,
  wanted: number,
): Pick<SampleModel, 'components' | 'scores' | 'count'> {
  const count = Math.min(wanted, rows - 1);
  const [scores, components] = readAll(() => {
    const all = tf.tensor2d(values, [rows, columns]);
    const gram = tf.matMul(all, all, false, true);
    const { vectors } = eigh(tf.div(gram, tf.maximum(tf.max(tf.abs(gram)), 1e-30)));
    const strongest = vectors.slice([0, rows - count], [rows, count]);
    return [strongest, tf.matMul(strongest, all, true, false)];
  });
  return { scores, components, count };
}
