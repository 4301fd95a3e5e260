import { Buffer } from 'node:buffer';
import { formatBytes } from '../../shared/formatBytes.js';
import { DISPLAY } from './customDisplay.js';
import { describeImage } from './imageBytes.js';
import type { MimeBundle } from './types.js';

/** An object that is shown as the bundle that it holds, as the last expression of a cell or by `display()`. */
export class MimeOutput {
  readonly bundle: MimeBundle;

  constructor(bundle: MimeBundle) {
    this.bundle = bundle;
  }
}

Object.defineProperty(MimeOutput.prototype, DISPLAY, {
  value(this: MimeOutput) {
    return this.bundle;
  },
});

/**
 * Something to show in several forms; the front end takes the richest that it knows.
 *
 * @param data by MIME type: strings; for binary types a Uint8Array or base64; for JSON types any plain value.
 * @param metadata by MIME type, for example `{ 'image/png': { width: 320 } }`.
 * @example
 * mime({ 'text/markdown': '**12** frames', 'text/plain': '12 frames' })
 */
export function mime(data: Readonly<Record<string, unknown>>, metadata?: Readonly<Record<string, unknown>>): MimeOutput {
  return new MimeOutput(metadata === undefined ? { data } : { data, metadata });
}

/** HTML, inserted as it is: escape what comes from elsewhere. */
export function html(text: string): MimeOutput {
  return mime({ 'text/html': String(text) });
}

/** Markdown with formulas between dollar signs. */
export function markdown(text: string): MimeOutput {
  return mime({ 'text/markdown': String(text), 'text/plain': String(text) });
}

/** A LaTeX formula, with or without dollar signs around it. */
export function latex(formula: string): MimeOutput {
  const text = String(formula);
  return mime({ 'text/latex': /^\s*(\$|\\\[|\\\(|\\begin)/.test(text) ? text : `$$${text}$$`, 'text/plain': text });
}

/** An SVG drawing from its source. */
export function svg(source: string): MimeOutput {
  return mime({ 'image/svg+xml': String(source), 'text/plain': `SVG image, ${formatBytes(Buffer.byteLength(String(source)))}` });
}

/**
 * A PNG from the bytes of its file.
 *
 * @param size in CSS pixels, where it should not be the image's own.
 */
export function png(bytes: Uint8Array, size: { readonly width?: number; readonly height?: number } = {}): MimeOutput {
  const metadata = size.width === undefined && size.height === undefined ? undefined : { 'image/png': { ...size } };
  return mime({ 'image/png': bytes, 'text/plain': describeImage(bytes, 'image/png') }, metadata);
}

/** A value as a tree that can be opened and searched, where the front end has one. */
export function json(value: unknown): MimeOutput {
  return mime({ 'application/json': value });
}
