import { performance } from 'node:perf_hooks';
// The global one may be replaced by who runs this code, and cleared when the user stops it.
import { setImmediate } from 'node:timers';
import { throwIfAborted } from '../errors.js';

/** Lets timers, signals and progress run between two pieces of synchronous work, without the delay of a timer. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Work that goes on without a pause for longer makes a stop late and a bar stutter. */
const STRETCH_MS = 40;

/** Breathes in long work now and then, however short its pieces are, and stops it where the signal says so. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  readonly #what: string;
  #lastMs: number = performance.now();

  /** @param what names the work, as in {@link throwIfAborted}. */
  constructor(signal: AbortSignal | undefined, what: string) {
    this.#signal = signal;
    this.#what = what;
  }

  /** To be awaited between two pieces. @throws AbortedError */
  async next(): Promise<void> {
    if (performance.now() - this.#lastMs >= STRETCH_MS) {
      await breathe();
      this.#lastMs = performance.now();
    }
    throwIfAborted(this.#signal, this.#what);
  }
}

/** Work in pieces: what it yields between them says nothing. */
export type Steps<T> = Generator<void, T, void>;

/** Does all pieces in one go. */
export function finishSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Does one piece after the other at a {@link Pace}; a stop runs what they have in `finally`. @throws AbortedError */
export async function paceSteps<T>(steps: Steps<T>, pace: Pace): Promise<T> {
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await pace.next();
    }
  } finally {
    steps.return(undefined as T);
  }
}
