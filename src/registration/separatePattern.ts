import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import { eigh, readOut, type Steps, tf } from '../backend/index.js';

/** Spectra of N frames, `[N, size, size / 2 + 1]` each part: real FFTs of `size × size` pixels. */
export interface FrameSpectra {
  readonly count: number;
  readonly size: number;
  readonly re: Float32Array;
  readonly im: Float32Array;
}

/** Power per ring |q| of the frequency plane, `[rings]`. */
interface Powers {
  /** Of each component of the sample. */
  readonly sample: readonly Float64Array[];
  readonly pattern: Float64Array;
  readonly noise: Float64Array;
}

/** The spectrum of what stands still. */
export interface PatternSpectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** How far the drift tells each wave from one that moves: 0 not at all, 1 fully. */
  readonly decided: Float64Array;
}

/** All that the solution needs of the frames, a sum over them per frequency; parts `[components, length]` row by row. */
interface Sums {
  readonly frames: number;
  readonly totalRe: Float32Array;
  readonly totalIm: Float32Array;
  readonly energy: Float32Array;
  /** The aligned frames' projection on each component, and the projection of a pattern of 1. */
  readonly projectionRe: Float32Array;
  readonly projectionIm: Float32Array;
  readonly standRe: Float32Array;
  readonly standIm: Float32Array;
}

/** Rounds of estimating the powers: they settle within ten. */
const POWER_ROUNDS = 12;
/** … and from earlier ones within three. */
const POWER_UPDATES = 3;

/** Which ring each stored frequency lies on, and for how many frequencies of the full plane it stands (1 or 2). */
class FrequencyPlane {
  readonly stored: number;
  readonly length: number;
  readonly rings: number;
  readonly ring: Uint16Array;
  readonly multiplicity: Float32Array;
  /** Frequencies of the full plane on each ring. */
  readonly population: Float64Array;

  constructor(readonly size: number) {
    this.stored = size / 2 + 1;
    this.length = size * this.stored;
    this.rings = size / 2 + 1;
    this.ring = new Uint16Array(this.length);
    this.multiplicity = new Float32Array(this.length);
    this.population = new Float64Array(this.rings);
    for (let k = 0; k < size; k++) {
      for (let l = 0; l < this.stored; l++) {
        const q = k * this.stored + l;
        this.ring[q] = Math.min(this.rings - 1, Math.round(Math.hypot(k < size / 2 ? k : k - size, l)));
        this.multiplicity[q] = l === 0 || l === size / 2 ? 1 : 2;
        this.population[this.ring[q]] += this.multiplicity[q];
      }
    }
  }

  /** Cosines or sines of the phases e^{+i q · shift} of M shifts, `[M, length]`. Call inside a tfjs scope. */
  phase(part: 'cos' | 'sin', row: readonly number[], column: readonly number[]): Tensor2D {
    const { size, stored, length } = this;
    const angles = (shift: readonly number[], count: number): Float32Array =>
      Float32Array.from({ length: shift.length * count }, (_, i) => {
        const k = i % count;
        return ((2 * Math.PI) / size) * (k < size / 2 || count === stored ? k : k - size) * shift[Math.floor(i / count)];
      });
    const along = tf.tensor3d(angles(row, size), [row.length, size, 1]);
    const across = tf.tensor3d(angles(column, stored), [column.length, 1, stored]);
    const [cr, sr, cc, sc] = [tf.cos(along), tf.sin(along), tf.cos(across), tf.sin(across)];
    const all = part === 'cos' ? tf.sub(tf.mul(cr, cc), tf.mul(sr, sc)) : tf.add(tf.mul(sr, cc), tf.mul(cr, sc));
    return tf.reshape(all, [row.length, length]) as Tensor2D;
  }
}

/** Drifts of all frames, pixels. */
interface Drifts {
  readonly row: Float64Array;
  readonly column: Float64Array;
}

/**
 * Tells what stands still in frames from what moves with the drift, frequency by frequency.
 *
 * Model: `frame_n(q) = Σ_k c_nk e^{−iq·drift_n} sample_k(q) + pattern(q) + noise`, with the c from the strongest components
 * of the aligned frames. Given the powers of sample, pattern and noise on each ring |q|, the most probable pattern follows
 * in closed form, and the powers from it (empirical Bayes); where the drift leaves open whether a wave moves or stands, the
 * powers divide it. Costs a few hundred operations a frequency and frame.
 */
export class PatternSeparator {
  readonly #spectra: FrameSpectra;
  readonly #plane: FrequencyPlane;
  readonly #components: number;
  #weights: Float32Array = new Float32Array(0);
  #used: readonly number[] = [];
  #solution: Solution | undefined;

