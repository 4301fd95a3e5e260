import type { HostChannel, HostProgress, LeemHost, MimeBundle } from '../../src/host.js';

const HOST = Symbol.for('leemlab.host');

/** A bar as it was drawn. */
export interface DrawnBar {
  readonly label: string;
  readonly total: number;
  readonly unit: string | undefined;
  readonly updates: { readonly done: number; readonly label: string | undefined }[];
  ended: boolean;
}

/** A host that keeps what it is asked for. */
export class FakeHost implements LeemHost {
  readonly version: 1 = 1 as const;
  readonly bars: DrawnBar[] = [];
  readonly shown: { readonly bundle: MimeBundle; readonly id: string | undefined; readonly update: boolean }[] = [];
  readonly targets: Map<string, (channel: HostChannel, data: unknown) => void> = new Map<
    string,
    (channel: HostChannel, data: unknown) => void
  >();
  controller: AbortController = new AbortController();

  signal(): AbortSignal {
    return this.controller.signal;
  }

  progress({ label, total, unit }: { label: string; total: number; unit?: string }): HostProgress {
    const bar: DrawnBar = { label, total, unit, updates: [], ended: false };
    this.bars.push(bar);
    return {
      update: (done, label) => bar.updates.push({ done, label }),
      end: () => {
        bar.ended = true;
      },
    };
  }

  display(bundle: MimeBundle, { id, update = false }: { id?: string; update?: boolean } = {}): void {
    this.shown.push({ bundle, id, update });
  }

  onChannel(target: string, accept: (channel: HostChannel, data: unknown) => void): void {
    this.targets.set(target, accept);
  }
}

/** Puts a host in place. */
export function installHost(): FakeHost {
  const host = new FakeHost();
  (globalThis as Record<symbol, unknown>)[HOST] = host;
  return host;
}

export function removeHost(): void {
  delete (globalThis as Record<symbol, unknown>)[HOST];
}
