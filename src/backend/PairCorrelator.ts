import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { throwIfAborted } from '../errors.js';
import { PairThreads } from './PairThreads.js';
import { Pace } from './pace.js';
import { type WebAssemblyMemory, type WebAssemblyModule, webAssembly } from './webAssembly.js';

/** Spectra of real images: rows with negative frequencies from `band` on, columns 0 … band, the Nyquist ones left out. */
export interface PairSpectra {
  readonly count: number;
  readonly band: number;
  /** `[count, 2·band, band + 1]`. */
  readonly re: Float32Array;
  readonly im: Float32Array;
}

/** Pairs of a frame i of `rows` and a frame j of `columns` with i < j ≤ i + reach. */
export interface PairJob {
  readonly rows: { readonly start: number; readonly stop: number };
  /** `start` must be a multiple of 4. */
  readonly columns: { readonly start: number; readonly stop: number };
  readonly reach: number;
  /** Ends the job early, and the threads with it: no other job can be done then. */
  readonly signal?: AbortSignal | undefined;
}

/** What the search does with each pair: for measurements, steps can be left out. */
export type PairSteps = 'transform' | 'multiply' | 'all';

export interface PairCorrelatorOptions {
  /**
   * Points of the coarse correlation a side, see {@link fitsPairKernel}: more than `2·band` make the grid finer, fewer
   * leave the highest frequencies out.
   */
  readonly side: number;
  /** Side of the images, pixels: a frequency of 1 is 2π / windowSize radians a pixel. */
  readonly windowSize: number;
  /** Pairs of the largest job: rows times columns, the columns rounded up to a multiple of 4. */
  readonly largest: number;
  /** Worker threads; 0 computes on the calling one. Default: one a core, up to 8. */
  readonly threads?: number | undefined;
}

interface Kernel {
  work(job: number, scratch: number): void;
}

const PAGE = 65536;
/** Bytes of complex numbers of four lanes, and of a result: row, column, height. */
const COMPLEX = 32;
const RESULT = 12;
const MODES: Readonly<Record<PairSteps, number>> = { transform: 0, multiply: 2, all: 3 };
const REFINE = 4;
/** Order of the Taylor polynomial: x^a · y^b with a + b up to 4. */
const ORDER = 4;
/** Rows of a job that the calling thread does without a breath. */
const ROWS_AT_ONCE = 4;
const STEP = 'Comparing pairs of frames';

/** Threads of a correlator that was never disposed, because what used it was cut off, end with it. */
const abandoned = new FinalizationRegistry<PairThreads>((threads) => threads.end());

let compiled: WebAssemblyModule | null | undefined;

/** The compiled kernel; undefined where it was not built or the processor has no vector instructions. */
function loadModule(): WebAssemblyModule | undefined {
  if (compiled === undefined) {
    const places = ['./correlation.wasm', '../../dist/backend/correlation.wasm'];
    const path = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file));
    const code = path === undefined ? undefined : readFileSync(path);
    compiled = code && webAssembly.validate(code) ? new webAssembly.Module(code) : null;
  }
  return compiled ?? undefined;
}

/** Whether the compiled kernel can be had here. */
export function hasPairKernel(): boolean {
  return loadModule() !== undefined;
}

/** Whether transforms of this side can be done: 2^a or 3·2^a, 16 … 512. */
export function fitsPairKernel(side: number): boolean {
  const odd = side % 3 === 0 ? side / 3 : side;
  return side >= 16 && side <= 512 && Number.isInteger(Math.log2(odd));
}

/** e^{2πi·p·k / length} of each step, in the order in which the kernel reads them. */
function twiddleFactors(side: number): Float32Array {
  const out: number[] = [];
  for (let length = side; length > 1; ) {
    const radix = length % 4 === 0 ? 4 : length % 2 === 0 ? 2 : 3;
    for (let p = 0; p < length / radix; p++) {
      for (let k = 1; k < radix; k++) {
        const angle = (2 * Math.PI * p * k) / length;
        out.push(Math.cos(angle), Math.sin(angle));
      }
    }
    length /= radix;
  }
  return Float32Array.from(out);
}