  constructor(spectra: FrameSpectra, components: number) {
    this.#spectra = spectra;
    this.#plane = new FrequencyPlane(spectra.size);
    this.#components = components;
  }

  /** The pattern, given the drifts of the frames `used`. Takes the components from frames without the pattern found before. */
  *separate(drift: Drifts, used: readonly number[]): Steps<PatternSpectrum> {
    this.#used = used;
    const sums = yield* this.#collect(drift, [...used.keys()], this.#spectra, true);
    let solution = solvePattern(sums, this.#solution?.powers ?? this.#firstPowers(sums), this.#plane);
    // powers of an earlier solution need a touch only
    const rounds = this.#solution ? POWER_UPDATES : POWER_ROUNDS;
    for (let round = 1; round < rounds; round++) {
      yield;
      solution = solvePattern(sums, solution.powers, this.#plane);
    }
    this.#solution = solution;
    return solution.pattern;
  }

  /** What the sample of the last {@link separate} shows in its frames: spectra `[re, im]`, `[used, length]` each. */
  *predict(drift: Drifts): Steps<[Float32Array, Float32Array]> {
    const { length } = this.#plane;
    const solution = this.#solution as Solution;
    const held = new Held();
    try {
      const [a, b] = held.all(() => {
        const weights = tf.tensor2d(this.#weights, [this.#used.length, this.#keep]);
        const sum = (part: Float32Array) => tf.matMul(weights, tf.tensor2d(part, [this.#keep, length]));
        return [sum(solution.sampleRe), sum(solution.sampleIm)];
      });
      yield;
      const [cos, sin] = yield* this.#phases(drift, this.#used, held);
      const re = readOut(() => tf.add(tf.mul(a, cos), tf.mul(b, sin)));
      yield;
      return [re, readOut(() => tf.sub(tf.mul(b, cos), tf.mul(a, sin)))];
    } finally {
      held.dispose();
    }
  }

  /**
   * Correlation of the patterns that two halves of the frames give, up to 1. Components are weaker in a half than in all
   * frames, so that a little of the sample stays in each half's pattern: at different places, if it lay at different ones.
   *
   * @param halfOf 0 or 1 for each of the frames `used` of the last {@link separate}.
   * @param measured spectra into which nothing was filled that came from all frames.
   */
  *agreement(drift: Drifts, halfOf: Uint8Array, measured: FrameSpectra = this.#spectra): Steps<number> {
    const powers = this.#solution?.powers;
    if (!powers) return 0;
    const halves: PatternSpectrum[] = [];
    for (const half of [0, 1]) {
      const places = [...this.#used.keys()].filter((k) => halfOf[k] === half);
      const sums = yield* this.#collect(drift, places, measured);
      yield;
      halves.push(solvePattern(sums, powers, this.#plane).pattern);
      yield;
    }
    const [a, b] = halves;
    const { multiplicity } = this.#plane;
    let [ab, aa, bb] = [0, 0, 0];
    for (let q = 0; q < multiplicity.length; q++) {
      // waves too long for the drift to tell whether they move would agree whatever they are
      const weight = multiplicity[q] * Math.min(a.decided[q], b.decided[q]) ** 2;
      ab += weight * (a.re[q] * b.re[q] + a.im[q] * b.im[q]);
      aa += weight * (a.re[q] ** 2 + a.im[q] ** 2);
      bb += weight * (b.re[q] ** 2 + b.im[q] ** 2);
    }
    return ab / Math.sqrt(aa * bb || 1);
  }

  get #keep(): number {
    return Math.min(this.#components, this.#used.length - 1);
  }

  *#phases(drift: Drifts, frames: readonly number[], held: Held): Steps<[Tensor2D, Tensor2D]> {
    const shifts = [frames.map((n) => drift.row[n]), frames.map((n) => drift.column[n])] as const;
    const [cos] = held.all(() => [this.#plane.phase('cos', ...shifts)]);
    yield;
    const [sin] = held.all(() => [this.#plane.phase('sin', ...shifts)]);
    yield;
    return [cos, sin];
  }

  #spectraOf(frames: readonly number[], spectra: FrameSpectra): [Tensor2D, Tensor2D] {
    const { length } = this.#plane;
    const part = (values: Float32Array): Tensor2D => {
      const some = new Float32Array(frames.length * length);
      for (const [k, n] of frames.entries()) some.set(values.subarray(n * length, (n + 1) * length), k * length);
      return tf.tensor2d(some, [frames.length, length]);
    };
    return [part(spectra.re), part(spectra.im)];
  }

  /** Frames moved to where the sample stands still, and their phases, until `held` is disposed. */
  *#align(drift: Drifts, frames: readonly number[], spectra: FrameSpectra, held: Held): Steps<Aligned> {
    const [re, im] = held.all(() => this.#spectraOf(frames, spectra));
    yield;
    const [cos, sin] = yield* this.#phases(drift, frames, held);
    const [alignedRe] = held.all(() => [tf.sub(tf.mul(re, cos), tf.mul(im, sin)) as Tensor2D]);
    yield;
    const [alignedIm] = held.all(() => [tf.add(tf.mul(re, sin), tf.mul(im, cos)) as Tensor2D]);
    yield;
    return { re, im, cos, sin, alignedRe, alignedIm };
  }

  /** Strongest left singular vectors of the aligned frames without the pattern, `[used, components]`. */
  *#strongest({ cos, sin, alignedRe, alignedIm }: Aligned, held: Held): Steps<Float32Array> {
    const { length, multiplicity } = this.#plane;
    const rows = this.#used.length;
    const pattern = this.#solution?.pattern;
    const fixed = (part: Float64Array): Tensor => tf.tensor2d(Float32Array.from(part), [1, length]);
    const square = (part: Tensor): Tensor2D => {
      const weighted = tf.mul(part, tf.sqrt(tf.tensor2d(multiplicity, [1, length]))) as Tensor2D;
      return tf.matMul(weighted, weighted, false, true);
    };
    const [a] = held.all(() => {
      if (!pattern) return [square(alignedRe)];
      const moved = tf.sub(tf.mul(cos, fixed(pattern.re)), tf.mul(sin, fixed(pattern.im)));
      return [square(tf.sub(alignedRe, moved))];
    });
    yield;
    const [b] = held.all(() => {
      if (!pattern) return [square(alignedIm)];
      const moved = tf.add(tf.mul(sin, fixed(pattern.re)), tf.mul(cos, fixed(pattern.im)));
      return [square(tf.sub(alignedIm, moved))];
    });
    yield;
    return readOut(() => {
      const gram = tf.add(a, b) as Tensor2D;
      const { vectors } = eigh(tf.div(gram, tf.maximum(tf.max(tf.abs(gram)), 1e-30)));
      return vectors.slice([0, rows - this.#keep], [rows, this.#keep]);
    });
  }

  /** The parts of {@link Sums}. */
  *#sums({ re, im, cos, sin, alignedRe, alignedIm }: Aligned, weights: Float32Array): Steps<Float32Array[]> {
    const project = (values: Tensor2D) => tf.matMul(tf.tensor2d(weights, [values.shape[0], this.#keep]), values, true, false);
    const parts: Float32Array[] = [];
    for (const part of [
      () => tf.sum(re, 0),
      () => tf.sum(im, 0),
      () => tf.sum(tf.add(tf.square(re), tf.square(im)), 0),
      () => project(alignedRe),
      () => project(alignedIm),
      () => project(cos),
      () => project(sin),
    ]) {
      parts.push(readOut(part));
      yield;
    }
    return parts;
  }

  /** Sums over some of the frames `used`, given by their places there; with the components of all of them, or of before. */
  *#collect(drift: Drifts, places: readonly number[], spectra: FrameSpectra, anew = false): Steps<Sums> {
    const frames = places.map((k) => this.#used[k]);
    const held = new Held();
    try {
      const aligned = yield* this.#align(drift, frames, spectra, held);
      if (anew) this.#weights = yield* this.#strongest(aligned, held);
      yield;
      const keep = this.#keep;
      const rows = places.flatMap((k) => [...this.#weights.subarray(k * keep, (k + 1) * keep)]);
      return nameSums(frames.length, yield* this.#sums(aligned, Float32Array.from(rows)));
    } finally {
      held.dispose();
    }
  }

  /** As if nothing stood still, with a pattern as strong as the noise. */
  #firstPowers({ frames, energy, projectionRe, projectionIm }: Sums): Powers {
    const { rings, ring, multiplicity, population, length } = this.#plane;
    const sample = Array.from({ length: this.#keep }, () => new Float64Array(rings).fill(LEAST));
    const noise = new Float64Array(rings).fill(LEAST);
    for (let q = 0; q < length; q++) {
      let rest = energy[q];
      const share = multiplicity[q] / population[ring[q]];
      for (let i = 0; i < sample.length; i++) {
        const power = projectionRe[i * length + q] ** 2 + projectionIm[i * length + q] ** 2;
        sample[i][ring[q]] += share * power;
        rest -= power;
      }
      noise[ring[q]] += (share * Math.max(0, rest)) / frames;
    }
    return { sample, pattern: noise.slice(), noise };
  }
}

/** Tensors that outlive a tfjs scope. */
class Held {
  readonly #tensors: Tensor[] = [];

  all<T extends Tensor[]>(compute: () => T): T {
    const made = tf.tidy(compute);
    this.#tensors.push(...made);
    return made;
  }

  dispose(): void {
    tf.dispose(this.#tensors.splice(0));
  }
}

/** Frames, their phases, and the frames in register; `[frames, length]`. */
interface Aligned {
  readonly re: Tensor2D;
  readonly im: Tensor2D;
  readonly cos: Tensor2D;
  readonly sin: Tensor2D;
  readonly alignedRe: Tensor2D;
  readonly alignedIm: Tensor2D;
}

function nameSums(frames: number, parts: readonly Float32Array[]): Sums {
  const [totalRe, totalIm, energy, projectionRe, projectionIm, standRe, standIm] = parts;
  return { frames, totalRe, totalIm, energy, projectionRe, projectionIm, standRe, standIm };
}

/** Keeps powers off 0. */
const LEAST = 1e-30;

interface Solution {
  readonly pattern: PatternSpectrum;
  /** Spectra of the sample's components, `[components, length]`. */
  readonly sampleRe: Float32Array;
  readonly sampleIm: Float32Array;
  readonly powers: Powers;
}

/** The most probable pattern for the powers, and the powers that it and the sample's components show. */
function solvePattern(sums: Sums, powers: Powers, plane: FrequencyPlane): Solution {
  const { frames, totalRe, totalIm, energy, projectionRe, projectionIm, standRe, standIm } = sums;
  const { rings, ring, multiplicity, population, length } = plane;
  const keep = powers.sample.length;
  const pattern = { re: new Float64Array(length), im: new Float64Array(length), decided: new Float64Array(length) };
  const sampleRe = new Float32Array(keep * length);
  const sampleIm = new Float32Array(keep * length);
  const next = {
    sample: powers.sample.map(() => new Float64Array(rings).fill(LEAST)),
    pattern: new Float64Array(rings).fill(LEAST),
    noise: new Float64Array(rings).fill(LEAST),
  };
  const shrink = powers.sample.map((power) => power.map((value, i) => 1 / (1 + powers.noise[i] / value)));
  for (let q = 0; q < length; q++) {
    const i = ring[q];
    const noise = powers.noise[i];
    const share = multiplicity[q] / population[i];
    // the components are orthonormal: their block of the normal equations is diagonal, and leaves one equation
    let left = frames + noise / powers.pattern[i];
    let re = totalRe[q];
    let im = totalIm[q];
    for (let k = 0, at = q; k < keep; k++, at += length) {
      const h = shrink[k][i];
      left -= h * (standRe[at] ** 2 + standIm[at] ** 2);
      re -= h * (standRe[at] * projectionRe[at] + standIm[at] * projectionIm[at]);
      im -= h * (standRe[at] * projectionIm[at] - standIm[at] * projectionRe[at]);
    }
    const open = left - noise / powers.pattern[i];
    left = Math.max(left, 1e-6 * frames);
    re /= left;
    im /= left;
    const variance = noise / left;
    pattern.re[q] = re;
    pattern.im[q] = im;
    pattern.decided[q] = Math.min(1, Math.max(0, open / frames));
    next.pattern[i] += share * (re * re + im * im + variance);
    let rest = energy[q] - 2 * (re * totalRe[q] + im * totalIm[q]) + frames * (re * re + im * im);
    for (let k = 0, at = q; k < keep; k++, at += length) {
      const h = shrink[k][i];
      const ar = projectionRe[at] - (standRe[at] * re - standIm[at] * im);
      const ai = projectionIm[at] - (standRe[at] * im + standIm[at] * re);
      const power = ar * ar + ai * ai;
      sampleRe[at] = h * ar;
      sampleIm[at] = h * ai;
      const stand = standRe[at] ** 2 + standIm[at] ** 2;
      next.sample[k][i] += share * (h * h * power + noise * h + h * h * stand * variance);
      rest -= (2 * h - h * h) * power;
    }
    next.noise[i] += (share * Math.max(0, rest)) / Math.max(1, frames - keep - 1);
  }
  return { pattern, sampleRe, sampleIm, powers: next };
}
