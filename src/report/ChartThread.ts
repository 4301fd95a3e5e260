import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AbortedError } from '../errors.js';
import type { ChartAnswer, ChartJob } from './chartWorker.js';
import { type DrawChart, drawChart } from './drawChart.js';

/**
 * A thread that loads Vega and draws charts while the calling thread does something else. Where there is no thread to be
 * had, or it fails, charts are drawn on the calling thread: the SVG is the same.
 */
export class ChartThread {
  readonly #worker: Worker | undefined;
  readonly #pending = new Map<number, (svg: string | undefined) => void>();
  #nextId = 0;
  #failed = false;
  #closed = false;

  constructor() {
    this.#worker = startWorker();
    this.#worker?.unref(); // it must not keep the program running
    this.#worker?.on('message', ({ id, svg }: ChartAnswer) => this.#settle(id, svg));
    this.#worker?.on('error', () => this.#fail());
    this.#worker?.on('exit', () => this.#fail());
  }

  /** @throws AbortedError where the thread is closed before the chart is there. */
  readonly draw: DrawChart = async (spec, size) => {
    const svg = await this.#ask(spec, size);
    if (svg === undefined && this.#closed) throw new AbortedError('Drawing charts was stopped');
    return svg ?? drawChart(spec, size);
  };

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#fail();
    await this.#worker?.terminate();
  }

  #ask(spec: ChartJob['spec'], size: ChartJob['size']): Promise<string | undefined> {
    const worker = this.#worker;
    if (worker === undefined || this.#failed) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
      worker.ref();
      worker.postMessage({ id, spec, size } satisfies ChartJob);
    });
  }

  #settle(id: number, svg: string | undefined): void {
    this.#pending.get(id)?.(svg);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
  }

  #fail(): void {
    this.#failed = true;
    for (const id of [...this.#pending.keys()]) this.#settle(id, undefined);
  }
}

/** The compiled script: beside this file, or in dist when the TypeScript sources run. */
function startWorker(): Worker | undefined {
  const places = ['./chartWorker.js', '../../dist/report/chartWorker.js'];
  const script = places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  try {
    // the flags of a notebook's or a test's Node are not for this script
    return script === undefined ? undefined : new Worker(script, { execArgv: [] });
  } catch {
    return undefined;
  }
}
