import { Worker } from 'node:worker_threads';
import type { Frame } from '../shared/frames.js';
import type { CodeQuestion, Json, ToSession } from '../shared/messages.js';
import { CellRunner } from './CellRunner.js';
import { leaveContext, newContext } from './cellContext.js';
import { Comms } from './comms.js';
import { createCellCompiler, createCellExports, createCellRequire } from './compile/index.js';
import { installGlobals } from './globals.js';
import { guarded, resetGuard, shareState } from './guard.js';
import { installHost } from './host.js';
import { receiveAnswer } from './input.js';
import { allowCuts } from './prepareCut.js';
import { guardSession } from './processGuards.js';
import { repairImmediates } from './repairImmediates.js';
import { sendToServer } from './ServerLink.js';
import { type HelperMessage, PLACE_COUNT, PLACES } from './state.js';
import { traceErrors } from './traceback.js';
import { kernelTimeout, trackTimers } from './userTimers.js';

type Incoming = ToSession | HelperMessage;

const state = new Int32Array(new SharedArrayBuffer(4 * PLACE_COUNT));
shareState(state);
const trackPromises = allowCuts(state, () => runner.noteCut());

const folder = process.cwd();
const compiler = guarded(() => createCellCompiler({ folder }));
const exports = createCellExports();
const cellRequire = createCellRequire(folder);
const comms = new Comms();
/** Cells that follow each other at once are not disturbed. */
const WARM_DELAY_MS = 300;
let interruptOpen: number | undefined;

function interruptDone(): void {
  if (interruptOpen === undefined) return;
  Atomics.store(state, PLACES.done, interruptOpen);
  sendToServer({ type: 'interrupted', sequence: interruptOpen });
  interruptOpen = undefined;
}

const runner: CellRunner = new CellRunner({
  compiler,
  exports,
  require: cellRequire.require,
  updateModules: (modules) => cellRequire.update(modules),
  publish: ({ parent }, kind, content) => sendToServer({ type: 'publish', parent, kind, content }),
  executed: (id, outcome) => {
    interruptDone();
    sendToServer({ type: 'executed', id, outcome });
    if (warmed === undefined) kernelTimeout(() => void warm(), WARM_DELAY_MS);
  },
});

function answerQuestion({ type, code, offset }: CodeQuestion): Json {
  if (type === 'isComplete') return { ...compiler.isComplete(code) };
  if (type === 'inspect') {
    const found = compiler.inspect(code, offset);
    if (!found) return { status: 'ok', found: false, data: {}, metadata: {} };
    const { signature, documentation } = found;
    const data = {
      'text/plain': documentation === '' ? signature : `${signature}\n\n${documentation}`,
      'text/markdown': `\`\`\`typescript\n${signature}\n\`\`\`\n\n${documentation}`,
    };
    return { status: 'ok', found: true, data, metadata: {} };
  }
  const { start, end, matches } = compiler.complete(code, offset);
  return {
    status: 'ok',
    matches: matches.map(({ text }) => text),
    cursor_start: start,
    cursor_end: end,
    // the name that JupyterLab and VS Code look for
    metadata: { _jupyter_types_experimental: matches.map((match) => ({ ...match, start, end })) },
  };
}

/** A request whose own trouble must not be the user's: an empty answer instead. */
function answerSafely(question: CodeQuestion): Json {
  try {
    return guarded(() => answerQuestion(question));
  } catch {
    if (question.type === 'isComplete') return { status: 'unknown' };
    if (question.type === 'inspect') return { status: 'ok', found: false, data: {}, metadata: {} };
    return { status: 'ok', matches: [], cursor_start: question.offset, cursor_end: question.offset, metadata: {} };
  }
}

/** Comm messages whose listeners have not ended. */
const commsUnderWay = new Set<string>();

function endComm(id: string): void {
  if (commsUnderWay.delete(id)) sendToServer({ type: 'answer', id, content: {} });
}

/** Code was cut off, of a cell or of a listener: a listener that was never comes to its end. */
function endCutComms(): void {
  for (const id of commsUnderWay) {
    sendToServer({ type: 'stream', parent: id, name: 'stderr', text: 'The listener of a comm was stopped.\n' });
    endComm(id);
  }
}

function receive({ head, parts }: Frame<Incoming>): void {
  leaveContext();
  switch (head.type) {
    case 'ping':
      Atomics.store(state, PLACES.pong, head.number);
      break;
    case 'cut':
      trackPromises();
      repairImmediates();
      resetGuard();
      endCutComms();
      runner.wasCut();
      break;
    case 'interrupt':
      if (head.sequence <= Atomics.load(state, PLACES.done)) return;
      interruptOpen = head.sequence;
      if (runner.interrupt()) interruptDone();
      break;
    case 'execute':
      runner.start(head);
      break;
    case 'input':
      receiveAnswer(head.value);
      break;
    case 'comm': {
      commsUnderWay.add(head.id);
      const context = newContext({ parent: head.id, count: 0, silent: false, allowStdin: false });
      comms
        .receive(context, head, parts)
        .catch((error: unknown) => runner.stray(context, error))
        .finally(() => endComm(head.id));
      break;
    }
    default:
      sendToServer({ type: 'answer', id: head.id, content: answerSafely(head) });
      break;
  }
}

let warmed: Promise<boolean> | undefined;

/** Most notebooks import leemlab first: its types are read while the user writes that; goes on when it was disturbed. */
async function warm(): Promise<void> {
  warmed = compiler.warm(['leemlab'], { isIdle: () => !runner.isBusy, guard: guarded });
  if (!(await warmed.catch(() => true))) warmed = undefined;
}

const helper = new Worker(new URL('./helperThread.js', import.meta.url), { workerData: state.buffer });
helper.on('message', receive);
traceErrors();
guardSession((context, error) => runner.stray(context, error));
trackTimers();
installHost(comms);
installGlobals(comms);
sendToServer({ type: 'ready' });
void warm();
