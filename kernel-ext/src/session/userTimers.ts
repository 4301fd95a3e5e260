import { createRequire } from 'node:module';
import { promisify } from 'node:util';

type Handler = (...args: unknown[]) => void;
type TimersModule = typeof import('node:timers');

const require = createRequire(import.meta.url);
const originals = { ...(require('node:timers') as TimersModule) };

/** The kernel's own timers, which no interrupt clears. */
export const kernelTimeout: TimersModule['setTimeout'] = originals.setTimeout;
export const kernelImmediate: TimersModule['setImmediate'] = originals.setImmediate;
export const clearKernelTimeout: TimersModule['clearTimeout'] = originals.clearTimeout;

const running = new Set<NodeJS.Timeout>();
const immediates = new Set<NodeJS.Immediate>();

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

function trackedTimeout(handler: unknown, delay?: number, ...args: unknown[]): NodeJS.Timeout {
  if (!isHandler(handler)) return originals.setTimeout(handler as Handler, delay);
  const timer = originals.setTimeout(() => {
    running.delete(timer);
    handler(...args);
  }, delay);
  running.add(timer);
  return timer;
}

function trackedInterval(handler: unknown, delay?: number, ...args: unknown[]): NodeJS.Timeout {
  if (!isHandler(handler)) return originals.setInterval(handler as Handler, delay);
  const timer = originals.setInterval(() => handler(...args), delay);
  running.add(timer);
  return timer;
}

function trackedImmediate(handler: unknown, ...args: unknown[]): NodeJS.Immediate {
  if (!isHandler(handler)) return originals.setImmediate(handler as Handler);
  const immediate = originals.setImmediate(() => {
    immediates.delete(immediate);
    // right behind the immediate, not in it: Node's list of immediates does not survive that one of them is cut off
    process.nextTick(handler, ...args);
  });
  immediates.add(immediate);
  return immediate;
}

/** The promise forms: after an interrupt they never settle, so a loop that awaits them has ended. */
function delayPromise(schedule: (done: () => void) => () => void, value: unknown, signal?: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = schedule(() => resolve(value));
    signal?.addEventListener('abort', () => {
      cancel();
      reject(signal.reason);
    });
  });
}

interface PromiseOptions {
  readonly signal?: AbortSignal;
}

const promised = {
  setTimeout: (delay?: number, value?: unknown, options?: PromiseOptions) =>
    delayPromise(
      (done) => {
        const timer = trackedTimeout(done, delay);
        return () => forget(timer);
      },
      value,
      options?.signal,
    ),
  setImmediate: (value?: unknown, options?: PromiseOptions) =>
    delayPromise(
      (done) => {
        const immediate = trackedImmediate(done);
        return () => originals.clearImmediate(immediate);
      },
      value,
      options?.signal,
    ),
  async *setInterval(delay?: number, value?: unknown, options?: PromiseOptions): AsyncGenerator<unknown> {
    for (;;) yield await promised.setTimeout(delay, value, options);
  },
};

function forget(timer: NodeJS.Timeout | string | number | undefined): void {
  running.delete(timer as NodeJS.Timeout);
  originals.clearTimeout(timer);
}

/**
 * Puts timers that can be cleared all at once in the place of Node's, for cells and the packages that they load: as
 * globals, and in what `require('timers')` and `require('timers/promises')` give. Modules that import them by name keep
 * Node's own.
 */
export function trackTimers(): void {
  const tracked = {
    setTimeout: Object.assign(trackedTimeout, { [promisify.custom]: promised.setTimeout }),
    setInterval: trackedInterval,
    setImmediate: Object.assign(trackedImmediate, { [promisify.custom]: promised.setImmediate }),
    clearTimeout: forget,
    clearInterval: forget,
    clearImmediate: (immediate: NodeJS.Immediate | undefined) => {
      if (immediate) immediates.delete(immediate);
      originals.clearImmediate(immediate);
    },
  };
  Object.assign(globalThis, tracked);
  Object.assign(require('node:timers') as object, tracked);
  Object.assign(require('node:timers/promises') as object, promised);
}

/** Ends every timer that cells have started. */
export function clearUserTimers(): void {
  for (const timer of running) originals.clearTimeout(timer);
  for (const immediate of immediates) originals.clearImmediate(immediate);
  running.clear();
  immediates.clear();
}
