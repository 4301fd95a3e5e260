import { stripVTControlCharacters, types } from 'node:util';
import { cutText, describeError, inspectText } from './inspectText.js';
import type { MimeBundle } from './types.js';

/** So many causes of causes, and so many errors of an AggregateError, are told. */
const MOST_CAUSES = 5;
const MOST_ERRORS = 10;
/** Properties that the text tells otherwise, or that hold internals. */
const TOLD = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Whether a value is an error, of whatever realm. */
export function isError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

/** An error that is shown, not thrown: name, message, its further properties and its causes; no stack. */
export function renderError(error: Error): MimeBundle {
  return { data: { 'text/plain': errorText(error, '', MOST_CAUSES) } };
}

function errorText(error: unknown, indent: string, causes: number): string {
  if (typeof error !== 'object' || error === null || !isError(error)) return inspectText(error);
  const lines = [headline(error) + properties(error)];
  const { errors } = error as { errors?: unknown };
  if (Array.isArray(errors) && causes > 0) {
    for (const one of errors.slice(0, MOST_ERRORS)) lines.push(`  ${indent}- ${errorText(one, `${indent}    `, causes - 1)}`);
    if (errors.length > MOST_ERRORS) lines.push(`  ${indent}- … ${errors.length - MOST_ERRORS} more errors`);
  }
  if (error.cause !== undefined && causes > 0) {
    lines.push(`  ${indent}caused by ${errorText(error.cause, `${indent}  `, causes - 1)}`);
  }
  return lines.join('\n');
}

function headline(error: Error): string {
  const { name, message } = error;
  if (typeof name !== 'string' || typeof message !== 'string') return describeError(error);
  const title = name === 'Error' && error.constructor?.name ? error.constructor.name : name;
  return cutText(stripVTControlCharacters(message === '' ? title : `${title}: ${message}`), 10_000);
}

function properties(error: Error): string {
  const further: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    const value: unknown = Object.getOwnPropertyDescriptor(error, key)?.value;
    if (!TOLD.has(key) && value !== undefined) further[key] = value;
  }
  return Object.keys(further).length === 0 ? '' : ` ${inspectText(further)}`;
}
