import { performance } from 'node:perf_hooks';

/** What is shown of a value, by MIME type: texts, JSON values, or bytes (as such or in base64). */
export interface MimeBundle {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** One updating bar. */
export interface HostProgress {
  update(done: number, label?: string): void;
  /** The bar stays as it is. Harmless the second time. */
  end(): void;
}

/** A channel to a view in the front end. */
export interface HostChannel {
  send(data: unknown, buffers?: readonly Uint8Array[]): void;
  onMessage(callback: (data: unknown, buffers: readonly Uint8Array[]) => void): void;
  onClose(callback: () => void): void;
  close(data?: unknown): void;
}

/** Where code runs piece by piece before the eyes of a user, such as a notebook: what is offered to the library there. */
export interface LeemHost {
  readonly version: 1;
  /** Of the piece of work that is running; aborted when the user stops it. Follows the asynchronous context. */
  signal(): AbortSignal | undefined;
  progress(options: { label: string; total: number; unit?: string }): HostProgress;
  /** Shows a bundle. What was shown with an `id` is replaced with `update`. */
  display(bundle: MimeBundle, options?: { id?: string; update?: boolean }): void;
  /** Who answers when a view in the front end opens a channel to `target`. */
  onChannel(target: string, accept: (channel: HostChannel, data: unknown) => void): void;
  /** What the host shows of any value; optional. */
  render?(value: unknown): MimeBundle | Promise<MimeBundle>;
}

const HOST: unique symbol = Symbol.for('leemlab.host');

/** The name of the method with which a value says what is shown of it: a {@link MimeBundle}, or a promise of one. */
export const DISPLAY: unique symbol = Symbol.for('leemlab.display');

/** What runs this code, if it is one that offers something; undefined in a plain script. */
export function host(): LeemHost | undefined {
  return (globalThis as { [HOST]?: LeemHost })[HOST];
}

/** The signal of the piece of work that is running, if there is a host. */
export function hostSignal(): AbortSignal | undefined {
  return host()?.signal();
}

/** Signals of operations under way: what gets one of them is part of an operation. */
const ofOperations = new WeakSet<AbortSignal>();

/** Makes a signal one of an operation: whoever gets it heeds no other, and shows no bar. */
export function asOperation(signal: AbortSignal): AbortSignal {
  ofOperations.add(signal);
  return signal;
}

/** What stops a function that was given `own`: that and the host's, or the operation's that it is part of. */
export function joinHostSignal(own: AbortSignal | undefined): AbortSignal | undefined {
  const around = own !== undefined && ofOperations.has(own) ? undefined : hostSignal();
  if (own === undefined || around === undefined || own === around) return own ?? around;
  return AbortSignal.any([own, around]);
}

const NO_PROGRESS: HostProgress = { update() {}, end() {} };

/** A bar of the host; where there is none, nothing. */
export function hostProgress(options: { label: string; total: number; unit?: string }): HostProgress {
  return host()?.progress(options) ?? NO_PROGRESS;
}

/** An operation under way, as its own code sees it. */
export interface Operation {
  /** Stops it: the caller's, the host's, or either. */
  readonly signal: AbortSignal | undefined;
  /** Tells the caller who watches, or moves the bar. `stage` is one of {@link OperationOptions.stages}. */
  readonly progress: (done: number, total: number, stage?: string) => void;
}

export interface OperationOptions {
  /** The bar's label. */
  readonly label: string;
  /** What is counted. */
  readonly unit?: string;
  /** Parts of different units that come one after the other: what the label says of each, and its share of the whole. */
  readonly stages?: Readonly<Record<string, { readonly label: string; readonly share: number }>>;
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
  /** The caller's: who watches gets no bar. */
  readonly onProgress?: ((done: number, total: number, stage?: string) => void) | undefined;
}

/** What is over sooner shows no bar. */
const PATIENCE_MS = 250;

/**
 * Runs an operation of the library that may take long: the host's signal stops it, and the host shows one bar, however
 * many operations it consists of, as each hands its signal on. Every public function of this kind calls it first. Without
 * a host it costs nothing.
 *
 * The signal tells what belongs to what, and not an `AsyncLocalStorage`: its hooks, as Node has them before version 24,
 * end the process when V8 cuts code off in the middle, which is how a host stops what does not listen.
 */
export async function runOperation<T>(options: OperationOptions, work: (operation: Operation) => Promise<T>): Promise<T> {
  const here = host();
  const { signal: own, onProgress = () => {} } = options;
  if (here === undefined || (own !== undefined && ofOperations.has(own))) return work({ signal: own, progress: onProgress });
  const around = [own, here.signal()].filter((signal) => signal !== undefined);
  const signal = asOperation(AbortSignal.any(around));
  if (options.onProgress !== undefined) return work({ signal, progress: onProgress });
  const bar = new OperationBar(here, options);
  let isDone = false;
  try {
    const result = await work({ signal, progress: (done, total, stage) => bar.update(done, total, stage) });
    isDone = true;
    return result;
  } finally {
    bar.end(isDone);
  }
}

/** The bar of one operation, drawn when it has taken a while. */
class OperationBar {
  readonly #host: LeemHost;
  readonly #options: OperationOptions;
  readonly #startMs = performance.now();
  #bar: HostProgress | undefined;

  constructor(host: LeemHost, options: OperationOptions) {
    this.#host = host;
    this.#options = options;
  }

  update(done: number, total: number, stage: string | undefined): void {
    if (this.#bar === undefined && performance.now() - this.#startMs < PATIENCE_MS) return;
    const { label, unit, stages } = this.#options;
    const part = stages?.[stage ?? ''];
    if (stages === undefined || part === undefined) {
      this.#bar ??= this.#host.progress({ label, total, ...(unit === undefined ? {} : { unit }) });
      this.#bar.update(done);
      return;
    }
    const parts = Object.values(stages);
    const before = parts.slice(0, parts.indexOf(part));
    const sum = (some: typeof parts): number => some.reduce((all, { share }) => all + share, 0);
    const percent = (100 * (sum(before) + (part.share * done) / Math.max(1, total))) / sum(parts);
    const named = `${label}: ${part.label}`;
    this.#bar ??= this.#host.progress({ label: named, total: 100, unit: '%' });
    this.#bar.update(Math.round(10 * percent) / 10, named);
  }

  /** @param isDone whether it came to its end: then no stage is named any more. */
  end(isDone: boolean): void {
    if (isDone && this.#options.stages !== undefined) this.#bar?.update(100, this.#options.label);
    this.#bar?.end();
  }
}
