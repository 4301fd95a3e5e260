/** After so long without success, the user is told; after that the session is ended. */
const TELL_MS = 2000;
const KILL_MS = 10_000;

export interface InterruptActions {
  /** Tells the session to stop what runs; it answers with the sequence number. */
  send(sequence: number): void;
  kill(): void;
  say(text: string): void;
}

/**
 * Sees an interrupt through. Nearly everything stops within milliseconds; native code that does not come back can only be
 * killed with its process, which costs the variables: the user is told and has some seconds to see it return by itself.
 */
export class InterruptWatch {
  readonly #actions: InterruptActions;
  #sequence = 0;
  #open = false;
  #told = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(actions: InterruptActions) {
    this.#actions = actions;
  }

  start(): void {
    if (this.#open && this.#told) {
      this.#actions.kill();
      return;
    }
    this.#actions.send(++this.#sequence);
    if (this.#open) return;
    this.#open = true;
    this.#timers = [setTimeout(() => this.#tell(), TELL_MS), setTimeout(() => this.#actions.kill(), KILL_MS)];
  }

  #tell(): void {
    this.#told = true;
    const seconds = (KILL_MS - TELL_MS) / 1000;
    this.#actions.say(
      `[Native code is running that cannot be interrupted. If it does not return within ${seconds} s, its process is ended and all variables are lost; interrupt again to end it now.]\n`,
    );
  }

  /** The session has stopped what ran. */
  done(sequence: number): void {
    if (sequence === this.#sequence) this.reset();
  }

  reset(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#open = false;
    this.#told = false;
  }
}
