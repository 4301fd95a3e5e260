// Ziggurat of 128 layers (Marsaglia and Tsang 2000, doi 10.18637/jss.v005.i08): layer areas are equal, the last layer holds the tail.
const LAYERS = 128;
const TAIL_START = 3.442619855899;
const LAYER_AREA = 9.91256303526217e-3;
const SCALE = 2 ** 31;

interface Ziggurat {
  /** |integer| below which a draw lies in the layer's inner rectangle. */
  readonly accept: Float64Array;
  /** Width of the layer for a draw of 1. */
  readonly width: Float64Array;
  /** Density at the layer's outer edge. */
  readonly density: Float64Array;
}

function buildZiggurat(): Ziggurat {
  const accept = new Float64Array(LAYERS);
  const width = new Float64Array(LAYERS);
  const density = new Float64Array(LAYERS);
  let outer = TAIL_START;
  let inner = TAIL_START;
  const base = LAYER_AREA / Math.exp(-0.5 * outer * outer);
  accept[0] = (outer / base) * SCALE;
  accept[1] = 0;
  width[0] = base / SCALE;
  width[LAYERS - 1] = outer / SCALE;
  density[0] = 1;
  density[LAYERS - 1] = Math.exp(-0.5 * outer * outer);
  for (let i = LAYERS - 2; i >= 1; i--) {
    outer = Math.sqrt(-2 * Math.log(LAYER_AREA / outer + Math.exp(-0.5 * outer * outer)));
    accept[i + 1] = (outer / inner) * SCALE;
    inner = outer;
    density[i] = Math.exp(-0.5 * outer * outer);
    width[i] = outer / SCALE;
  }
  return { accept, width, density };
}

const ZIGGURAT: Ziggurat = buildZiggurat();

/** Turns a seed and a stream number into well mixed 32-bit words (splitmix32's finalizer). */
function* mixedWords(seed: number, stream: number): Generator<number, never> {
  // both halves of a large seed count
  let state =
    ((seed % 2 ** 32) >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32) >>> 0, 0x85ebca6b) ^ Math.imul(stream + 1, 0x9e3779b1);
  for (;;) {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    yield word ^ (word >>> 15);
  }
}

/**
 * Seeded random numbers: the only source of randomness of the library. The same seed and stream give the same numbers
 * on every machine; streams of one seed (one for each frame, say) are independent of the order in which they are used.
 *
 * xoshiro128** (Blackman and Vigna, doi 10.1145/3460772), normals by the ziggurat; about 5 ns a number.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed whole number from 0.
   * @param stream whole number from 0: independent streams of one seed; default 0.
   */
  constructor(seed: number, stream = 0) {
    const words = mixedWords(seed, stream);
    this.#a = words.next().value;
    this.#b = words.next().value;
    this.#c = words.next().value;
    this.#d = words.next().value | 1;
  }

  /** A signed 32-bit integer, all values equally likely. */
  integer32(): number {
    const b = this.#b;
    const scaled = Math.imul(b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9);
    const shifted = b << 9;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b = b ^ this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    const d = this.#d;
    this.#d = (d << 11) | (d >>> 21);
    return result;
  }

  /** Uniform in [low, high), with 32 random bits. */
  uniform(low = 0, high = 1): number {
    return low + ((this.integer32() >>> 0) / 2 ** 32) * (high - low);
  }

  /** Normal with the given mean and standard deviation. */
  normal(mean = 0, deviation = 1): number {
    const { accept, width, density } = ZIGGURAT;
    for (;;) {
      const draw = this.integer32();
      const layer = draw & (LAYERS - 1);
      const value = draw * width[layer];
      if (Math.abs(draw) < accept[layer]) return mean + deviation * value;
      if (layer === 0) return mean + deviation * this.#tail(draw < 0);
      const edge = density[layer] + this.uniform() * (density[layer - 1] - density[layer]);
      if (edge < Math.exp(-0.5 * value * value)) return mean + deviation * value;
    }
  }

  /** Fills an array with normals and gives it back. */
  fillNormal<T extends Float32Array | Float64Array>(out: T, mean = 0, deviation = 1): T {
    for (let i = 0; i < out.length; i++) out[i] = this.normal(mean, deviation);
    return out;
  }

  /**
   * Poisson count. Exact (multiplication of uniforms) below a mean of 30; beyond, the rounded normal of the same mean
   * and variance, which differs from it in the skewness alone.
   */
  poisson(mean: number): number {
    if (mean >= 30) return Math.max(0, Math.round(this.normal(mean, Math.sqrt(mean))));
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  #tail(negative: boolean): number {
    for (;;) {
      const x = -Math.log(1 - this.uniform()) / TAIL_START;
      const y = -Math.log(1 - this.uniform());
      if (2 * y >= x * x) return negative ? -TAIL_START - x : TAIL_START + x;
    }
  }
}
