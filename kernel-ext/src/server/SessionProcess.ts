import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { encodeFrame, type Frame, FrameReader } from '../shared/frames.js';
import type { ToServer, ToSession } from '../shared/messages.js';

const MAIN = fileURLToPath(new URL('../session/main.js', import.meta.url));
const HEAP_TRACE = /<--- Last few GCs --->|FATAL ERROR:|# Fatal error|Native stack trace|Assertion failed/;
const ENDED_BY_NODE = /FATAL ERROR: (.*)/;
/** Said by Node when a process ends whose helper thread is connected to its main thread. */
const DEBUGGER_NOTE = /^Waiting for the debugger to disconnect\.\.\.\n/m;
const KILL_AFTER_MS = 1000;

export interface SessionEvents {
  onFrame(frame: Frame<ToServer>): void;
  /** What native code prints past Node's streams. */
  onNativeOutput(name: 'stdout' | 'stderr', text: string): void;
  /** It ended without being told to. */
  onLost(reason: string): void;
}

/** The process that runs the cells. Its end, for whatever reason, leaves the server as it is. */
export class SessionProcess {
  readonly #child: ChildProcess;
  readonly #input: Writable;
  #ending = false;
  #crashReport = '';
  #killReason: string | undefined;

  constructor(events: SessionEvents) {
    this.#child = spawn(process.execPath, [...process.execArgv, '--expose-internals', MAIN], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, LEEM_KERNEL_SESSION: '1' },
    });
    const [, , , fromSession, toSession] = this.#child.stdio;
    this.#input = toSession as Writable;
    const frames = new FrameReader<ToServer>((frame) => events.onFrame(frame));
    (fromSession as NodeJS.ReadableStream).on('data', (piece: Buffer) => frames.push(piece));
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8');
      this.#child[name]?.on('data', (text: string) => this.#native(name, text, events));
    }
    this.#input.on('error', () => {}); // it has ended: `close` tells
    this.#child.on('error', (error) => this.#lost(events, error.message));
    this.#child.on('close', (code, signal) => this.#lost(events, this.#reason(code, signal)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToSession, parts: readonly Uint8Array[] = []): void {
    if (!this.#input.writable) return;
    for (const piece of encodeFrame(message, parts)) this.#input.write(piece);
  }

  /** Ends it at once; `onLost` is called with the reason, so that what ran in it is answered. */
  kill(reason: string): void {
    this.#killReason = reason;
    this.#child.kill('SIGKILL');
  }

  /** Ends it for good. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS);
    await ended;
    clearTimeout(timer);
  }

  #native(name: 'stdout' | 'stderr', text: string, events: SessionEvents): void {
    // the dump of a crash says nothing to the user of a notebook; the reason is told in the cell
    if (this.#crashReport !== '' || HEAP_TRACE.test(text)) {
      this.#crashReport += text;
      process.stderr.write(text);
      return;
    }
    const shown = text.replace(DEBUGGER_NOTE, '');
    if (shown !== '') events.onNativeOutput(name, shown);
  }

  #lost(events: SessionEvents, reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    events.onLost(reason);
  }

  #reason(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.#killReason !== undefined) return this.#killReason;
    const fatal = ENDED_BY_NODE.exec(this.#crashReport)?.[1];
    if (fatal && /heap|memory/i.test(fatal)) return 'out of memory (the JavaScript heap is full)';
    if (fatal) return fatal;
    if (signal === 'SIGKILL') return 'it was killed (SIGKILL), by the system perhaps because memory ran out';
    if (signal)
      return `it was ended by ${signal}${signal === 'SIGABRT' || signal === 'SIGSEGV' ? ' (a crash in native code)' : ''}`;
    return `it ended with code ${code}`;
  }
}
