import { isLeemError, OptionError } from '../errors.js';
import type { Command, CommandContext } from './command.js';
import { COMMANDS, type CommandEntry, LATER_COMMANDS } from './commands.js';
import { commandHelp, mainHelp } from './help.js';
import { ProgressDisplay, type ProgressStream } from './ProgressDisplay.js';
import { parseArguments } from './parseArguments.js';
import { suggest } from './suggest.js';
import { leemlabVersion } from './version.js';

/** Exit codes of `leem`. */
export const EXIT = { DONE: 0, FAILED: 1, WRONG_USE: 2, STOPPED: 130 } as const;

/** What `leem` may use of the process; `main.ts` gives the real one, tests their own. */
export interface Surroundings {
  readonly stdout: ProgressStream;
  readonly stderr: ProgressStream;
  readonly signal: AbortSignal;
  /** LEEMLAB_DEBUG: print stacks. */
  readonly debug: boolean;
  /** Default {@link COMMANDS}. */
  readonly commands?: readonly CommandEntry[];
}

/** JSON as everyone reads it: arrays for typed arrays, null for NaN and the infinities (JSON.stringify's own rule). */
export function toJson(value: object): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (ArrayBuffer.isView(item)) return Array.from(item as unknown as ArrayLike<number>);
    return typeof item === 'bigint' ? Number(item) : item;
  });
}

/** What Node, WebAssembly and TensorFlow say when the system gives no more. */
function isOutOfMemory(line: string): boolean {
  return /out of memory|allocation failed|cannot allocate|\bOOM\b|bad_alloc/i.test(line);
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = (message || String(error)).split('\n')[0].trim();
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC') return `the disk is full (${line})`;
  if (isOutOfMemory(line)) return `not enough memory (${line}): close other programs, allow more, or use fewer or smaller frames`;
  return line;
}

function report(name: string, error: unknown, { stdout, stderr, signal, debug }: Surroundings, json: boolean): number {
  const stopped = signal.aborted;
  const code = stopped ? EXIT.STOPPED : isLeemError(error, 'OptionError') ? EXIT.WRONG_USE : EXIT.FAILED;
  const message = stopped ? 'stopped' : describe(error);
  stderr.write(`${name}: ${message}\n`);
  if (debug && error instanceof Error) stderr.write(`${error.stack}\n${error.cause ? `cause: ${String(error.cause)}\n` : ''}`);
  else if (!stopped && !isLeemError(error))
    stderr.write('  (this was not foreseen: LEEMLAB_DEBUG=1 shows where it comes from)\n');
  const tag = stopped ? 'AbortedError' : isLeemError(error) ? error.tag : 'Error';
  if (json) stdout.write(`${toJson({ error: { tag, message } })}\n`);
  return code;
}

function createContext(name: string, json: boolean, display: ProgressDisplay, surroundings: Surroundings): CommandContext {
  const { stdout, stderr, signal } = surroundings;
  const warnings: string[] = [];
  return {
    json,
    signal,
    warnings,
    print: (line) => display.write(`${line}\n`, json ? stderr : stdout),
    note: (line) => display.write(`${line}\n`, stderr),
    warn: (text) => {
      if (warnings.includes(text)) return;
      warnings.push(text);
      display.write(`leem ${name}: warning: ${text}\n`, stderr);
    },
    progress: (label, total, unit) => display.start(label, total, unit),
  };
}

async function runOne(command: Command, argv: readonly string[], surroundings: Surroundings, json: boolean): Promise<number> {
  const display = new ProgressDisplay(surroundings.stderr);
  try {
    const args = parseArguments(command, argv);
    if (args.flag('help')) {
      surroundings.stdout.write(commandHelp(command));
      return EXIT.DONE;
    }
    const result = await command.run(args, createContext(command.name, json, display, surroundings));
    display.close();
    if (json) surroundings.stdout.write(`${toJson(result.json)}\n`);
    return result.exitCode ?? EXIT.DONE;
  } catch (error) {
    display.close();
    return report(`leem ${command.name}`, error, surroundings, json);
  }
}

async function findCommand(name: string, commands: readonly CommandEntry[]): Promise<Command> {
  const entry = commands.find((candidate) => candidate.name === name);
  if (entry) return entry.load();
  if (LATER_COMMANDS.includes(name)) {
    throw new OptionError(`'${name}' is not in this version (${leemlabVersion()}); leem --help lists what is`);
  }
  const near = suggest(
    name,
    commands.map((candidate) => candidate.name),
  );
  throw new OptionError(`unknown command '${name}'${near ? `; did you mean '${near}'?` : ''} (leem --help lists the commands)`);
}

/**
 * Runs `leem` with the given arguments (without node and the script).
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong use, 130 stopped.
 */
export async function runLeem(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, commands = COMMANDS } = surroundings;
  const json = argv.includes('--json');
  const at = argv.findIndex((word) => !word.startsWith('-'));
  const leading = at < 0 ? argv : argv.slice(0, at);
  try {
    const unknown = leading.find((word) => !['--help', '-h', '--version', '-V', '--json'].includes(word));
    if (unknown) throw new OptionError(`unknown option ${unknown}; options come after the command: leem COMMAND [options]`);
    if (leading.includes('--version') || leading.includes('-V')) {
      stdout.write(json ? `${toJson({ version: leemlabVersion() })}\n` : `${leemlabVersion()}\n`);
      return EXIT.DONE;
    }
    const asksHelp = leading.includes('--help') || leading.includes('-h') || argv[at] === 'help';
    const name = argv[at] === 'help' ? argv[at + 1] : argv[at];
    if (asksHelp && name === undefined) {
      stdout.write(mainHelp(leemlabVersion(), commands));
      return EXIT.DONE;
    }
    if (name === undefined) throw new OptionError('a command is missing; leem --help lists the commands');
    const command = await findCommand(name, commands);
    const rest = asksHelp ? ['--help'] : [...leading, ...argv.slice(at + 1)];
    return await runOne(command, rest, surroundings, json);
  } catch (error) {
    return report('leem', error, surroundings, json);
  }
}
