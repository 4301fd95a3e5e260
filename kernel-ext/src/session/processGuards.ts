import type { CellContext } from './cellContext.js';
import { currentContext } from './cellContext.js';
import { sendToServer } from './ServerLink.js';

/** Thrown where a cell asks the process to end. */
export class ExitError extends Error {
  override readonly name: string = 'ExitError';
}

/** Sends what is printed to the cell that prints it. */
function captureStreams(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const decoder = new TextDecoder();
    const write = (chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
      const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      const context = currentContext();
      if (context && !context.silent) sendToServer({ type: 'stream', parent: context.parent, name, text });
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') process.nextTick(callback as () => void);
      return true;
    };
    process[name].write = write as typeof process.stdout.write;
  }
}

/** A cell cannot end the kernel, nor change unnoticed where relative paths lead. */
function guardProcess(): void {
  const refuse = (call: string): never => {
    throw new ExitError(`${call} was called; the kernel goes on. Use return in a function, or throw an error, to end a cell`);
  };
  process.exit = (code) => refuse(`process.exit(${code ?? ''})`);
  process.abort = () => refuse('process.abort()');
  (process as unknown as { reallyExit(code?: number): never }).reallyExit = (code) => refuse(`process.reallyExit(${code ?? ''})`);
  const { chdir } = process;
  process.chdir = (folder) => {
    chdir.call(process, folder);
    process.stderr.write(
      `The working directory is now ${process.cwd()}: relative paths start there; imports are still found from the notebook's folder.\n`,
    );
  };
}

/**
 * Keeps the session alive and its output where it belongs, whatever cells do.
 *
 * @param onStray told of errors that nobody catches: in timers, events, and promises that nobody waits for.
 */
export function guardSession(onStray: (context: CellContext, error: unknown) => void): void {
  captureStreams();
  guardProcess();
  const report = (error: unknown): void => {
    const context = currentContext();
    if (context) onStray(context, error);
  };
  process.on('uncaughtException', report);
  process.on('unhandledRejection', report);
  process.on('warning', (warning) => process.stderr.write(`${warning.name}: ${warning.message}\n`));
  // the server decides what an interrupt is; the terminal sends it to both
  process.on('SIGINT', () => {});
}
