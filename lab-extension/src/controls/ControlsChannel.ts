import type { Kernel } from '@jupyterlab/services';
import { CONTROLS_TARGET, type ControlsMessage, type ControlValue, parseControlsMessage } from 'leemlab/wire';
import { SendQueue } from './SendQueue.js';

/** `waiting`: no answer yet. `live`: the kernel answers. `closed`: it does not know these controls, or is gone. */
export type ChannelPhase = 'waiting' | 'live' | 'closed';

/** One output that shows the controls. */
export interface ChannelObserver {
  /** Values, phase, busy or error changed. */
  channelChanged(): void;
  /** The connection that carried the channel was closed; there may be another one to the same kernel. */
  connectionClosed(): void;
}

/**
 * The conversation with the kernel about the controls of one id. All outputs of a page that show this id share it, so that
 * they follow each other.
 */
export class ControlsChannel {
  readonly observers = new Set<ChannelObserver>();
  readonly values = new Map<string, ControlValue>();
  phase: ChannelPhase = 'waiting';
  busy = false;
  error: string | undefined;
  readonly #kernel: Kernel.IKernelConnection;
  readonly #id: string;
  readonly #queue: SendQueue;
  #comm: Kernel.IComm | undefined;
  /** Sequence of the newest state. */
  #lastState = 0;

  constructor(kernel: Kernel.IKernelConnection, id: string) {
    this.#kernel = kernel;
    this.#id = id;
    this.#queue = new SendQueue((change) => {
      if (this.#comm && !this.#comm.isDisposed) this.#comm.send({ ...change });
    });
    this.open();
  }

  /** Asks the kernel again, after it restarted or showed these controls once more. */
  open(): void {
    this.#forgetComm();
    try {
      const comm = this.#kernel.createComm(CONTROLS_TARGET);
      comm.onMsg = ({ content }) => this.#receive(content.data);
      comm.onClose = () => this.drop();
      this.#comm = comm;
      comm.open({ id: this.#id });
    } catch {
      // the connection was disposed of, or the kernel is dead
      this.drop();
    }
  }

  /** The user moved a control: the other outputs follow at once, the kernel too or, on the way, in a twentieth of a second. */
  set(name: string, value: ControlValue, isOnTheWay: boolean): void {
    this.values.set(name, value);
    this.error = undefined;
    this.#queue.push(name, value, !isOnTheWay);
    this.#changed();
  }

  /** The kernel has shown these values anew: they hold, except where the user has moved on. */
  refresh(values: ReadonlyMap<string, ControlValue>): void {
    for (const [name, value] of values) if (this.#queue.isConfirmed(name, this.#lastState)) this.values.set(name, value);
    if (this.phase === 'closed') this.open();
    this.#changed();
  }

  /** The kernel has closed the channel, restarted or died. */
  drop(): void {
    this.#forgetComm();
    this.phase = 'closed';
    this.#changed();
  }

  /** The page's connection to the kernel is closed, the kernel may go on. */
  disconnect(): void {
    this.drop();
    for (const observer of [...this.observers]) observer.connectionClosed();
  }

  /** Nobody looks any more. */
  dispose(): void {
    this.observers.clear();
    const comm = this.#comm;
    this.#forgetComm();
    if (!comm || comm.isDisposed || this.#kernel.isDisposed || this.#kernel.status === 'dead') return;
    try {
      comm.close();
    } catch {
      // the kernel went away meanwhile
    }
  }

  #forgetComm(): void {
    this.#queue.clear();
    this.#lastState = 0;
    this.busy = false;
    if (!this.#comm) return;
    this.#comm.onMsg = () => {};
    this.#comm.onClose = () => {};
    this.#comm = undefined;
  }

  #receive(data: unknown): void {
    try {
      this.#apply(parseControlsMessage(data));
    } catch (error) {
      this.error = `The kernel sent what this version does not understand. ${(error as Error).message}`;
    }
    this.#changed();
  }

  #apply(message: ControlsMessage): void {
    if (message.type === 'busy') this.busy = message.busy;
    else if (message.type === 'error') {
      this.error = message.message;
      // what was refused is never confirmed: the next state shows what holds
      this.#queue.forget();
    } else {
      this.phase = 'live';
      this.#lastState = message.sequence;
      for (const [name, value] of Object.entries(message.values))
        if (this.#queue.isConfirmed(name, message.sequence)) this.values.set(name, value);
    }
  }

  #changed(): void {
    for (const observer of [...this.observers]) observer.channelChanged();
  }
}
