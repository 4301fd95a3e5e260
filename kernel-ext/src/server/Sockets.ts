import type { Publisher, Reply, Router, XPublisher } from 'zeromq';
import { addressOf, type Channel, type Connection } from './connection.js';
import { type Message, type OutgoingMessage, parseMessage, serializeMessage } from './wireMessage.js';

export type RequestChannel = 'shell' | 'control' | 'stdin';

export interface SocketEvents {
  onMessage(channel: RequestChannel, message: Message): void;
  /** A front end has begun to listen to IOPub. */
  onSubscription(topic: Buffer): void;
  /** A message was dropped, and why. */
  onDropped(channel: RequestChannel, reason: string): void;
}

/** ZeroMQ sends one message of a socket at a time: the others wait here in their order. */
class Outbox {
  readonly #socket: Router | XPublisher | Publisher;
  readonly #waiting: Uint8Array[][] = [];
  #busy: Promise<void> | undefined;

  constructor(socket: Router | XPublisher) {
    this.#socket = socket;
  }

  send(parts: Uint8Array[]): void {
    this.#waiting.push(parts);
    this.#busy ??= this.#drain();
  }

  /** Resolves when all is handed to ZeroMQ. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  async #drain(): Promise<void> {
    for (let parts = this.#waiting.shift(); parts; parts = this.#waiting.shift()) {
      try {
        await this.#socket.send(parts as Buffer[]);
      } catch {
        // the receiver has gone, or the sockets are closed: nobody is there to be told
      }
    }
    this.#busy = undefined;
  }
}

/** The five sockets of a kernel: binds them, checks what comes in, signs and sends what goes out. */
export class Sockets {
  readonly #connection: Connection;
  readonly #events: SocketEvents;
  readonly #outboxes = new Map<RequestChannel | 'iopub', Outbox>();
  #all: { close(): void }[] = [];

  private constructor(connection: Connection, events: SocketEvents) {
    this.#connection = connection;
    this.#events = events;
  }

  /** @throws Error if a port cannot be bound. */
  static async open(connection: Connection, events: SocketEvents): Promise<Sockets> {
    const zmq = (await import('zeromq')).default as unknown as typeof import('zeromq');
    const sockets = new Sockets(connection, events);
    // no limit: ZeroMQ drops what goes beyond it, and outputs must not be lost
    const unlimited = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 1000 };
    const iopub = new zmq.XPublisher(unlimited);
    const heart = new zmq.Reply({ linger: 0 });
    // a client that comes back under its old identity must reach its new connection
    const routers = (['shell', 'control', 'stdin'] as const).map((channel) => {
      return [channel, new zmq.Router({ ...unlimited, handover: true })] as const;
    });
    const bind = (socket: { bind(address: string): Promise<void> }, channel: Channel) =>
      socket.bind(addressOf(connection, channel));
    await Promise.all([bind(iopub, 'iopub'), bind(heart, 'hb'), ...routers.map(([channel, router]) => bind(router, channel))]);
    sockets.#outboxes.set('iopub', new Outbox(iopub));
    for (const [channel, router] of routers) {
      sockets.#outboxes.set(channel, new Outbox(router));
      void sockets.#listen(channel, router);
    }
    void sockets.#watchSubscriptions(iopub);
    void beat(heart);
    sockets.#all = [iopub, heart, ...routers.map(([, router]) => router)];
    return sockets;
  }

  async #listen(channel: RequestChannel, router: Router): Promise<void> {
    for await (const frames of router) {
      let message: Message;
      try {
        message = parseMessage(frames, this.#connection.key);
      } catch (error) {
        this.#events.onDropped(channel, error instanceof Error ? error.message : String(error));
        continue;
      }
      this.#events.onMessage(channel, message);
    }
  }

  async #watchSubscriptions(iopub: XPublisher): Promise<void> {
    for await (const [frame] of iopub) if (frame[0] === 1) this.#events.onSubscription(frame.subarray(1));
  }

  /** Sends an answer to the one who asked. */
  reply(channel: RequestChannel, message: OutgoingMessage): void {
    this.#outboxes.get(channel)?.send(serializeMessage(message, this.#connection.key));
  }

  /** Sends to all who listen. The topic comes first, as IOPub's subscribers expect. */
  publish(message: OutgoingMessage): void {
    const { identities = [Buffer.from(message.type)] } = message;
    this.#outboxes.get('iopub')?.send(serializeMessage({ ...message, identities }, this.#connection.key));
  }

  /** Closes all sockets when what was sent has left. */
  async close(): Promise<void> {
    await Promise.all([...this.#outboxes.values()].map((outbox) => outbox.settled()));
    for (const socket of this.#all.splice(0)) socket.close();
  }
}

/** The heartbeat: every message goes back as it came. */
async function beat(heart: Reply): Promise<void> {
  for await (const frames of heart) await heart.send(frames);
}
