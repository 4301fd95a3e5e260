import { Worker } from 'node:worker_threads';

const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { module, memory, job, scratch } = workerData;
const { work } = new WebAssembly.Instance(module, { env: { memory } }).exports;
parentPort.on('message', () => {
  work(job, scratch);
  parentPort.postMessage(0);
});`;

/** The threads of a `PairCorrelator`. Knows nothing of its owner, so that threads whose owner was lost can be ended. */
export class PairThreads {
  readonly #workers: Worker[] = [];
  #ended: Promise<unknown> = Promise.resolve();
  #answers = 0;
  #resolve: (() => void) | undefined;

  get count(): number {
    return this.#workers.length;
  }

  start(data: object): void {
    // flags of the calling Node, such as for its own script, are not for this one
    const worker = new Worker(WORKER, { eval: true, workerData: data, execArgv: [] });
    worker.on('message', () => {
      if (--this.#answers === 0) this.#resolve?.();
    });
    // a thread that dies has taken rows with it: the calling thread does the job again, and all others
    worker.on('error', () => this.end());
    worker.unref(); // an idle thread must not keep the program running
    this.#workers.push(worker);
  }

  /** All threads work on the job that stands in memory; resolves when it is done, when they end, or at the signal. */
  async run(signal: AbortSignal | undefined): Promise<void> {
    for (const worker of this.#workers) {
      worker.ref();
      worker.postMessage(0);
    }
    // only now, so that code that is cut off above leaves nobody waiting
    await new Promise<void>((resolve) => {
      this.#answers = this.#workers.length;
      this.#resolve = () => {
        this.#resolve = undefined;
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => this.#resolve?.();
      signal?.addEventListener('abort', stop, { once: true });
    });
    for (const worker of this.#workers) worker.unref();
  }

  /** Ends the threads, also in the middle of a job. */
  end(): void {
    const ending = this.#workers.splice(0).map((worker) => worker.terminate());
    if (ending.length > 0) this.#ended = Promise.all(ending);
    this.#resolve?.();
  }

  /** Resolves when no thread runs any more that was ended. */
  async gone(): Promise<void> {
    await this.#ended;
  }
}
