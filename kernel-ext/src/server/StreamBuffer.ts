import { formatBytes } from '../shared/formatBytes.js';

/** Characters of text that one cell may print; what goes beyond is counted and not shown. */
export const PRINT_LIMIT: number = 2 * 2 ** 20;
const FLUSH_MS = 25;
const FLUSH_LENGTH = 2 ** 16;

type StreamName = 'stdout' | 'stderr';

interface Printed {
  shown: number;
  cut: number;
}

interface Pending {
  readonly name: StreamName;
  readonly pieces: string[];
  length: number;
}

/**
 * Gathers what cells print into few messages, in order, and cuts what would drown the page: a browser and Jupyter Server
 * both fail at a hundred megabytes of text.
 */
export class StreamBuffer {
  readonly #send: (parent: string, name: StreamName, text: string) => void;
  readonly #pending = new Map<string, Pending[]>();
  readonly #printed = new Map<string, Printed>();
  /** Cells that run: how much of their text was cut is told in their end. */
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (parent: string, name: StreamName, text: string) => void) {
    this.#send = send;
  }

  /** A cell begins to run. */
  begin(parent: string): void {
    this.#printed.delete(parent);
    this.#running.add(parent);
  }

  write(parent: string, name: StreamName, text: string): void {
    const shown = this.#limit(parent, text);
    if (shown === '') return;
    const queue = this.#pending.get(parent) ?? [];
    this.#pending.set(parent, queue);
    let last = queue.at(-1);
    if (last?.name !== name) {
      last = { name, pieces: [], length: 0 };
      queue.push(last);
    }
    last.pieces.push(shown);
    last.length += shown.length;
    if (last.length > FLUSH_LENGTH) this.flush(parent);
    else this.#timer ??= setTimeout(() => this.flushAll(), FLUSH_MS);
  }

  #limit(parent: string, text: string): string {
    const printed = this.#printed.get(parent) ?? { shown: 0, cut: 0 };
    this.#printed.set(parent, printed);
    const room = PRINT_LIMIT - printed.shown;
    if (text.length <= room) {
      printed.shown += text.length;
      return text;
    }
    const isFirst = printed.cut === 0;
    printed.shown = PRINT_LIMIT;
    printed.cut += text.length - room;
    const shown = text.slice(0, room);
    return isFirst && !this.#running.has(parent) ? `${shown}\n[Output cut after ${formatBytes(PRINT_LIMIT)}.]\n` : shown;
  }

  /** Sends what is held for one request. */
  flush(parent: string): void {
    const queue = this.#pending.get(parent);
    this.#pending.delete(parent);
    for (const { name, pieces } of queue ?? []) this.#send(parent, name, pieces.join(''));
  }

  flushAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const parent of [...this.#pending.keys()]) this.flush(parent);
  }

  /** Sends the rest of a request's text, and says how much of it was cut. */
  finish(parent: string): void {
    this.flush(parent);
    const printed = this.#printed.get(parent);
    this.#printed.delete(parent);
    this.#running.delete(parent);
    if (!printed || printed.cut === 0) return;
    this.#send(
      parent,
      'stderr',
      `\n[Output cut after ${formatBytes(PRINT_LIMIT)}; ${formatBytes(printed.cut)} more were printed. Write long output to a file.]\n`,
    );
  }
}
