import type { MimeBundle } from './types.js';

/** The method with which an object says how it is shown: returns a MIME bundle, a promise of one, or undefined for "print me plainly". */
export const DISPLAY: unique symbol = Symbol.for('leemlab.display') as never;
/** Deno's convention: the method returns the record of MIME types itself. */
export const JUPYTER_DISPLAY: unique symbol = Symbol.for('Jupyter.display') as never;

/**
 * What an object's own display method gives.
 *
 * @returns undefined if it has none, or if that wants the object to be printed plainly.
 * @throws whatever the method throws, and an Error if it gives no bundle.
 */
export function customDisplay(value: object): MimeBundle | undefined | Promise<MimeBundle | undefined> {
  const own = (value as { [DISPLAY]?: unknown })[DISPLAY];
  if (typeof own === 'function') return settle(own.call(value), asBundle);
  const deno = (value as { [JUPYTER_DISPLAY]?: unknown })[JUPYTER_DISPLAY];
  return typeof deno === 'function' ? settle(deno.call(value), asData) : undefined;
}

/** Checks what a method gives, now or when its promise is there. */
function settle<Result>(given: unknown, check: (value: unknown) => Result): Result | Promise<Result> {
  return typeof (given as PromiseLike<unknown> | undefined)?.then === 'function'
    ? Promise.resolve(given).then(check)
    : check(given);
}

function asBundle(bundle: unknown): MimeBundle | undefined {
  if (bundle === undefined || (isRecord(bundle) && isRecord(bundle.data))) return bundle as MimeBundle | undefined;
  throw new Error("[Symbol.for('leemlab.display')]() must return { data: { 'MIME type': content } } or undefined");
}

function asData(data: unknown): MimeBundle | undefined {
  if (data === undefined) return undefined;
  if (isRecord(data)) return { data };
  throw new Error("[Symbol.for('Jupyter.display')]() must return { 'MIME type': content } or undefined");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
