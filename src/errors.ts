/**
 * The tagged errors of leemlab. Every error that a user can cause is one of these; `tag` tells them apart where
 * `instanceof` cannot (another copy of the package, a worker thread, JSON).
 */
export type ErrorTag =
  | 'ShapeError'
  | 'OptionError'
  | 'DataFormatError'
  | 'NotConvergedError'
  | 'UnsupportedError'
  | 'OutputError'
  | 'OutOfMemoryError'
  | 'AbortedError';

/** Base of the tagged errors. `message` reads `function(): 'argument' must be <rule>, got <value>` and names the remedy. */
export abstract class LeemError extends Error {
  abstract readonly tag: ErrorTag;
}

/** A tensor, frame or stack has the wrong shape or data type. */
export class ShapeError extends LeemError {
  override readonly name: string = 'ShapeError';
  readonly tag: ErrorTag = 'ShapeError';
}

/** An option has a value that its rule does not allow. */
export class OptionError extends LeemError {
  override readonly name: string = 'OptionError';
  readonly tag: ErrorTag = 'OptionError';
}

/** A file is not what its format demands. `path` and, where it is known, the byte `offset` of the failed check. */
export class DataFormatError extends LeemError {
  override readonly name: string = 'DataFormatError';
  readonly tag: ErrorTag = 'DataFormatError';
  readonly path: string;
  readonly offset: number | undefined;
  constructor(message: string, where: { path: string; offset?: number }, options?: ErrorOptions) {
    const at = where.offset === undefined ? '' : ` (byte ${where.offset})`;
    super(`${where.path}${at}: ${message}`, options);
    this.path = where.path;
    this.offset = where.offset;
  }
}

/** An iteration did not settle within its limit. */
export class NotConvergedError extends LeemError {
  override readonly name: string = 'NotConvergedError';
  readonly tag: ErrorTag = 'NotConvergedError';
}

/** What is asked for exists, but not here: a codec, a platform, a backend. */
export class UnsupportedError extends LeemError {
  override readonly name: string = 'UnsupportedError';
  readonly tag: ErrorTag = 'UnsupportedError';
}

/** The output cannot be written: no permission, disk full, or another run's results stand there. */
export class OutputError extends LeemError {
  override readonly name: string = 'OutputError';
  readonly tag: ErrorTag = 'OutputError';
  readonly path: string;
  constructor(message: string, path: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.path = path;
  }
}

/** TensorFlow found no memory for a tensor. What was there before is unharmed. */
export class OutOfMemoryError extends LeemError {
  override readonly name: string = 'OutOfMemoryError';
  readonly tag: ErrorTag = 'OutOfMemoryError';
}

/** The work was stopped through its AbortSignal. What was finished before is kept. */
export class AbortedError extends LeemError {
  override readonly name: string = 'AbortedError';
  readonly tag: ErrorTag = 'AbortedError';
}

const TAGS = new Set<string>([
  'ShapeError',
  'OptionError',
  'DataFormatError',
  'NotConvergedError',
  'UnsupportedError',
  'OutputError',
  'OutOfMemoryError',
  'AbortedError',
]);

/** Whether `value` is an error of leemlab, of the given tag if one is given; also for errors of another copy of the package. */
export function isLeemError(value: unknown, tag?: ErrorTag): value is LeemError {
  if (!(value instanceof Error) || !('tag' in value)) return false;
  return tag === undefined ? TAGS.has(String(value.tag)) : value.tag === tag;
}

/** Throws {@link AbortedError} if `signal` was aborted; `what` names the operation. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new AbortedError(`${what} was stopped`, { cause: signal.reason });
}
