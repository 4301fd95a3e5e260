/** What an iteration tells its bar. */
interface Bar {
  tick(): void;
  end(): void;
}

/**
 * The items of an iterable, one after another; the bar is told of each when the loop asks for the next, and ends with the
 * loop, also where that is left early.
 *
 * @throws TypeError if `items` is not iterable; the bar has ended then.
 */
export function iterate<T>(items: Iterable<T>, bar: Bar): Generator<T, void, undefined>;
export function iterate<T>(items: AsyncIterable<T>, bar: Bar): AsyncGenerator<T, void, undefined>;
export function iterate<T>(
  items: Iterable<T> | AsyncIterable<T>,
  bar: Bar,
): Generator<T, void, undefined> | AsyncGenerator<T, void, undefined> {
  if (typeof (items as Iterable<T>)?.[Symbol.iterator] === 'function') return iterateSync(items as Iterable<T>, bar);
  if (typeof (items as AsyncIterable<T>)?.[Symbol.asyncIterator] === 'function')
    return iterateAsync(items as AsyncIterable<T>, bar);
  bar.end();
  throw new TypeError("progress(): 'items' must be iterable (an array, a Set, a generator …) or a number");
}

function* iterateSync<T>(items: Iterable<T>, bar: Bar): Generator<T, void, undefined> {
  try {
    for (const item of items) {
      yield item;
      bar.tick();
    }
  } finally {
    bar.end();
  }
}

async function* iterateAsync<T>(items: AsyncIterable<T>, bar: Bar): AsyncGenerator<T, void, undefined> {
  try {
    for await (const item of items) {
      yield item;
      bar.tick();
    }
  } finally {
    bar.end();
  }
}

/** How many items an iterable has, where it tells. */
export function countOf(items: unknown): number | undefined {
  const { length, size } = (items ?? {}) as { length?: unknown; size?: unknown };
  if (typeof length === 'number') return length;
  return typeof size === 'number' ? size : undefined;
}
