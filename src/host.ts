import { AsyncLocalStorage } from 'node:async_hooks';
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

/** An operation of the library under way; those that it calls find it here. */
interface Scope {
  readonly signal: AbortSignal | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();

/** The signal that stops what runs here: of the operation of the library that this is part of, or the host's. */
export function hostSignal(): AbortSignal | undefined {
  return scopes.getStore()?.signal ?? host()?.signal();
}

/** A signal that is aborted when either of the two is: the caller's own, and what stops all that runs here. */
export function joinSignals(own: AbortSignal | undefined, around: AbortSignal | undefined): AbortSignal | undefined {
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
 * many operations it consists of. Every public function of this kind calls it first. Without a host it costs nothing.
 */
export async function runOperation<T>(options: OperationOptions, work: (operation: Operation) => Promise<T>): Promise<T> {
  const here = host();
  const outer = scopes.getStore();
  const { onProgress = () => {} } = options;
  if (here === undefined && outer === undefined) return work({ signal: options.signal, progress: onProgress });
  const signal = joinSignals(options.signal, outer === undefined ? here?.signal() : outer.signal);
  if (here === undefined || outer !== undefined || options.onProgress !== undefined)
    return scopes.run({ signal }, () => work({ signal, progress: onProgress }));
  const bar = new OperationBar(here, options);
  try {
    return await scopes.run({ signal }, () => work({ signal, progress: (done, total, stage) => bar.update(done, total, stage) }));
  } finally {
    bar.end();
  }
}

/** Runs `work` as if it were part of an operation: `signal` stops what it calls, and nothing shows a bar. */
export function runQuietly<T>(signal: AbortSignal | undefined, work: () => T): T {
  return scopes.run({ signal }, work);
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

  end(): void {
    this.#bar?.end();
  }
}
