import { asOperation, hostSignal, joinHostSignal } from '../host.js';

/** What happens in the course of the runs. */
export interface RunEvents<T> {
  /** Whether a run is under way or waits. */
  busy(is: boolean): void;
  done(result: T): void;
  failed(error: unknown): void;
}

/**
 * Runs a function again and again, never twice at the same time. A new call stops the run under way through its signal,
 * and runs when that has ended; of several that wait only the last one does.
 */
export class LatestRun<T> {
  readonly #work: (signal: AbortSignal) => T | Promise<T>;
  readonly #events: RunEvents<T>;
  #controller: AbortController | undefined;
  #waits = false;
  #closed = false;
  #idle: Promise<void> = Promise.resolve();

  constructor(work: (signal: AbortSignal) => T | Promise<T>, events: RunEvents<T>) {
    this.#work = work;
    this.#events = events;
  }

  /** Asks for a run; resolves when none is under way and none waits. */
  request(): Promise<void> {
    if (this.#closed) return this.#idle;
    this.#waits = true;
    if (this.#controller === undefined) this.#idle = this.#loop();
    else this.#controller.abort();
    return this.#idle;
  }

  /** Stops the run under way, and takes no other. */
  close(): void {
    this.#closed = true;
    this.#waits = false;
    this.#controller?.abort();
  }

  async #loop(): Promise<void> {
    this.#events.busy(true);
    while (this.#waits) {
      this.#waits = false;
      const controller = new AbortController();
      this.#controller = controller;
      try {
        // the signal of a piece of work that was stopped before is not meant for this one
        const both = hostSignal()?.aborted ? controller.signal : joinHostSignal(controller.signal);
        const result = await this.#work(asOperation(both ?? controller.signal));
        // the result of a run that was overtaken says nothing
        if (!controller.signal.aborted) this.#events.done(result);
      } catch (error) {
        if (!controller.signal.aborted) this.#events.failed(error);
      }
    }
    this.#controller = undefined;
    this.#events.busy(false);
  }
}
