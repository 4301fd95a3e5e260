import type { Json } from '../shared/messages.js';
import { currentContext, takeSignal } from './cellContext.js';
import type { Comms } from './comms.js';
import { createProgress, finishBundle, type MimeBundle, type Progress, render } from './display/index.js';
import { sendToServer } from './ServerLink.js';

/** Shows a bundle in the calling code's cell. */
export function showBundle(bundle: MimeBundle, { id, update = false }: { id?: string; update?: boolean } = {}): void {
  const context = currentContext();
  if (!context || context.silent) return;
  const { data, metadata = {} } = finishBundle(bundle);
  const content: Json = {
    data,
    metadata,
    transient: id === undefined ? {} : { display_id: id },
  };
  sendToServer({ type: 'publish', parent: context.parent, kind: update ? 'update_display_data' : 'display_data', content });
}

/** A bar in the calling code's cell. */
export function startProgress(
  options: { label?: string; total?: number; unit?: string },
  ends: 'itself' | 'with the cell' = 'itself',
): Progress {
  const show = (bundle: MimeBundle, where: { id: string; update: boolean }): void => showBundle(bundle, where);
  const progress = createProgress({ ...options, show });
  const settle = ends === 'with the cell' ? () => progress.end() : undefined;
  currentContext()?.bars.push({ fail: (reason) => progress.fail(reason), settle });
  return progress;
}

/** Offers the library what a session has: signal, bars, display and comms (the contract `leemlab.host`). */
export function installHost(comms: Comms): void {
  const host = {
    version: 1,
    signal: takeSignal,
    progress: (options: { label: string; total: number; unit?: string }) => startProgress(options),
    display: showBundle,
    render,
    onChannel: (target: string, accept: (channel: unknown, data: unknown) => void) => {
      comms.register(target, (comm, { data }) => {
        accept(
          {
            send: (content: unknown, buffers?: readonly Uint8Array[]) => comm.send(content, { buffers }),
            onMessage: (listener: (data: unknown, buffers: readonly Uint8Array[]) => void) =>
              comm.onMessage((message) => listener(message.data, message.buffers)),
            onClose: (listener: () => void) => comm.onClose(() => listener()),
            close: (content?: unknown) => comm.close(content),
          },
          data,
        );
      });
    },
  };
  Object.defineProperty(globalThis, Symbol.for('leemlab.host'), { value: host, configurable: true });
}
