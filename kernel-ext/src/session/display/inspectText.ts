import { inspect, stripVTControlCharacters, types } from 'node:util';
import { formatCount } from './formatNumber.js';

/** Node's own default: so many levels are printed below the value. */
const DEPTH = 2;
/** So many entries are printed over all levels; a value with more is printed less deep. */
const MOST_ENTRIES = 10_000;
/** So many array elements, as in Node. */
const MOST_ELEMENTS = 100;
/** So many properties of an object that holds more than `MOST_ENTRIES`. */
const MOST_PROPERTIES = 200;
/** So many characters of a string, as in Node. */
const LONGEST_STRING = 10_000;
/** So many characters of text. */
const LONGEST_TEXT = 500_000;

/**
 * A value as `util.inspect` prints it, without colors; never fails. What would be very long (huge nested arrays, objects with
 * a million properties) is printed less deep or cut, and the text says so.
 */
export function inspectText(value: unknown): string {
  try {
    return inspectWithin(value);
  } catch (error) {
    return `[${kindOf(value)} that cannot be printed: ${describeError(error)}]`;
  }
}

/** A value on one line, for a cell of a table. */
export function inspectLine(value: unknown): string {
  try {
    const text = inspect(value, { depth: 0, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 6, maxStringLength: 200 });
    return stripVTControlCharacters(cutText(text, 400)).replace(/\s*\n\s*/g, ' ');
  } catch {
    return `[${kindOf(value)}]`;
  }
}

/** Name and message of whatever was thrown; never fails. */
export function describeError(error: unknown): string {
  try {
    if (typeof error !== 'object' || error === null) return inspectText(error);
    const { name, message } = error as { name?: unknown; message?: unknown };
    if (typeof message === 'string') {
      const text = typeof name === 'string' && name !== '' ? `${name}: ${message}` : message;
      return cutText(stripVTControlCharacters(text), 2000);
    }
    return inspectLine(error);
  } catch {
    return 'an error that cannot be printed';
  }
}

/** The start of a long text, and how much was left out. */
export function cutText(text: string, longest: number = LONGEST_TEXT): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest)}… ${formatCount(text.length - longest)} more characters`;
}

function inspectWithin(value: unknown): string {
  const depth = affordableDepth(value);
  const options = { maxArrayLength: MOST_ELEMENTS, maxStringLength: LONGEST_STRING };
  if (depth >= 0 || hasOwnInspect(value)) {
    const text = inspect(value, { ...options, depth: Math.max(0, depth) });
    return stripVTControlCharacters(cutText(text));
  }
  const { part, left } = firstProperties(value as object);
  const text = stripVTControlCharacters(cutText(inspect(part, { ...options, depth: 0 })));
  return `${text}\n… ${formatCount(left)} more properties`;
}

/** The depth to which a value can be printed with at most `MOST_ENTRIES` entries; −1 if its own are already too many. */
function affordableDepth(value: unknown): number {
  const seen = new Set<unknown>();
  let level = [value];
  let count = 0;
  for (let depth = 0; depth <= DEPTH; depth++) {
    const next: unknown[] = [];
    for (const node of level) {
      for (const child of entriesOf(node)) {
        if (++count > MOST_ENTRIES) return depth - 1;
        if (!isObject(child) || seen.has(child)) continue;
        seen.add(child);
        next.push(child);
      }
    }
    level = next;
  }
  return DEPTH;
}

/** What is printed of an object one level down. No getter, no trap of a proxy is called. */
function* entriesOf(value: unknown): Generator<unknown> {
  if (!isObject(value) || types.isProxy(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return;
  hideContext(value);
  if (Array.isArray(value)) {
    const length = Math.min(value.length, MOST_ELEMENTS);
    for (let i = 0; i < length; i++) yield Object.getOwnPropertyDescriptor(value, i)?.value;
  } else if (types.isMap(value)) {
    let left = MOST_ELEMENTS;
    for (const [key, item] of Map.prototype.entries.call(value)) {
      if (left-- === 0) return;
      yield key;
      yield item;
    }
  } else if (types.isSet(value)) {
    let left = MOST_ELEMENTS;
    for (const item of Set.prototype.values.call(value)) {
      if (left-- === 0) return;
      yield item;
    }
  } else {
    for (const key of Object.keys(value)) yield Object.getOwnPropertyDescriptor(value, key)?.value;
  }
}

/** What Node hangs on promises and timers to follow the cell that they belong to. */
const CONTEXT = new Set(['async_id_symbol', 'trigger_async_id_symbol', 'kResourceStore']);

/** Makes the properties by which Node follows asynchronous work invisible; they keep their values. */
function hideContext(value: object): void {
  for (const key of Object.getOwnPropertySymbols(value)) {
    if (CONTEXT.has(key.description ?? '')) Reflect.defineProperty(value, key, { enumerable: false });
  }
}

/** An object of the same class with the first properties only. */
function firstProperties(value: object): { part: object; left: number } {
  const keys = Object.keys(value);
  const part = Object.create(Object.getPrototypeOf(value));
  for (const key of keys.slice(0, MOST_PROPERTIES)) {
    Object.defineProperty(part, key, Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor);
  }
  return { part, left: keys.length - MOST_PROPERTIES };
}

function hasOwnInspect(value: unknown): boolean {
  return typeof (value as { [inspect.custom]?: unknown })[inspect.custom] === 'function';
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function kindOf(value: unknown): string {
  return typeof value === 'function' ? 'a function' : 'an object';
}