/** Tables of the refinement: weights of the columns, powers of the rows, and what each coefficient is multiplied by. */
function refinementTables(band: number, windowSize: number): ArrayBuffer {
  const groups = Math.ceil(band / 4);
  const floats = new Float32Array(5 * groups * 4 + band * 4);
  for (let b = 0; b <= ORDER; b++) {
    // the half of the spectrum that is not stored counts through the factor 2
    for (let l = 0; l < band; l++) floats[b * groups * 4 + l] = (l / band) ** b * (l === 0 ? 1 : 2);
  }
  for (let k = 0; k < band; k++) for (let a = 1; a <= ORDER; a++) floats[5 * groups * 4 + k * 4 + a - 1] = (k / band) ** a;
  // frequencies are in units of the band, so that all moments have one magnitude
  const unit = (2 * Math.PI * band) / windowSize;
  const factorial = [1, 1, 2, 6, 24];
  const factors: number[] = [];
  for (let n = 0; n <= ORDER; n++) {
    // i^n: real for even n with sign + − +, and through the imaginary part, −·Im, +·Im, for odd n
    const sign = n === 1 || n === 2 ? -1 : 1;
    for (let a = n; a >= 0; a--) factors.push((sign * unit ** n) / (factorial[a] * factorial[n - a]));
  }
  const out = new ArrayBuffer(floats.byteLength + 8 * factors.length);
  new Float32Array(out, 0, floats.length).set(floats);
  new Uint8Array(out, floats.byteLength).set(new Uint8Array(Float64Array.from(factors).buffer));
  return out;
}

/**
 * Correlation maxima of many pairs of frames, on all cores. The search does product, inverse FFT and maximum in one pass
 * through the processor's cache, four pairs at a time in vector registers; the refinement takes the correlation's Taylor
 * polynomial of fourth order about the coarse maximum, exact in the band, and climbs it with Newton's method. The results
 * do not depend on the number of threads. WebAssembly; memory: the spectra once more, and 4 · side² bytes a frame.
 */
export class PairCorrelator {
  readonly #memory: WebAssemblyMemory;
  readonly #kernel: Kernel;
  readonly #threads = new PairThreads();
  readonly #at: { readonly job: number; readonly results: number; readonly scratch: number };
  readonly #largest: number;
  readonly #gridStep: number;
  #queue: Promise<unknown> = Promise.resolve();

  /**
   * @param spectra what is to be correlated; copied.
   * @throws RangeError if `side` does not fit, or if the system has no memory for it.
   */
  constructor(spectra: PairSpectra, options: PairCorrelatorOptions) {
    const { side, windowSize, largest, threads = Math.min(8, availableParallelism()) } = options;
    const { count, band } = spectra;
    const module = loadModule();
    if (!module) throw new RangeError('PairCorrelator: the compiled kernel is not there; ask hasPairKernel() first');
    if (!fitsPairKernel(side)) throw new RangeError(`PairCorrelator: 'side' must be 2^a or 3·2^a, 16 … 512, got ${side}`);
    const twiddles = twiddleFactors(side);
    const tables = refinementTables(band, windowSize);
    const coarseFloats = Math.ceil(count / 4) * (side / 2) * side * 8;
    const wideFloats = count * Math.ceil(band / 4) * 2 * band * 8;
    const searchScratch = ((side / 2) * (side + 1) + 3 * side) * COMPLEX + side * side * 16;
    const refineScratch = 15 * 24 + 24 + band * 8 + (band + 3) * 8;
    // the compiler keeps the first page to itself
    const take = places(PAGE);
    const job = take(128);
    const at = {
      twiddles: take(twiddles.byteLength),
      tables: take(tables.byteLength),
      results: take(largest * RESULT),
      coarse: take(4 * coarseFloats),
      wide: take(4 * wideFloats),
    };
    const scratch = Array.from({ length: threads + 1 }, () => take(Math.max(searchScratch, refineScratch)));
    const pages = Math.ceil(take(0) / PAGE);
    this.#memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const { buffer } = this.#memory;
    this.#at = { job, results: at.results, scratch: scratch[threads] };
    this.#largest = largest;
    this.#gridStep = windowSize / side;
    new Float32Array(buffer, at.twiddles).set(twiddles);
    new Uint8Array(buffer, at.tables).set(new Uint8Array(tables));
    packGroups(spectra, side, new Float32Array(buffer, at.coarse, coarseFloats));
    packColumns(spectra, new Float32Array(buffer, at.wide, wideFloats));
    new Uint32Array(buffer, job + 28, 7).set([side, at.coarse, at.twiddles, band, at.wide, at.tables, at.results]);
    // the correlation of edge images is about as wide as its highest strong frequencies are long
    const radius = (1.2 * windowSize) / (Math.PI * band);
    new Float64Array(buffer, job + 56, 2).set([(2 * Math.PI) / windowSize, radius]);
    this.#kernel = new webAssembly.Instance(module, { env: { memory: this.#memory } }).exports as Kernel;
    for (let t = 0; t < threads; t++) this.#threads.start({ module, memory: this.#memory, job, scratch: scratch[t] });
    abandoned.register(this, this.#threads, this);
  }

  /**
   * @returns float32 `[rows, columns rounded up to 4, 3]`: place of the coarse maximum along rows and columns in pixels,
   *   with the vertex of a parabola through its neighbors, and its height, the sum over the whole spectrum. Pairs that were
   *   not asked for hold anything.
   */
  async search(job: PairJob, steps: PairSteps = 'all'): Promise<Float32Array> {
    const found = await this.#next(job, MODES[steps]);
    for (let at = 0; at < found.length; at += 3) {
      found[at] *= this.#gridStep;
      found[at + 1] *= this.#gridStep;
    }
    return found;
  }

  /**
   * @param coarse as {@link search} gives it; pairs of height 0 are left alone. Refined in its place.
   * @returns the same with the place and height of the refined maximum; where there is none within reach, the coarse place
   *   stays, with the height there.
   */
  async refine(job: PairJob, coarse: Float32Array): Promise<Float32Array> {
    return this.#next(job, REFINE, coarse);
  }

  #next(job: PairJob, mode: number, input?: Float32Array): Promise<Float32Array> {
    const mine = this.#queue.then(() => this.#run(job, mode, input));
    this.#queue = mine.catch(() => {});
    return mine;
  }

