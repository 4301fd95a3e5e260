import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import type { ErrorContent } from '../shared/messages.js';
import { plainMessage } from './compile/index.js';

/** 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Source that runs under a name of its own: a cell, or a local module. */
export interface TracedSource {
  readonly source: string;
  /** From the JavaScript that runs to what the user wrote. */
  position(line: number, column: number): Position | undefined;
}

const KERNEL_ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HIDDEN = /node:internal|^node:|@tslab\/typescript-for-tslab|[/\\]tslab[/\\]dist[/\\]/;
const MOST_FRAMES = 30;
const CONTEXT_LINES = 2;
const RED = ['\u001b[31m', '\u001b[39m'] as const;
const DIM = ['\u001b[2m', '\u001b[22m'] as const;

const sources = new Map<string, TracedSource>();

/** Makes the stack traces of what runs under `name` point into what the user wrote. */
export function traceSource(name: string, source: TracedSource): void {
  sources.set(name, source);
}

interface TracedFrame {
  readonly text: string;
  readonly file: string;
  readonly position: Position;
}

function traceFrame(site: NodeJS.CallSite): TracedFrame | undefined {
  const file = site.getFileName() ?? site.getScriptNameOrSourceURL?.() ?? '';
  const plain = file.startsWith('file:') ? fileURLToPath(file) : file;
  if (file === '' || plain.startsWith(`${KERNEL_ROOT}dist`) || HIDDEN.test(plain)) return undefined;
  const [line, column] = [site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1];
  const source = sources.get(plain);
  const position = source ? source.position(line, column) : { line, column };
  if (!position) return undefined; // code that only the compiler added
  const where = `${plain}:${position.line}:${position.column}`;
  const text = site.toString().replace(`${file}:${line}:${column}`, where);
  // the function that wraps a cell has no name of its own
  return { text: text.replace(/^(async )?(eval|Object\.<anonymous>|<anonymous>) \((.*)\)$/, '$1$3'), file: plain, position };
}

const places = new WeakMap<Error, TracedFrame>();

/** Replaces Node's stack traces by ones that name cells and their TypeScript lines and leave the kernel's own code out. */
export function traceErrors(): void {
  Error.stackTraceLimit = 50;
  Error.prepareStackTrace = (error, sites) => {
    const frames = sites.flatMap((site) => traceFrame(site) ?? []);
    const own = frames.find(({ file }) => sources.has(file));
    if (own) places.set(error, own);
    const lines = frames.slice(0, MOST_FRAMES).map(({ text }) => `\n    at ${text}`);
    return `${errorTitle(error)}${lines.join('')}`;
  };
}

function errorTitle(error: Error): string {
  try {
    return plainMessage(Error.prototype.toString.call(error));
  } catch {
    return 'Error';
  }
}

/** The lines of the source around a place, the place itself marked. */
export function excerpt(source: string, { line, column }: Position): string[] {
  const lines = source.split('\n');
  const first = Math.max(1, line - CONTEXT_LINES);
  const width = String(line + 1).length;
  return lines.slice(first - 1, line).flatMap((text, index) => {
    const number = first + index;
    const label = `${number === line ? '>' : ' '} ${String(number).padStart(width)} | `;
    const shown = `${label}${text.length > 200 ? `${text.slice(0, 200)}…` : text}`;
    if (number !== line) return [`${DIM[0]}${shown}${DIM[1]}`];
    // tabs stay tabs, so that the mark stands below its place
    const indent = text.slice(0, Math.min(column - 1, 200)).replace(/[^\t]/g, ' ');
    return [shown, `${' '.repeat(label.length)}${indent}${RED[0]}^${RED[1]}`];
  });
}

function textOf(read: () => unknown, otherwise: string): string {
  try {
    const value = read();
    return typeof value === 'string' ? value : otherwise;
  } catch {
    return otherwise; // an error whose own properties throw
  }
}

/** Whether it is an error of any realm. */
function isError(value: unknown): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** What the protocol says of something that was thrown. */
export function errorContent(thrown: unknown): ErrorContent {
  if (!isError(thrown)) {
    const evalue = inspectSafely(thrown);
    return { ename: 'Thrown', evalue, traceback: [`${RED[0]}Thrown${RED[1]}: ${evalue}`] };
  }
  const ename = textOf(() => thrown.name, 'Error');
  const evalue = plainMessage(textOf(() => thrown.message, ''));
  return { ename, evalue, traceback: [...errorLines(thrown), ...causeLines(thrown, 0)] };
}

function errorLines(error: Error): string[] {
  const ename = textOf(() => error.name, 'Error');
  const evalue = plainMessage(textOf(() => error.message, ''));
  const stack = textOf(() => error.stack, ''); // fills `places`
  const place = places.get(error);
  const source = place && sources.get(place.file);
  // a stack from elsewhere, such as a worker's, was not made here
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line) && !/node:internal|\[nodejs\.internal/.test(line));
  return [
    `${RED[0]}${ename}${RED[1]}: ${evalue}`,
    ...(place && source ? [`${place.file}, line ${place.position.line}`, ...excerpt(source.source, place.position)] : []),
    ...frames,
  ];
}

function causeLines(error: Error, depth: number): string[] {
  if (depth > 4) return [];
  const lines: string[] = [];
  try {
    if (isError(error.cause)) lines.push('', 'Caused by:', ...errorLines(error.cause), ...causeLines(error.cause, depth + 1));
    else if (error.cause !== undefined) lines.push(`Caused by: ${inspectSafely(error.cause)}`);
    if (error instanceof AggregateError) {
      for (const inner of error.errors.slice(0, 5))
        lines.push('', ...(isError(inner) ? errorLines(inner) : [inspectSafely(inner)]));
    }
  } catch {
    // a cause that throws when it is read has nothing to say
  }
  return lines;
}

function inspectSafely(value: unknown): string {
  try {
    return inspect(value, { maxStringLength: 10_000 });
  } catch {
    return '(a value that cannot be shown)';
  }
}
