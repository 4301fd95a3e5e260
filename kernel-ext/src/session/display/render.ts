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

/**
 * How a value is shown as the last expression of a cell, or by `display()`: by its own display method (`customDisplay`), as a
 * tensor, table, chart, picture or error, or as Node's `util.inspect` prints it. Never fails; always has a `text/plain`
 * without color codes, and at most 16 MiB.
 *
 * @returns undefined for undefined, which is not shown.
 */
export async function render(value: unknown): Promise<MimeBundle | undefined> {
  if (value === undefined) return undefined;
  let note = '';
  if (isObject(value)) {
    try {
      const own = await customDisplay(value);
      if (own !== undefined) return finishBundle(own, value instanceof MimeOutput ? undefined : () => inspectText(value));
    } catch (error) {
      note = `\n(its display method failed: ${describeError(error)})`;
    }
    try {
      const known = note === '' ? await knownKind(value) : undefined;
      if (known !== undefined) return finishBundle(known);
    } catch {
      // a look-alike whose properties throw, or of the wrong types: printed plainly
    }
  }
  return { data: { 'text/plain': inspectText(value) + note } };
}

/** The bundle of a kind of value that is told by its properties. */
async function knownKind(value: object): Promise<MimeBundle | undefined> {
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
