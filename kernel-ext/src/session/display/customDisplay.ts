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
export async function customDisplay(value: object): Promise<MimeBundle | undefined> {
  const own = (value as { [DISPLAY]?: unknown })[DISPLAY];
  if (typeof own === 'function') {
    const bundle: unknown = await own.call(value);
    if (bundle === undefined) return undefined;
    if (isRecord(bundle) && isRecord(bundle.data)) return bundle as unknown as MimeBundle;
    throw new Error("[Symbol.for('leemlab.display')]() must return { data: { 'MIME type': content } } or undefined");
  }
  const deno = (value as { [JUPYTER_DISPLAY]?: unknown })[JUPYTER_DISPLAY];
  if (typeof deno !== 'function') return undefined;
  const data: unknown = await deno.call(value);
  if (data === undefined) return undefined;
  if (isRecord(data)) return { data };
  throw new Error("[Symbol.for('Jupyter.display')]() must return { 'MIME type': content } or undefined");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
