import { createProgress, type ProgressOptions } from './createProgress.js';

/** As `createProgress`; `total` is taken from the iterable's `length` or `size` where it has one. */
export type IterateOptions = ProgressOptions;

/**
 * The items of an iterable, one after another, with a progress bar: `for (const frame of iterate(frames, { … }))`. Async
 * iterables likewise with `for await`. The bar ends with the loop, also where the loop is left early.
 */
export function iterate<T>(items: Iterable<T>, options: IterateOptions): Generator<T, void, undefined>;
export function iterate<T>(items: AsyncIterable<T>, options: IterateOptions): AsyncGenerator<T, void, undefined>;
export function iterate<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options: IterateOptions,
): Generator<T, void, undefined> | AsyncGenerator<T, void, undefined> {
  const all = { ...options, total: options.total ?? countOf(items) };
  if (typeof (items as Iterable<T>)?.[Symbol.iterator] === 'function') return iterateSync(items as Iterable<T>, all);
  if (typeof (items as AsyncIterable<T>)?.[Symbol.asyncIterator] === 'function')
    return iterateAsync(items as AsyncIterable<T>, all);
  throw new TypeError("progress(): 'items' must be iterable (an array, a Set, a generator …) or a number");
}

// The bar begins with the first item, not when the generator is made, so that waiting before the loop does not count.
function* iterateSync<T>(items: Iterable<T>, options: IterateOptions): Generator<T, void, undefined> {
  const bar = createProgress(options);
  try {
    for (const item of items) {
      yield item;
      bar.tick();
    }
  } finally {
    bar.end();
  }
}

async function* iterateAsync<T>(items: AsyncIterable<T>, options: IterateOptions): AsyncGenerator<T, void, undefined> {
  const bar = createProgress(options);
  try {
    for await (const item of items) {
      yield item;
      bar.tick();
    }
  } finally {
    bar.end();
  }
}

function countOf(items: unknown): number | undefined {
  const { length, size } = (items ?? {}) as { length?: unknown; size?: unknown };
  if (typeof length === 'number') return length;
  return typeof size === 'number' ? size : undefined;
}
