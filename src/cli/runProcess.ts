import type { CommandEntry } from './commands.js';
import { EXIT, runLeem } from './runCommand.js';

/** How long a command may take to clean up after Ctrl-C. */
const STOP_MS = 900;
/** One Ctrl-C may come twice: from the terminal and from a parent that passes it on. */
const SAME_SIGNAL_MS = 100;

type Write = typeof process.stdout.write;

// A reader that went away (`leem info x | head -1`) is no error: what it no longer wants is dropped.
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = EXIT.FAILED;
  });
}

/** The first signal asks the command to stop and gives it a second; the next one ends the process at once. */
function watchSignals(): AbortSignal {
  const controller = new AbortController();
  const exitNow = (): never => {
    // A bar hides the cursor and turns the wrapping of lines off.
    if (process.stderr.isTTY) process.stderr.write('\x1b[?25h\x1b[?7h');
    process.exit(EXIT.STOPPED);
  };
  let firstMs = 0;
  const onSignal = (): void => {
    if (controller.signal.aborted && Date.now() - firstMs > SAME_SIGNAL_MS) exitNow();
    if (controller.signal.aborted) return;
    firstMs = Date.now();
    controller.abort();
    setTimeout(exitNow, STOP_MS);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

/** An error that no command waited for still ends in one line. */
function reportStrayErrors(signal: AbortSignal, debug: boolean): void {
  const onError = (error: unknown): never => {
    const text = error instanceof Error ? (debug && error.stack) || error.message : String(error);
    if (!signal.aborted) process.stderr.write(`leem: ${debug ? text : text.split('\n')[0]}\n`);
    process.exit(signal.aborted ? EXIT.STOPPED : EXIT.FAILED);
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  // Node leaves quietly, as if all were well, when nothing that it waits for is left.
  process.on('beforeExit', () => onError(new Error('ended before the work was done')));
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write('', () => resolve());
  });
}

/**
 * Runs `leem` as this process: arguments, streams and signals are the process's own, and it exits at the end.
 *
 * @param commands default: all of `leem`.
 */
export async function runProcess(commands?: readonly CommandEntry[]): Promise<never> {
  ignoreClosedPipe(process.stdout);
  ignoreClosedPipe(process.stderr);
  const argv = process.argv.slice(2);
  const writeResult: Write = process.stdout.write.bind(process.stdout);
  const stdout = { isTTY: process.stdout.isTTY, write: (text: string) => writeResult(text) };
  // Under --json nothing but the one object may reach stdout, whatever a library prints.
  if (argv.includes('--json')) process.stdout.write = process.stderr.write.bind(process.stderr) as Write;
  const debug = Boolean(process.env.LEEMLAB_DEBUG && process.env.LEEMLAB_DEBUG !== '0');
  const signal = watchSignals();
  reportStrayErrors(signal, debug);
  const code = await runLeem(argv, {
    stdout,
    stderr: process.stderr,
    signal,
    debug,
    ...(commands ? { commands } : {}),
  });
  await Promise.all([new Promise<void>((resolve) => writeResult('', () => resolve())), written(process.stderr)]);
  // Worker threads and TensorFlow's own threads would keep the process alive.
  process.exit(process.exitCode ?? code);
}
