import { parentPort } from 'node:worker_threads';
import { type EncodeJob, encodeFrame } from './encodeFrame.js';

/** What a worker says: that it is there (no id), or that a job is done or failed, with the system's code and message. */
export interface EncodeAnswer {
  readonly id?: number;
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

// jobs of one worker run one after another: the thread has nothing to gain from two at a time
let queue: Promise<void> = Promise.resolve();

parentPort?.on('message', ({ id, job }: { id: number; job: EncodeJob }) => {
  queue = queue
    .then(() => encodeFrame(job))
    .then(
      () => parentPort?.postMessage({ id } satisfies EncodeAnswer),
      (error: NodeJS.ErrnoException) => {
        parentPort?.postMessage({ id, error: { code: error.code, message: error.message } } satisfies EncodeAnswer);
      },
    );
});

parentPort?.postMessage({} satisfies EncodeAnswer);
