import { inspect } from 'node:util';
import { DISPLAY, host, type MimeBundle } from '../host.js';
import { escapeText } from '../stack/escapeText.js';

/** What is shown of the result of a run: what it says itself, or a bundle, or the host's rendering, or plain text. */
export async function showValue(value: unknown): Promise<MimeBundle> {
  const own = (value as { readonly [DISPLAY]?: () => MimeBundle | undefined | Promise<MimeBundle | undefined> } | null)?.[
    DISPLAY
  ];
  const bundle = typeof own === 'function' ? await own.call(value) : isBundle(value) ? value : await host()?.render?.(value);
  return bundle ?? { data: { 'text/plain': typeof value === 'string' ? value : inspect(value) } };
}

/** What is shown of an error: its name and message, and what it came from. */
export function showError(error: unknown): MimeBundle {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${inspect(error)}`;
  return { data: { 'text/plain': text, 'text/html': `<pre style="color:#b3261e">${escapeText(text)}</pre>` } };
}

function isBundle(value: unknown): value is MimeBundle {
  const data = (value as { readonly data?: unknown } | null)?.data;
  if (typeof data !== 'object' || data === null) return false;
  const types = Object.keys(data);
  return types.length > 0 && types.every((type) => /^[\w.+-]+\/[\w.+-]+$/.test(type));
}
