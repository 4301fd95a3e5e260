import { AsyncLocalStorage } from 'node:async_hooks';
import type { Json } from '../shared/messages.js';
import { setPolite } from './guard.js';

/** One run of a cell (or of a comm's callback): what it prints and starts later belongs to it too. */
export interface CellContext {
  /** Id of the request: where outputs go. */
  readonly parent: string;
  readonly count: number;
  readonly silent: boolean;
  readonly allowStdin: boolean;
  readonly controller: AbortController;
  /** Whether somebody has asked for the signal, and so can be expected to stop by it. */
  signalTaken: boolean;
  /** What must be shown before the cell ends. */
  readonly pending: Promise<unknown>[];
  /** Bars that show how far it is: what is left of them is marked when the cell fails, and ended where it is over. */
  readonly bars: { fail(reason: string): void; settle?: () => void }[];
  /** What the reply carries beside its status. */
  readonly payload: Json[];
}

/** A context in which nothing has happened yet. */
export function newContext(from: Pick<CellContext, 'parent' | 'count' | 'silent' | 'allowStdin'>): CellContext {
  return { ...from, controller: new AbortController(), signalTaken: false, pending: [], bars: [], payload: [] };
}

const storage = new AsyncLocalStorage<CellContext>();
let latest: CellContext | undefined;

/** Runs `work` as part of a cell. */
export function runInContext<Result>(context: CellContext, work: () => Result): Result {
  latest = context;
  return storage.run(context, work);
}

/** What is called here belongs to no cell: needed after code was cut off, which has not put back what it had set. */
export function leaveContext(): void {
  storage.enterWith(undefined as unknown as CellContext);
}

/** The cell that the calling code belongs to; the latest where that is not known, e.g. in a native callback. */
export function currentContext(): CellContext | undefined {
  return storage.getStore() ?? latest;
}

/** The signal of the calling code's cell. */
export function takeSignal(): AbortSignal | undefined {
  const context = currentContext();
  if (context) {
    context.signalTaken = true;
    setPolite(true);
  }
  return context?.controller.signal;
}
