/** Names of the library after TypeScript 5.0 that declarations use. */
const TYPES = `
type NoInfer<T> = [T][T extends any ? 0 : never];
type BuiltinIteratorReturn = any;
interface IteratorObject<T, TReturn = unknown, TNext = unknown> extends Iterator<T, TReturn, TNext> {
  [Symbol.iterator](): IteratorObject<T, TReturn, TNext>;
}
interface AsyncIteratorObject<T, TReturn = unknown, TNext = unknown> extends AsyncIterator<T, TReturn, TNext> {
  [Symbol.asyncIterator](): AsyncIteratorObject<T, TReturn, TNext>;
}
interface ArrayIterator<T> extends IterableIterator<T> {}
interface MapIterator<T> extends IterableIterator<T> {}
interface SetIterator<T> extends IterableIterator<T> {}
interface StringIterator<T> extends IterableIterator<T> {}
interface RegExpStringIterator<T> extends IterableIterator<T> {}
`;

const COPYING = `
  /** A copy in reverse order. */
  toReversed(): T[];
  /** A sorted copy. */
  toSorted(compareFn?: (a: T, b: T) => number): T[];
  /** A copy from which elements are removed and into which others are inserted. */
  toSpliced(start: number, deleteCount?: number, ...items: T[]): T[];
  /** A copy with another value at an index. */
  with(index: number, value: T): T[];
`;

/** What Node 20 has and TypeScript 5.0 does not know. */
const NODE_20 = `
interface Array<T> {${COPYING}}
interface ReadonlyArray<T> {${COPYING}}
interface String {
  /** Whether no surrogate stands alone. */
  isWellFormed(): boolean;
  /** A copy in which lone surrogates are replaced. */
  toWellFormed(): string;
}
`;

const NODE_22 = `
interface ObjectConstructor {
  /** Groups values by the key that a function gives for each. */
  groupBy<K extends PropertyKey, T>(items: Iterable<T>, keySelector: (item: T, index: number) => K): Partial<Record<K, T[]>>;
}
interface MapConstructor {
  /** Groups values by the key that a function gives for each. */
  groupBy<K, T>(items: Iterable<T>, keySelector: (item: T, index: number) => K): Map<K, T[]>;
}
interface PromiseConstructor {
  /** A promise together with the functions that settle it. */
  withResolvers<T>(): { promise: Promise<T>; resolve: (value: T | PromiseLike<T>) => void; reject: (reason?: any) => void };
}
interface ArrayConstructor {
  /** Collects values that come one by one. */
  fromAsync<T>(values: AsyncIterable<T> | Iterable<T | PromiseLike<T>> | ArrayLike<T | PromiseLike<T>>): Promise<T[]>;
}
interface Set<T> {
  union<U>(other: ReadonlySet<U>): Set<T | U>;
  intersection<U>(other: ReadonlySet<U>): Set<T & U>;
  difference<U>(other: ReadonlySet<U>): Set<T>;
  symmetricDifference<U>(other: ReadonlySet<U>): Set<T | U>;
  isSubsetOf(other: ReadonlySet<unknown>): boolean;
  isSupersetOf(other: ReadonlySet<unknown>): boolean;
  isDisjointFrom(other: ReadonlySet<unknown>): boolean;
}
`;

const NUMBER_ARRAYS = ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'];
const BIGINT_ARRAYS = ['BigInt64', 'BigUint64'];

/** Declarations that follow those of TypeScript 5.0, for the Node that runs. */
export function laterLibrary(): string {
  const typed = [
    ...NUMBER_ARRAYS.map((name) => copyingArray(name, 'number')),
    ...BIGINT_ARRAYS.map((name) => copyingArray(name, 'bigint')),
  ];
  const major = Number(process.versions.node.split('.')[0]);
  return [TYPES, NODE_20, ...typed, ...(major >= 22 ? [NODE_22] : [])].join('\n');
}

function copyingArray(name: string, element: string): string {
  const array = `${name}Array`;
  return `interface ${array}<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {
  /** A copy in reverse order. */
  toReversed(): ${array};
  /** A sorted copy. */
  toSorted(compareFn?: (a: ${element}, b: ${element}) => number): ${array};
  /** A copy with another value at an index. */
  with(index: number, value: ${element}): ${array};
}`;
}
