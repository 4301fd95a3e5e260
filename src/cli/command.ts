import type { CommandArguments } from './CommandArguments.js';

/** An option of a command, as `node:util` parseArgs takes it, with what `--help` says of it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** One letter, without the dash. */
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, e.g. `DIR`; only for strings. */
  readonly value?: string;
  /** One line: what it does, its unit and its default. */
  readonly help: string;
}

/** Where a piece of work stands. All of it goes to stderr. */
export interface Progress {
  /** `done` of `total` units are done; the first call may start above 0 (a resumed run). Cheap: call it as often as you like. */
  update(done: number): void;
  /** Ends the line with the time taken. Safe to call twice; not called after a failure. */
  done(): void;
}

/** What a command may use of its surroundings: it never touches `process` itself. */
export interface CommandContext {
  /** Whether one JSON object is asked for: {@link CommandResult.json}. */
  readonly json: boolean;
  /** Aborted by Ctrl-C or SIGTERM; the command then cleans up and throws AbortedError within a second. */
  readonly signal: AbortSignal;
  /** The warnings so far, in the order of {@link CommandContext.warn}. */
  readonly warnings: readonly string[];
  /** A line of the result: stdout, or stderr under `--json`. */
  print(line: string): void;
  /** A line beside the result (plan, hints): always stderr. */
  note(line: string): void;
  /** A warning on stderr, once for each text; also kept in `warnings`. */
  warn(text: string): void;
  /** Starts a progress bar on a terminal, plain lines elsewhere. `unit` is a plural: `frames`, `pairs`. */
  progress(label: string, total: number, unit?: string): Progress;
}

/** How a command ended; one that failed throws instead. */
export interface CommandResult {
  /** What `--json` prints. Typed arrays become arrays, NaN and infinities null. */
  readonly json: object;
  /** 1 where the work was done but its answer is "no" (a failed self-test). Default 0. */
  readonly exitCode?: 0 | 1;
}

/**
 * One command of `leem`. Its module exports it as `command` and is loaded for its help alone, so the module imports
 * what computes (backend, io, registration …) only inside `run`, by `await import()`.
 */
export interface Command {
  readonly name: string;
  /** One line for `leem --help`. */
  readonly summary: string;
  /** What follows `leem NAME` in the usage line, e.g. `INPUT --out DIR [options]`. */
  readonly usage: string;
  /** Paragraphs and examples after the options. */
  readonly details?: string;
  /** How many arguments that are not options: [at least, at most]. */
  readonly positionals: readonly [number, number];
  /** Besides `--help` and `--json`, which every command has. */
  readonly options: Readonly<Record<string, CommandOption>>;
  /**
   * Does the work.
   *
   * @throws OptionError for wrong use and for refusals (exit code 2); any other error is a failure (exit code 1).
   */
  run(args: CommandArguments, context: CommandContext): Promise<CommandResult>;
}
