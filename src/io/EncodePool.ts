import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AbortedError } from '../errors.js';
import { type EncodeJob, encodeFrame } from './encodeFrame.js';
import type { EncodeAnswer } from './encodeWorker.js';

interface Pending {
  readonly worker: Worker;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Worker threads that place, compress and write frames while the main thread computes. At most two frames a worker are
 * under way, so that memory stays bounded; without workers the same is done on the calling thread.
 */
export class EncodePool {
  readonly #workers: Worker[] = [];
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: (() => void)[] = [];
  #nextId = 0;
  #closed = false;

  private constructor(workers: readonly Worker[]) {
    for (const worker of workers) {
      worker.unref(); // an idle thread must not keep the program running
      worker.on('message', (answer: EncodeAnswer) => this.#settle(answer));
      worker.on('error', (error) => this.#drop(worker, error));
      this.#workers.push(worker);
    }
  }

  /** @param threads default 2, or 1 on a single core; 0 for none. Threads that cannot be had are done without. */
  static async start(threads: number = Math.min(2, availableParallelism())): Promise<EncodePool> {
    const script = threads > 0 ? findWorker() : undefined;
    if (script === undefined) return new EncodePool([]);
    const started = await Promise.all(Array.from({ length: threads }, () => startWorker(script)));
    return new EncodePool(started.filter((worker) => worker !== undefined));
  }

  /** Number of worker threads that run. */
  get threads(): number {
    return this.#workers.length;
  }

  /**
   * Takes a frame; its buffer is handed over. The outer promise resolves when the next frame may come, the inner one
   * when this frame's chunk is on the disk.
   */
  async submit(job: EncodeJob): Promise<{ done: Promise<void> }> {
    while (this.#workers.length > 0 && this.#pending.size >= 2 * this.#workers.length) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#closed) throw new AbortedError('Writing frames was stopped');
    if (this.#workers.length === 0) return { done: encodeFrame(job) };
    const worker = this.#leastBusy();
    const id = this.#nextId++;
    const done = new Promise<void>((resolve, reject) => {
      this.#pending.set(id, { worker, resolve, reject });
    });
    worker.ref();
    // a part of a larger buffer is copied: handing that over would take its other parts along
    const whole = job.pixels.byteLength === job.pixels.buffer.byteLength && job.pixels.buffer instanceof ArrayBuffer;
    const pixels = whole ? job.pixels : job.pixels.slice();
    worker.postMessage({ id, job: { ...job, pixels } }, [pixels.buffer as ArrayBuffer]);
    return { done };
  }

  /** Ends the threads; frames under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#pending.values()) reject(new AbortedError('Writing frames was stopped'));
    this.#pending.clear();
    this.#wake();
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()));
  }

  #leastBusy(): Worker {
    const load = new Map(this.#workers.map((worker) => [worker, 0]));
    for (const { worker } of this.#pending.values()) load.set(worker, (load.get(worker) ?? 0) + 1);
    return [...load].reduce((best, next) => (next[1] < best[1] ? next : best))[0];
  }

  #settle({ id, error }: EncodeAnswer): void {
    if (id === undefined) return;
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending !== undefined && ![...this.#pending.values()].some(({ worker }) => worker === pending.worker)) {
      pending.worker.unref();
    }
    if (error === undefined) pending?.resolve();
    else pending?.reject(Object.assign(new Error(error.message), { code: error.code }));
    this.#wake();
  }

  #drop(worker: Worker, error: unknown): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    for (const [id, pending] of this.#pending) {
      if (pending.worker !== worker) continue;
      this.#pending.delete(id);
      pending.reject(error);
    }
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

/** A worker that has said that it is there; undefined where threads or the script do not work. */
function startWorker(script: string): Promise<Worker | undefined> {
  return new Promise((resolve) => {
    try {
      // the flags of a notebook's or a test's Node are not for this script
      const worker = new Worker(script, { execArgv: [] });
      worker.once('message', () => resolve(worker));
      worker.on('error', () => resolve(undefined));
      worker.once('exit', () => resolve(undefined));
    } catch {
      resolve(undefined);
    }
  });
}

/** The compiled worker: beside this file, or in dist when the TypeScript sources run. */
function findWorker(): string | undefined {
  const places = ['./encodeWorker.js', '../../dist/io/encodeWorker.js'];
  return places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
}
