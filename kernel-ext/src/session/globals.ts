import { createRequire } from 'node:module';
import { currentContext, takeSignal } from './cellContext.js';
import type { Comms } from './comms.js';
import type { MimeBundle } from './display/index.js';
import { display, page } from './display.js';
import { showBundle, startProgress } from './host.js';
import { askUser } from './input.js';
import { sendToServer } from './ServerLink.js';

/** A bar of `total` steps, or one that goes through what is iterated. */
function progress(work: number | Iterable<unknown> | AsyncIterable<unknown>, label = ''): unknown {
  if (typeof work === 'number') return startProgress({ label, total: work }, 'with the cell');
  return startProgress({ label }).iterate(work as Iterable<unknown>, label);
}

function clearOutput({ wait = false }: { wait?: boolean } = {}): void {
  const context = currentContext();
  if (context) sendToServer({ type: 'publish', parent: context.parent, kind: 'clear_output', content: { wait } });
}

const cell = {
  /** Aborted when the cell is stopped. */
  get signal(): AbortSignal | undefined {
    return takeSignal();
  },
  /** The number in the cell's brackets. */
  get number(): number {
    return currentContext()?.count ?? 0;
  },
};

/** tslab's own display functions (`require('tslab').display`) show through the kernel too. */
function connectTslab(): void {
  const require = createRequire(import.meta.url);
  const jupyter = require('tslab/dist/jupyter.js') as {
    lastWriteDisplayData: ((content: TslabContent, update?: boolean) => void) | null;
  };
  jupyter.lastWriteDisplayData = ({ data, metadata, transient }, update) =>
    showBundle({ data, metadata }, { id: transient?.display_id, update });
}

interface TslabContent extends MimeBundle {
  readonly transient?: { readonly display_id?: string };
}

/** What every cell finds without an import; declared in types/globals.d.ts. */
export function installGlobals(comms: Comms): void {
  const globals = {
    display,
    page,
    progress,
    clearOutput,
    cell,
    comms,
    input: (prompt?: string) => askUser(prompt),
    password: (prompt?: string) => askUser(prompt, true),
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  }
  connectTslab();
}
