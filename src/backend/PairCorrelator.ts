import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
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
}

/** What is done with each pair: for measurements, steps can be left out. */
export type PairSteps = 'transform' | 'multiply' | 'all';

interface Kernel {
  work(job: number, scratch: number): void;
}

const PAGE = 65536;
/** Complex numbers of four lanes, and what one result takes: bytes. */
const COMPLEX = 32;
const RESULT = 12;
const STEPS: Readonly<Record<PairSteps, number>> = { transform: 0, multiply: 2, all: 3 };

const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { module, memory, job, scratch } = workerData;
const { work } = new WebAssembly.Instance(module, { env: { memory } }).exports;
parentPort.on('message', () => {
  const start = performance.now();
  work(job, scratch);
  parentPort.postMessage(performance.now() - start);
});`;

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

/**
 * Correlation maxima of many pairs of frames: product of the spectra, inverse FFT and search in one pass through the
 * processor's cache, four pairs at a time in vector registers, on all cores. The results do not depend on the number of
 * threads. WebAssembly; memory 8 bytes a frame and point of the half spectrum.
 */
export class PairCorrelator {
  readonly #memory: WebAssemblyMemory;
  readonly #kernel: Kernel;
  readonly #workers: Worker[] = [];
  readonly #at: { readonly job: number; readonly out: number; readonly scratch: number; readonly outBytes: number };
  #busy: Promise<unknown> = Promise.resolve();
  #settle: { answers: number; resolve(): void } | undefined;
  #workedMs = 0;

  /**
   * @param spectra what is to be correlated; copied.
   * @param side points of the correlation a side, see {@link fitsPairKernel}; more than `2·band` makes the grid finer,
   *   fewer leave the highest frequencies out.
   * @param largest pairs of the largest job: rows times columns.
   * @param threads worker threads; 0 computes on the calling one. Default: one a core, up to 8.
   */
  constructor(spectra: PairSpectra, side: number, largest: number, threads: number = Math.min(8, availableParallelism())) {
    const module = loadModule();
    if (!module) throw new Error('PairCorrelator: the kernel is not there; ask hasPairKernel() first');
    const twiddles = twiddleFactors(side);
    const align = (bytes: number): number => Math.ceil(bytes / 64) * 64;
    const groups = Math.ceil(spectra.count / 4);
    const groupBytes = (side / 2) * side * COMPLEX;
    const scratchBytes = align(((side / 2) * (side + 1) + 3 * side) * COMPLEX + side * side * 16);
    const job = PAGE; // the compiler keeps the first page to itself
    const twiddlesAt = job + 64;
    const out = align(twiddlesAt + twiddles.byteLength);
    const outBytes = align(2 * largest * RESULT);
    const spectraAt = out + outBytes;
    const scratch = spectraAt + groups * groupBytes;
    const pages = Math.ceil((scratch + (threads + 1) * scratchBytes) / PAGE);
    this.#memory = new webAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#at = { job, out, scratch, outBytes };
    new Float32Array(this.#memory.buffer, twiddlesAt).set(twiddles);
    const fields = new Int32Array(this.#memory.buffer, job, 11);
    fields[6] = side;
    new Uint32Array(this.#memory.buffer, job, 11).set([spectraAt, twiddlesAt, out], 8);
    pack(spectra, side, new Float32Array(this.#memory.buffer, spectraAt, (groups * groupBytes) / 4));
    this.#kernel = new webAssembly.Instance(module, { env: { memory: this.#memory } }).exports as unknown as Kernel;
    for (let t = 0; t < threads; t++) {
      const data = { module, memory: this.#memory, job, scratch: scratch + (t + 1) * scratchBytes };
      const worker = new Worker(WORKER, { eval: true, workerData: data });
      worker.on('message', (ms: number) => this.#answer(ms));
      worker.on('error', () => this.#fallBack());
      worker.unref(); // an idle thread must not keep the program running
      this.#workers.push(worker);
    }
  }

  /** Milliseconds that all threads together have worked. */
  get workedMs(): number {
    return this.#workedMs;
  }

  /**
   * @returns float32 `[rows, columns rounded up to 4, 3]`: place of the maximum along rows and columns in grid steps, with
   *   the vertex of a parabola through its neighbors, and its height, the sum over the whole spectrum. Pairs that were not
   *   asked for hold anything.
   */
  async run(job: PairJob, steps: PairSteps = 'all'): Promise<Float32Array> {
    const mine = this.#busy.then(() => this.#run(job, steps));
    this.#busy = mine.catch(() => {});
    return mine;
  }

  async #run({ rows, columns, reach }: PairJob, steps: PairSteps): Promise<Float32Array> {
    const width = Math.ceil((columns.stop - columns.start) / 4) * 4;
    const size = (rows.stop - rows.start) * width * 3;
    if (columns.start % 4 !== 0 || size * 4 > this.#at.outBytes) {
      throw new RangeError('PairCorrelator: columns must start at a multiple of 4, and the job fit what was announced');
    }
    const fields = new Int32Array(this.#memory.buffer, this.#at.job, 8);
    const far = Math.min(reach, 1 << 30);
    const start = (): void => fields.set([rows.start, rows.start, rows.stop, columns.start, columns.stop, far]);
    fields[7] = STEPS[steps];
    start();
    if (this.#workers.length > 0) {
      await new Promise<void>((resolve) => {
        this.#settle = { answers: this.#workers.length, resolve };
        for (const worker of this.#workers) {
          worker.ref();
          worker.postMessage(0);
        }
      });
      this.#settle = undefined;
      for (const worker of this.#workers) worker.unref();
    }
    if (this.#workers.length === 0) {
      start();
      const begin = performance.now();
      this.#kernel.work(this.#at.job, this.#at.scratch);
      this.#workedMs += performance.now() - begin;
    }
    return new Float32Array(this.#memory.buffer, this.#at.out, size).slice();
  }

  #answer(ms: number): void {
    this.#workedMs += ms;
    if (this.#settle && --this.#settle.answers === 0) this.#settle.resolve();
  }

  /** A thread that died has taken rows with it: the calling thread does the job again, and all others. */
  #fallBack(): void {
    this.dispose();
  }

  /** Ends the threads; a job under way is finished on the calling one. */
  dispose(): void {
    for (const worker of this.#workers.splice(0)) void worker.terminate();
    this.#settle?.resolve();
  }
}

/** Lays spectra out as the kernel reads them: groups of four frames, in each columns, rows, real and imaginary parts. */
function pack({ count, band, re, im }: PairSpectra, side: number, out: Float32Array): void {
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
