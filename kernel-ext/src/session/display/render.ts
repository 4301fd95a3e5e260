import { types } from 'node:util';
import { customDisplay } from './customDisplay.js';
import { finishBundle } from './finishBundle.js';
import { describeImage, imageType } from './imageBytes.js';
import { describeError, inspectText } from './inspectText.js';
import { MimeOutput } from './mime.js';
import { isError, renderError } from './renderError.js';
import { isTable, renderTable } from './renderTable.js';
import { renderTensor } from './renderTensor.js';
import { renderVega } from './renderVega.js';
import { isTensor } from './sampleTensor.js';
import type { MimeBundle } from './types.js';

type Rendered = MimeBundle | undefined;

/**
 * How a value is shown as the last expression of a cell, or by `display()`: by its own display method (`customDisplay`), as a
 * tensor, table, chart, picture or error, or as Node's `util.inspect` prints it. Never fails; always has a `text/plain`
 * without color codes, and at most 16 MiB.
 *
 * @returns undefined for undefined, and for what its display method has shown itself by giving an empty bundle; a promise only where values must be read first, so that what can be
 *   shown at once comes before what the cell does next.
 */
export function render(value: unknown): Rendered | Promise<Rendered> {
  if (value === undefined) return undefined;
  if (!isObject(value)) return plainly(value);
  const failed = (error: unknown): MimeBundle => plainly(value, `\n(its display method failed: ${describeError(error)})`);
  const finish = (own: Rendered): Rendered | Promise<Rendered> => {
    if (own === undefined) return renderKnown(value);
    // its method has shown it already
    if (Object.keys(own.data).length === 0) return undefined;
    return finishBundle(own, value instanceof MimeOutput ? undefined : () => inspectText(value));
  };
  try {
    const own = customDisplay(value);
    return types.isPromise(own) ? own.then(finish).catch(failed) : finish(own);
  } catch (error) {
    return failed(error);
  }
}

function plainly(value: unknown, note = ''): MimeBundle {
  return { data: { 'text/plain': inspectText(value) + note } };
}

function renderKnown(value: object): MimeBundle | Promise<MimeBundle> {
  // a look-alike whose properties throw, or of the wrong types, is printed plainly
  const finish = (known: Rendered): MimeBundle => (known === undefined ? plainly(value) : finishBundle(known));
  try {
    const known = knownKind(value);
    return types.isPromise(known) ? known.then(finish).catch(() => plainly(value)) : finish(known);
  } catch {
    return plainly(value);
  }
}

/** The bundle of a kind of value that is told by its properties. */
function knownKind(value: object): Rendered | Promise<Rendered> {
  if (typeof value === 'function') return undefined;
  if (types.isUint8Array(value)) {
    const type = imageType(value);
    return type === undefined ? undefined : { data: { [type]: value, 'text/plain': describeImage(value, type) } };
  }
  if (isError(value)) return renderError(value);
  if (isTensor(value)) return renderTensor(value);
  if (isTable(value)) return renderTable(value);
  return renderVega(value);
}

/** Proxies are left out: a trap may answer to every name, or throw. */
function isObject(value: unknown): value is object {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && !types.isProxy(value);
}
