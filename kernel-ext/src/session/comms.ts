import { randomUUID } from 'node:crypto';
import type { CommInput, Json } from '../shared/messages.js';
import { type CellContext, currentContext, runInContext } from './cellContext.js';
import { sendToServer } from './ServerLink.js';

/** What came over a comm. */
export interface CommMessage {
  readonly data: unknown;
  readonly metadata: Json;
  readonly buffers: readonly Uint8Array[];
}

type Listener = (message: CommMessage) => void | Promise<void>;

interface SendOptions {
  readonly metadata?: Json;
  readonly buffers?: readonly Uint8Array[];
}

/** One end of a two-way channel to a view in the front end. */
export class Comm {
  readonly id: string;
  readonly target: string;
  readonly #forget: () => void;
  readonly #listeners = { message: [] as Listener[], close: [] as Listener[] };
  #open = true;

  constructor(id: string, target: string, forget: () => void) {
    this.id = id;
    this.target = target;
    this.#forget = forget;
  }

  /** @throws Error if the comm is closed. */
  send(data: unknown, { metadata, buffers }: SendOptions = {}): void {
    if (!this.#open) throw new Error(`Comm.send(): the comm '${this.target}' is closed`);
    publishComm('comm_msg', { comm_id: this.id, data }, metadata, buffers);
  }

  onMessage(listener: Listener): void {
    this.#listeners.message.push(listener);
  }

  onClose(listener: Listener): void {
    this.#listeners.close.push(listener);
  }

  close(data: unknown = {}, { metadata, buffers }: SendOptions = {}): void {
    if (!this.#open) return;
    this.#open = false;
    this.#forget();
    publishComm('comm_close', { comm_id: this.id, data }, metadata, buffers);
  }

  /** Called by the kernel. */
  async receive(kind: 'message' | 'close', message: CommMessage): Promise<void> {
    if (kind === 'close') {
      this.#open = false;
      this.#forget();
    }
    for (const listener of this.#listeners[kind]) await listener(message);
  }
}

function publishComm(kind: string, content: Json, metadata?: Json, buffers: readonly Uint8Array[] = []): void {
  sendToServer({ type: 'publish', parent: currentContext()?.parent ?? '', kind, content, metadata }, buffers);
}

export type CommTarget = (comm: Comm, message: CommMessage) => void | Promise<void>;

/** The comms of the session: who listens for which target, and what is open. */
export class Comms {
  readonly #targets = new Map<string, CommTarget>();
  readonly #open = new Map<string, Comm>();

  /** `accept` is called when a view opens a comm to `target`. */
  register(target: string, accept: CommTarget): void {
    this.#targets.set(target, accept);
  }

  unregister(target: string): void {
    this.#targets.delete(target);
  }

  /** Opens a comm to what the front end has registered as `target`. */
  open(target: string, data: unknown = {}, { metadata, buffers }: SendOptions = {}): Comm {
    const comm = this.#add(randomUUID(), target);
    publishComm('comm_open', { comm_id: comm.id, target_name: target, data }, metadata, buffers);
    return comm;
  }

  #add(id: string, target: string): Comm {
    const comm = new Comm(id, target, () => this.#open.delete(id));
    this.#open.set(id, comm);
    return comm;
  }

  /** Hands a message of the front end to whom it concerns. @returns when its listeners have ended. */
  async receive(context: CellContext, { kind, content, metadata }: CommInput, buffers: readonly Uint8Array[]): Promise<void> {
    const id = String(content.comm_id);
    const message: CommMessage = { data: content.data, metadata, buffers };
    await runInContext(context, async () => {
      if (kind !== 'comm_open') return this.#open.get(id)?.receive(kind === 'comm_msg' ? 'message' : 'close', message);
      const target = String(content.target_name);
      const accept = this.#targets.get(target);
      if (!accept) return publishComm('comm_close', { comm_id: id, data: {} });
      const comm = this.#add(id, target);
      try {
        await accept(comm, message);
      } catch (error) {
        comm.close();
        throw error;
      }
    });
  }
}
