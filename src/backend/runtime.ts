import { setImmediate } from 'node:timers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { host } from '../host.js';
import { freeLostData } from './lostData.js';
import { tf } from './start.js';
import { type TensorEngine, TensorLedger } from './TensorLedger.js';

/** What a host finds at `Symbol.for('leemlab.runtime')`: the tensors' memory in its hands. */
export interface LeemRuntime {
  readonly version: 1;
  /** Frees tensors that nothing refers to any more: a full garbage collection, some 10 to 100 ms. */
  collect(): Promise<void>;
  /** State of the tensor engine before a piece of work. */
  mark(): unknown;
  /** Brings the engine back to that state after a piece of work was cut off in the middle, with no `finally` run. */
  recover(mark: unknown): void;
  /** Tensors created since start-up. */
  created(): number;
}

const RUNTIME: unique symbol = Symbol.for('leemlab.runtime');

let collector: (() => void) | undefined;

/** V8's own collector, as `node --expose-gc` gives it; also under a Node that was started without. */
function collectGarbage(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function createRuntime(): LeemRuntime {
  const ledger = new TensorLedger(tf.engine() as unknown as TensorEngine);
  freeLostData(tf.backend());
  return {
    version: 1,
    async collect() {
      // what the first pass finds may be the last to hold something else; finalizers run in a turn of their own
      for (let pass = 0; pass < 2; pass++) {
        await turn();
        collectGarbage();
        await turn();
      }
    },
    mark: () => ledger.mark(),
    recover: (mark) => ledger.recover(mark as ReturnType<TensorLedger['mark']>),
    created: () => ledger.created,
  };
}

/** Offers the runtime to the host, if there is one and it has none yet; without a host nothing is changed. */
export function offerRuntime(): void {
  const place = globalThis as { [RUNTIME]?: LeemRuntime };
  if (host() !== undefined) place[RUNTIME] ??= createRuntime();
}

offerRuntime();
