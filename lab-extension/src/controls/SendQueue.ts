import type { ControlsChange, ControlValue } from 'leemlab/wire';

/** Milliseconds between two messages while a control is dragged. */
const INTERVAL_MS = 50;

/** Sends the first change at once, then the newest of each control every twentieth of a second; the last is always sent. */
export class SendQueue {
  readonly #send: (change: ControlsChange) => void;
  readonly #pending = new Map<string, ControlValue>();
  readonly #sent = new Map<string, number>();
  #sequence = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (change: ControlsChange) => void) {
    this.#send = send;
  }

  /** @param atOnce does not wait for its turn: not one of many values on the way, but what the user wants. */
  push(name: string, value: ControlValue, atOnce: boolean): void {
    this.#pending.set(name, value);
    if (atOnce) clearTimeout(this.#timer);
    if (atOnce || this.#timer === undefined) this.#flush();
  }

  /** Whether a state that contains the change `sequence` contains all that the user did with this control. */
  isConfirmed(name: string, sequence: number): boolean {
    return !this.#pending.has(name) && (this.#sent.get(name) ?? 0) <= sequence;
  }

  /** Waits for no confirmation any more. */
  forget(): void {
    this.#sent.clear();
  }

  /** For a new channel, which counts from the start. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
    this.#sent.clear();
    this.#sequence = 0;
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    this.#timer = setTimeout(() => this.#flush(), INTERVAL_MS);
    const changes = [...this.#pending];
    this.#pending.clear();
    for (const [name, value] of changes) {
      this.#sequence += 1;
      this.#sent.set(name, this.#sequence);
      this.#send({ type: 'set', name, value, sequence: this.#sequence });
    }
  }
}
