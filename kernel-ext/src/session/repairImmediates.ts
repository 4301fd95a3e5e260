import { createRequire } from 'node:module';

interface QueuedImmediate {
  readonly _idleNext: QueuedImmediate | null;
  hasRef(): boolean;
}

interface TimerInternals {
  readonly immediateQueue: { readonly head: QueuedImmediate | null };
  readonly immediateInfoFields: { readonly kCount: number; readonly kRefCount: number };
}

interface TimerBinding {
  readonly immediateInfo: Uint32Array;
  toggleImmediateRef(keepAwake: boolean): void;
}

const require = createRequire(import.meta.url);

/**
 * Counts Node's immediates anew after code was cut off. Node keeps their number beside their list, and sleeps in spite of
 * waiting ones, or never again, where a cut fell between the two. Needs `--expose-internals`.
 */
export function repairImmediates(): void {
  const { immediateQueue, immediateInfoFields } = require('internal/timers') as TimerInternals;
  const { internalBinding } = require('internal/test/binding') as { internalBinding(name: string): TimerBinding };
  const { immediateInfo, toggleImmediateRef } = internalBinding('timers');
  let count = 0;
  let awake = 0;
  for (let each = immediateQueue.head; each; each = each._idleNext) {
    count++;
    if (each.hasRef()) awake++;
  }
  immediateInfo[immediateInfoFields.kCount] = count;
  immediateInfo[immediateInfoFields.kRefCount] = awake;
  toggleImmediateRef(awake > 0);
}
