import { readdirSync, readFileSync } from 'node:fs';
import inspector from 'node:inspector';
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { type Frame, FrameReader } from '../shared/frames.js';
import type { InterruptOrder, ToSession } from '../shared/messages.js';
import { CUT, PREPARE_CUT } from './prepareCut.js';
import { PLACES } from './state.js';

// The session's second thread. It reads what the server sends, so that an interrupt is seen whatever the main thread does,
// and ends JavaScript there that does not come back to the event loop.

const INPUT_FD = 4;
const STEP_MS = 10;
/** A main thread that has not answered for so long is stuck in JavaScript or in native code. */
const PATIENCE_MS = 100;
/** Work that listens to the signal stops by itself between two pieces, and nothing of it is lost then. */
const POLITE_PATIENCE_MS = 600;
/** What a program gets that the main thread waits for, and when. */
const CHILD_SIGNALS = [
  { afterMs: 300, signal: 'SIGINT' },
  { afterMs: 1000, signal: 'SIGTERM' },
] as const;
const CUT_MS = 200;

const state = new Int32Array(workerData as SharedArrayBuffer);
const main = parentPort!;
const debuggerSession = new inspector.Session();
debuggerSession.connectToMainThread();

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let pings = 0;
let latest = 0;
/** The order to end is under way: V8 takes one at a time. */
let ordered = false;

/**
 * Ends the JavaScript that runs on the main thread, in whatever loop it is. Gives up where the main thread does not even
 * answer from within what it runs: then that is native code.
 */
function cut(): void {
  if (ordered) return;
  const expression = `globalThis[Symbol.for('${PREPARE_CUT}')]()`;
  const end = Date.now() + CUT_MS;
  while (Date.now() < end) {
    Atomics.store(state, PLACES.cut, CUT.asked);
    debuggerSession.post('Runtime.evaluate', { expression });
    Atomics.wait(state, PLACES.cut, CUT.asked, CUT_MS);
    if (Atomics.compareExchange(state, PLACES.cut, CUT.asked, CUT.withdrawn) === CUT.asked) return;
    Atomics.wait(state, PLACES.cut, CUT.taken, CUT_MS);
    if (Atomics.load(state, PLACES.cut) !== CUT.ready) continue;
    ordered = true;
    debuggerSession.post('Runtime.terminateExecution', () => {
      ordered = false;
      main.postMessage({ head: { type: 'cut' }, parts: [] });
    });
    Atomics.store(state, PLACES.cut, CUT.ordered);
    return;
  }
}

/** The processes below this one, from /proc. */
function descendants(): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // the fields behind the program's name: state, parent
      const parent = Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it has ended meanwhile
    }
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(process.pid);
}

/** Programs that the session has started and waits for get Ctrl-C too, as they would in a terminal. */
function signalChildren(signal: NodeJS.Signals): void {
  if (process.platform !== 'linux') return;
  for (const pid of descendants()) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended meanwhile
    }
  }
}

async function interrupt(order: Frame<InterruptOrder>): Promise<void> {
  const { sequence } = order.head;
  latest = sequence;
  const isDone = (): boolean => latest !== sequence || Atomics.load(state, PLACES.done) >= sequence;
  const signals = [...CHILD_SIGNALS];
  const start = Date.now();
  while (!isDone()) {
    main.postMessage(order);
    const ping = ++pings;
    main.postMessage({ head: { type: 'ping', number: ping }, parts: [] });
    const patience = Atomics.load(state, PLACES.polite) === 1 ? POLITE_PATIENCE_MS : PATIENCE_MS;
    const answered = (): boolean => Atomics.load(state, PLACES.pong) >= ping;
    for (let waited = 0; waited < patience && !isDone() && !(answered() && waited >= PATIENCE_MS); waited += STEP_MS) {
      await pause(STEP_MS);
    }
    const silent = !answered() && Atomics.load(state, PLACES.guarded) === 0;
    if (isDone() || !silent) continue;
    cut();
    const [due] = signals;
    if (due && Date.now() - start > due.afterMs) {
      signals.shift();
      signalChildren(due.signal);
    }
  }
}

const frames = new FrameReader<ToSession>((frame) => {
  if (frame.head.type === 'interrupt') void interrupt(frame as Frame<InterruptOrder>);
  else
    main.postMessage(
      frame,
      frame.parts.map((part) => part.buffer as ArrayBuffer),
    );
});

const input = new Socket({ fd: INPUT_FD, readable: true, writable: false });
input.on('data', (piece) => frames.push(piece as Buffer));
// without its server nobody can reach the session, whatever its main thread does
for (const event of ['end', 'error', 'close'] as const) input.on(event, () => process.kill(process.pid, 'SIGKILL'));
