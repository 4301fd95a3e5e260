import { Buffer } from 'node:buffer';
import { stripVTControlCharacters, types } from 'node:util';
import { formatBytes } from '../../shared/formatBytes.js';
import { htmlText } from './escapeHtml.js';
import { describeImage } from './imageBytes.js';
import { cutText, describeError, inspectText } from './inspectText.js';
import type { MimeBundle } from './types.js';

/** A bundle with more bytes is not sent: front ends stop to answer long before. */
const MOST_BYTES = 16 * 1024 * 1024;

const TEXT_TYPE = /^(text\/|image\/svg\+xml$|application\/(javascript|xml|x-latex)$|.*\+xml$)/;
const JSON_TYPE = /^application\/json$|\+json$/;
const MIME_TYPE = /^[\w.+-]+\/[\w.+*-]+(;.*)?$/;

/**
 * A bundle as it can be sent: bytes as base64, JSON types as plain JSON, text types as one string, and always a `text/plain`
 * without color codes. What cannot be sent is left out and named in the text; above 16 MiB only a text remains.
 *
 * @param fallback the text where the bundle has none and none can be made from its other types.
 */
export function finishBundle(bundle: MimeBundle, fallback?: () => string): MimeBundle {
  const data: Record<string, unknown> = {};
  const problems: string[] = [];
  const sizes = new Map<string, number>();
  for (const [type, value] of Object.entries(bundle.data)) {
    if (value === undefined || value === null) continue;
    try {
      if (!MIME_TYPE.test(type)) throw new Error('it is no MIME type');
      const { sent, bytes } = sendable(type, value);
      data[type] = sent;
      sizes.set(type, bytes);
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : describeError(error)).split('\n');
      problems.push(`${cutText(type, 100)} is left out: ${reason}`);
    }
  }
  const total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (total > MOST_BYTES) return { data: { 'text/plain': tooLarge(total, sizes) } };
  const text = [plainText(data, fallback), ...problems].filter((part) => part !== '').join('\n');
  data['text/plain'] = stripVTControlCharacters(text);
  const metadata = sendableMetadata(bundle.metadata);
  return metadata === undefined ? { data } : { data, metadata };
}

function sendable(type: string, value: unknown): { sent: unknown; bytes: number } {
  if (JSON_TYPE.test(type)) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new Error('it cannot be written as JSON');
    const bytes = Buffer.byteLength(text);
    return { sent: bytes > MOST_BYTES ? undefined : JSON.parse(text), bytes };
  }
  const text = TEXT_TYPE.test(type);
  if (types.isUint8Array(value)) {
    const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (buffer.length > MOST_BYTES) return { sent: undefined, bytes: buffer.length };
    const sent = buffer.toString(text ? 'utf8' : 'base64');
    return { sent, bytes: sent.length };
  }
  const joined = Array.isArray(value) && value.every((part) => typeof part === 'string') ? value.join('') : value;
  if (typeof joined === 'string') return { sent: joined, bytes: Buffer.byteLength(joined) };
  if (!text) throw new Error('it must be a Uint8Array or a base64 string');
  const sent = inspectText(joined);
  return { sent, bytes: Buffer.byteLength(sent) };
}

/** The bundle's own text, or one made of the other types. */
function plainText(data: Readonly<Record<string, unknown>>, fallback: (() => string) | undefined): string {
  const own = data['text/plain'];
  if (typeof own === 'string') return cutText(stripVTControlCharacters(own));
  for (const type of ['text/markdown', 'text/latex']) {
    if (typeof data[type] === 'string') return cutText(data[type]);
  }
  const html = typeof data['text/html'] === 'string' ? htmlText(data['text/html']) : '';
  if (html !== '') return html;
  if (fallback !== undefined) return fallback();
  for (const [type, value] of Object.entries(data)) {
    if (type === 'image/svg+xml') return 'SVG image';
    if (type.startsWith('image/')) return describeImage(Buffer.from(value as string, 'base64'), type);
  }
  if (data['application/json'] !== undefined) return inspectText(data['application/json']);
  return Object.keys(data).join(', ');
}

function sendableMetadata(metadata: MimeBundle['metadata']): Record<string, unknown> | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  try {
    const text = JSON.stringify(metadata);
    return text.length > MOST_BYTES ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tooLarge(total: number, sizes: ReadonlyMap<string, number>): string {
  const parts = [...sizes].map(([type, bytes]) => `${type} ${formatBytes(bytes)}`).join(', ');
  return (
    `This output of ${formatBytes(total)} is not shown, because notebooks take at most ${formatBytes(MOST_BYTES)} (${parts}). ` +
    'Show a part of it, or write it to a file.'
  );
}
