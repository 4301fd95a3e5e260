import { createRequire } from 'node:module';
import { PLACES } from './state.js';

// V8 can end running JavaScript at once, but Node does not expect it: while an asynchronous callback runs, Node keeps a stack
// of ids, aborts the process if it is not empty in the end, and no code of ours runs in between. So the helper thread first
// has the function below evaluated amid the running code. It empties that stack, keeps promises from writing to it, and holds
// on until the order to end follows in the same breath. It refuses where Node is just about to write to the stack itself.

/** Functions of Node that put an id on the stack. */
const WRITES_IDS =
  /^(promiseBeforeHook|pushAsyncContext|emitBefore\w*|processTicksAndRejections|runNextTicks|listOnTimeout|processTimers|processImmediate|runInAsyncScope|runMicrotask)$/;
/** Frames above the interrupted ones: this function, and the helper thread's expression. */
const OWN_FRAMES = 2;
const HOLD_MS = 1000;

/** Where the helper thread finds the function. */
export const PREPARE_CUT = 'leemlab.prepareCut';

/** Values of the place `cut` that the two threads share. What was asked can be withdrawn until it is taken up. */
export const CUT = { asked: 0, withdrawn: 1, taken: 2, refused: 3, ready: 4, ordered: 5 } as const;

/** The functions of Node between the interrupted place and the code that called them. */
function interruptedFunctions(): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 10;
    Error.prepareStackTrace = (_, sites) => sites;
    const sites = (new Error().stack as unknown as NodeJS.CallSite[]).slice(OWN_FRAMES + 1);
    const end = sites.findIndex((site) => !/^node:/.test(site.getFileName() ?? ''));
    return sites.slice(0, end < 0 ? undefined : end).map((site) => site.getFunctionName() ?? '');
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

type PromiseHook = ((promise: unknown) => void) | undefined;

interface AsyncWrap {
  clearAsyncIdStack(): void;
  getPromiseHooks(): PromiseHook[];
  setPromiseHooks(...hooks: PromiseHook[]): void;
}

/** undefined in a Node that has it no more: then code cannot be cut off, and only the session as a whole be ended. */
function findAsyncWrap(): AsyncWrap | undefined {
  try {
    const { internalBinding } = createRequire(import.meta.url)('internal/test/binding') as {
      internalBinding(name: string): AsyncWrap;
    };
    const asyncWrap = internalBinding('async_wrap');
    const needed = [asyncWrap.clearAsyncIdStack, asyncWrap.getPromiseHooks, asyncWrap.setPromiseHooks];
    return needed.every((part) => typeof part === 'function') ? asyncWrap : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes the main thread ready to be cut off; needs Node's `--expose-internals`.
 *
 * @param onCut called when what runs now is about to be cut off.
 * @returns what must be called when code was cut off: promises are tracked again.
 */
export function allowCuts(state: Int32Array, onCut: () => void): () => void {
  const asyncWrap = findAsyncWrap();
  if (!asyncWrap) return () => {};
  let hooks: PromiseHook[] | undefined;
  const answer = (value: number): void => {
    Atomics.store(state, PLACES.cut, value);
    Atomics.notify(state, PLACES.cut);
  };
  const trackPromises = (): void => {
    if (hooks) asyncWrap.setPromiseHooks(...hooks);
    hooks = undefined;
  };
  const prepareCut = (): void => {
    // asked long ago, while native code ran
    if (Atomics.compareExchange(state, PLACES.cut, CUT.asked, CUT.taken) !== CUT.asked) return;
    if (interruptedFunctions().some((name) => WRITES_IDS.test(name))) {
      answer(CUT.refused);
      return;
    }
    onCut();
    hooks ??= asyncWrap.getPromiseHooks();
    asyncWrap.setPromiseHooks(undefined, undefined, undefined, undefined);
    asyncWrap.clearAsyncIdStack();
    answer(CUT.ready);
    const end = Date.now() + HOLD_MS;
    while (Atomics.load(state, PLACES.cut) === CUT.ready) {
      if (Date.now() < end) continue;
      trackPromises(); // the order does not come
      return;
    }
  };
  Object.defineProperty(globalThis, Symbol.for(PREPARE_CUT), { value: prepareCut });
  return trackPromises;
}
