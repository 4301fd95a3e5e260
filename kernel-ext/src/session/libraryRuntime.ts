import { kernelTimeout } from './userTimers.js';

/** What leemlab offers the kernel, at `Symbol.for('leemlab.runtime')`, once a cell has imported it. */
interface LeemRuntime {
  readonly version: 1;
  collect(): Promise<void>;
  mark(): unknown;
  recover(mark: unknown): void;
  created(): number;
}

export interface LibraryRuntime {
  mark(): unknown;
  recover(mark: unknown): void;
  /** Frees the tensors that a cell has made and nobody holds, when the kernel has nothing to do. */
  cellEnded(): void;
}

const SLOT = Symbol.for('leemlab.runtime');

let created = 0;

/** At once, so that of cells that run one behind the other none sees what the one before it has left. */
function collect(runtime: LeemRuntime): void {
  if (runtime.created() === created) return;
  created = runtime.created();
  kernelTimeout(() => void runtime.collect().catch(() => {}), 0);
}

/** undefined until a cell has imported leemlab. */
export function libraryRuntime(): LibraryRuntime | undefined {
  const runtime = (globalThis as Record<symbol, unknown>)[SLOT] as LeemRuntime | undefined;
  if (runtime?.version !== 1) return undefined;
  return {
    mark: () => runtime.mark(),
    recover: (mark) => runtime.recover(mark),
    cellEnded: () => collect(runtime),
  };
}