  async #run({ rows, columns, reach, signal }: PairJob, mode: number, input: Float32Array | undefined): Promise<Float32Array> {
    throwIfAborted(signal, STEP);
    const { buffer } = this.#memory;
    const pairs = (rows.stop - rows.start) * Math.ceil((columns.stop - columns.start) / 4) * 4;
    if (columns.start % 4 !== 0 || pairs > this.#largest) {
      throw new RangeError('PairCorrelator: columns must start at a multiple of 4, and the job fit what was announced');
    }
    const results = new Float32Array(buffer, this.#at.results, 3 * pairs);
    const prepare = (next: number, stop: number): void => {
      const fields = [next, rows.start, stop, columns.start, columns.stop, Math.min(reach, 1 << 30), mode];
      new Int32Array(buffer, this.#at.job, 7).set(fields);
    };
    if (input) results.set(input);
    prepare(rows.start, rows.stop);
    if (this.#threads.count > 0) await this.#threads.run(signal);
    if (signal?.aborted) this.dispose();
    throwIfAborted(signal, STEP);
    if (this.#threads.count === 0) {
      await this.#threads.gone(); // a thread that still runs would take rows
      if (input) results.set(input);
      const pace = new Pace(signal, STEP);
      for (let row = rows.start; row < rows.stop; row += ROWS_AT_ONCE) {
        prepare(row, Math.min(rows.stop, row + ROWS_AT_ONCE));
        this.#kernel.work(this.#at.job, this.#at.scratch);
        await pace.next();
      }
    }
    return results.slice();
  }

  /** Ends the threads; a job under way is finished on the calling one. */
  dispose(): void {
    abandoned.unregister(this);
    this.#threads.end();
  }
}

/** Hands out one place of memory after the other, from `start` on. */
function places(start: number): (bytes: number) => number {
  let next = start;
  return (bytes) => {
    const at = next;
    next += Math.ceil(bytes / 64) * 64;
    return at;
  };
}

/** Lays spectra out for the search: groups of four frames, in each columns, rows, real and imaginary parts. */
function packGroups({ count, band, re, im }: PairSpectra, side: number, out: Float32Array): void {
  const stored = band + 1;
  const half = side / 2;
  const kept = Math.min(band, half);
  for (let m = 0; m < count; m++) {
    const from = m * 2 * band * stored;
    const to = (m >> 2) * half * side * 8 + (m & 3);
    for (let row = 1 - kept; row < kept; row++) {
      const source = from + (row < 0 ? row + 2 * band : row) * stored;
      const target = to + (row < 0 ? row + side : row) * 8;
      for (let l = 0; l < kept; l++) {
        out[target + l * side * 8] = re[source + l];
        out[target + l * side * 8 + 4] = im[source + l];
      }
    }
  }
}

/** Lays spectra out for the refinement: groups of four columns, in each rows, real and imaginary parts. */
function packColumns({ count, band, re, im }: PairSpectra, out: Float32Array): void {
  const stored = band + 1;
  const groups = Math.ceil(band / 4);
  for (let m = 0; m < count; m++) {
    for (let k = 0; k < 2 * band; k++) {
      const source = (m * 2 * band + k) * stored;
      for (let l = 0; l < band; l++) {
        const target = ((m * groups + (l >> 2)) * 2 * band + k) * 8 + (l & 3);
        out[target] = re[source + l];
        out[target + 4] = im[source + l];
      }
    }
  }
}
