import { randomUUID } from 'node:crypto';
import { countOf, iterate } from './iterate.js';
import { labelText, progressBundle } from './progressBundle.js';
import { RateMeter } from './RateMeter.js';
import type { MimeBundle } from './types.js';

export interface ProgressOptions {
  /**
   * Count at the end. Without it (or if it is 0 or no finite number) the bar tells only how much is done and how fast; a bar
   * of 0 that ends with nothing done is complete.
   */
  readonly total?: number;
  /** What is going on. Default: nothing. */
  readonly label?: string;
  /** What is counted, for example `frames`. Default: nothing. */
  readonly unit?: string;
  /** Shows the bundle; with `update` in place of what was shown with the same id. */
  readonly show: (bundle: MimeBundle, how: { readonly id: string; readonly update: boolean }) => void;
  /** Milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** The bar appears only if the work takes longer, milliseconds; 0: at once. Default 300. */
  readonly delayMs?: number;
  /** Least time between two updates, milliseconds. Default 125. */
  readonly intervalMs?: number;
}

/** One updating bar. */
export interface Progress {
  /** The bar's display id. */
  readonly id: string;
  readonly state: 'running' | 'ended' | 'failed';
  /** Says how much is done in all, and from now on with another label. */
  update(done: number, label?: string): void;
  /** Says that `n` more (default 1) are done. */
  tick(n?: number): void;
  /** Shows the last state and the time taken; later calls do nothing. */
  end(): void;
  /** As `end`, for work that did not get to its end: `fail('interrupted')`. */
  fail(reason?: string): void;
  /**
   * The items one after another: `for (const frame of bar.iterate(frames))`. The bar ends with the loop. Where the total is not
   * known it is taken from `length` or `size`.
   *
   * @throws TypeError if `items` is not iterable.
   */
  iterate<T>(items: Iterable<T>, label?: string): Generator<T, void, undefined>;
  iterate<T>(items: AsyncIterable<T>, label?: string): AsyncGenerator<T, void, undefined>;
}

/**
 * A progress bar that appears once the work has taken `delayMs` and is then sent again about eight times a second at most;
 * the last state is always sent. Rate and time left come from the last five seconds.
 */
export function createProgress(options: ProgressOptions): Progress {
  const { show, unit = '', now = () => performance.now(), delayMs = 300, intervalMs = 125 } = options;
  let total = typeof options.total === 'number' && Number.isFinite(options.total) ? Math.max(0, options.total) : undefined;
  const id = `progress-${randomUUID()}`;
  const start = now();
  const meter = new RateMeter(start);
  let label = labelText(options.label);
  let done = 0;
  let state: Progress['state'] = 'running';
  let reason = '';
  let shownAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  const send = (time: number) => {
    clearTimeout(timer);
    timer = undefined;
    const update = shownAt !== undefined;
    shownAt = time;
    const rate = meter.perSecond(time);
    const known = total === 0 && (done > 0 || state === 'running') ? undefined : total;
    const view = { label, unit: labelText(unit), done, total: known, elapsedMs: time - start, rate, state, reason };
    show(progressBundle(view), { id, update });
  };
  /** When the next state may be sent. */
  const due = () => (shownAt === undefined ? start + delayMs : shownAt + intervalMs);
  const changed = () => {
    const time = now();
    if (time >= due()) {
      send(time);
    } else if (timer === undefined) {
      // work that reports nothing for a while shows its last state
      timer = setTimeout(() => send(now()), due() - time);
      timer.unref();
    }
  };
  const finish = (last: 'ended' | 'failed') => {
    if (state !== 'running') return;
    state = last;
    clearTimeout(timer);
    const time = now();
    if (shownAt !== undefined || time >= start + delayMs) send(time);
  };
  const progress: Progress = {
    id,
    get state() {
      return state;
    },
    update(count, newLabel) {
      if (state !== 'running') return;
      if (newLabel !== undefined) label = labelText(newLabel);
      if (Number.isFinite(count)) done = Math.max(0, count);
      meter.report(now(), done);
      changed();
    },
    tick(n = 1) {
      progress.update(done + n);
    },
    end() {
      finish('ended');
    },
    fail(why = 'stopped') {
      reason = labelText(why);
      finish('failed');
    },
    iterate<T>(items: Iterable<T> & AsyncIterable<T>, newLabel?: string) {
      if (newLabel !== undefined) label = labelText(newLabel);
      total ??= countOf(items);
      return iterate<T>(items, progress) as Generator<T, void, undefined> & AsyncGenerator<T, void, undefined>;
    },
  };
  changed();
  return progress;
}
