import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** `[session, line, source]`, as the protocol gives it. */
export type HistoryEntry = readonly [session: number, line: number, source: string];

export interface HistoryRequest {
  readonly hist_access_type?: unknown;
  readonly session?: unknown;
  readonly start?: unknown;
  readonly stop?: unknown;
  readonly n?: unknown;
  readonly pattern?: unknown;
  readonly unique?: unknown;
  readonly output?: unknown;
}

const LARGEST_FILE = 4 * 2 ** 20;
const KEPT = 2000;

/** Where the history lies by default; undefined where `LEEM_KERNEL_HISTORY` is empty, which turns the file off. */
export function historyFile(): string | undefined {
  const { LEEM_KERNEL_HISTORY: given, XDG_STATE_HOME: state } = process.env;
  if (given !== undefined) return given || undefined;
  return join(state || join(homedir(), '.local', 'state'), 'leemlab', 'history.jsonl');
}

/**
 * What was run, of this session and of earlier ones. Kept in a file of JSON lines that grows by whole lines, so that
 * kernels running side by side do not disturb each other; where it cannot be written, the history lasts as long as the
 * kernel.
 */
export class History {
  readonly #file: string | undefined;
  readonly #entries: HistoryEntry[];
  readonly #session: number;
  #writable = true;

  constructor(file: string | undefined) {
    this.#file = file;
    this.#entries = file === undefined ? [] : readEntries(file);
    this.#session = this.#entries.reduce((largest, [session]) => Math.max(largest, session), 0) + 1;
  }

  add(line: number, source: string): void {
    const entry: HistoryEntry = [this.#session, line, source];
    this.#entries.push(entry);
    if (this.#file === undefined || !this.#writable) return;
    try {
      mkdirSync(dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    } catch {
      this.#writable = false; // a read-only home is no reason to stop
    }
  }

  /** Answers a history_request; anything that it asks wrongly gives an empty list. */
  find(request: HistoryRequest): unknown[] {
    const found = this.#select(request);
    return request.output === true ? found.map(([session, line, source]) => [session, line, [source, null]]) : [...found];
  }

  #select({ hist_access_type: access, session, start, stop, n, pattern, unique }: HistoryRequest): readonly HistoryEntry[] {
    const count = typeof n === 'number' && n >= 0 ? n : undefined;
    if (access === 'tail') return count === 0 ? [] : this.#entries.slice(-(count ?? 10));
    if (access === 'range') {
      const relative = typeof session === 'number' ? session : 0;
      const wanted = relative > 0 ? relative : this.#session + relative;
      const from = typeof start === 'number' ? start : 1;
      const to = typeof stop === 'number' ? stop : Number.POSITIVE_INFINITY;
      return this.#entries.filter(([owner, line]) => owner === wanted && line >= from && line < to);
    }
    if (access !== 'search') return [];
    const matches = globPattern(typeof pattern === 'string' ? pattern : '*');
    let found = this.#entries.filter(([, , source]) => matches.test(source));
    if (unique === true) {
      const last = new Map(found.map((entry) => [entry[2], entry]));
      found = found.filter((entry) => last.get(entry[2]) === entry);
    }
    return count === undefined ? found : count === 0 ? [] : found.slice(-count);
  }
}

/** `*`, `?` and `[…]` as in file names; everything else as it stands. */
function globPattern(pattern: string): RegExp {
  const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const parts = pattern.split(/(\*|\?|\[[!^]?[^\]]+\])/).map((part, index) => {
    if (index % 2 === 0) return literally(part);
    if (part === '*') return '.*';
    if (part === '?') return '.';
    const [, negated, members] = /^\[([!^]?)(.*)\]$/s.exec(part) as RegExpExecArray;
    return `[${negated ? '^' : ''}${members.replace(/[\\^]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^${parts.join('')}$`, 's');
  } catch {
    return new RegExp(`^${literally(pattern)}$`, 's'); // a range that is none, such as [z-a]
  }
}

function readEntries(file: string): HistoryEntry[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const entries = text.split('\n').flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return isEntry(entry) ? [entry] : [];
    } catch {
      return []; // an empty line, or one that was cut off
    }
  });
  if (text.length > LARGEST_FILE) shorten(file, entries.slice(-KEPT));
  return entries.slice(-KEPT);
}

function isEntry(value: unknown): value is HistoryEntry {
  return (
    Array.isArray(value) &&
    value.length === 3 &&
    typeof value[0] === 'number' &&
    typeof value[1] === 'number' &&
    typeof value[2] === 'string'
  );
}

function shorten(file: string, entries: readonly HistoryEntry[]): void {
  try {
    const part = `${file}.${process.pid}.part`;
    const mode = statSync(file).mode & 0o777;
    writeFileSync(part, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode });
    renameSync(part, file);
  } catch {
    // stays as long as it is
  }
}
