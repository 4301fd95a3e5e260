import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zeromq from 'zeromq';
import { kernelScript } from '../../kernel-ext/dist/install/writeSpec.js';

// A front end in a few lines, which speaks Jupyter's wire protocol with a real kernel process.

export type Channel = 'shell' | 'control' | 'stdin';
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the kernel sends
type Content = Record<string, any>;

export interface Message {
  readonly type: string;
  readonly parent: string;
  readonly content: Content;
  readonly metadata: Content;
  readonly buffers: readonly Buffer[];
}

export interface Executed {
  readonly reply: Message;
  /** What came on IOPub for this request, without status and execute_input. */
  readonly outputs: readonly Message[];
  readonly all: readonly Message[];
}

const DELIMITER = '<IDS|MSG>';
const LIMIT_MS = 30_000;

async function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

function parse(frames: readonly Buffer[]): Message {
  const at = frames.findIndex((frame) => frame.toString() === DELIMITER);
  const [header, parent, metadata, content] = frames.slice(at + 2, at + 6).map((part) => JSON.parse(part.toString()) as Content);
  return { type: header.msg_type, parent: parent.msg_id ?? '', content, metadata, buffers: frames.slice(at + 6) };
}

export interface KernelOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly node?: string;
}

export class KernelClient {
  readonly key: string = randomUUID();
  readonly folder: string;
  readonly published: Message[] = [];
  readonly replies: Message[] = [];
  readonly log: string[] = [];
  readonly process: ChildProcess;
  readonly session: string = randomUUID();
  readonly ports: Readonly<Record<Channel | 'iopub' | 'hb', number>>;
  readonly #sockets = {
    shell: new zeromq.Dealer({ linger: 0 }),
    control: new zeromq.Dealer({ linger: 0 }),
    stdin: new zeromq.Dealer({ linger: 0 }),
  };
  readonly #iopub = new zeromq.Subscriber({ linger: 0 });
  readonly #heart = new zeromq.Request({ linger: 0, receiveTimeout: 2000 });
  #wake: (() => void)[] = [];

  private constructor(folder: string, ports: KernelClient['ports'], options: KernelOptions) {
    this.folder = folder;
    this.ports = ports;
    const connection = join(folder, 'connection.json');
    const named = Object.fromEntries(Object.entries(ports).map(([name, port]) => [`${name}_port`, port]));
    writeFileSync(
      connection,
      JSON.stringify({ transport: 'tcp', ip: '127.0.0.1', key: this.key, signature_scheme: 'hmac-sha256', ...named }),
    );
    const script = join(folder, 'kernel.cjs');
    writeFileSync(script, kernelScript());
    const args = ['--conditions=import', '--no-warnings', script, connection];
    this.process = spawn(options.node ?? process.env.LEEMLAB_TEST_NODE ?? process.execPath, args, {
      cwd: options.cwd ?? process.cwd(),
      env: {
        ...process.env,
        JPY_PARENT_PID: String(process.pid),
        LEEM_KERNEL_HISTORY: '',
        TF_CPP_MIN_LOG_LEVEL: '2',
        TF_ENABLE_ONEDNN_OPTS: '0',
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (text) => this.log.push(String(text)));
  }

  static async start(options: KernelOptions = {}): Promise<KernelClient> {
    const folder = mkdtempSync(join(tmpdir(), 'leemlab-kernel-'));
    const [shell, control, stdin, iopub, hb] = await Promise.all(Array.from({ length: 5 }, freePort));
    const client = new KernelClient(folder, { shell, control, stdin, iopub, hb }, options);
    client.#connect();
    await client.request('shell', 'kernel_info_request', {});
    // IOPub's subscription may come later than shell's connection
    await client.until(() => client.published.some(({ type }) => type === 'iopub_welcome'), 'the welcome on IOPub');
    return client;
  }

  #connect(): void {
    const address = (name: keyof KernelClient['ports']): string => `tcp://127.0.0.1:${this.ports[name]}`;
    // as Jupyter does: one identity on all channels, so that questions on stdin find the one who asked
    for (const name of ['shell', 'control', 'stdin'] as const) {
      this.#sockets[name].routingId = this.session;
      this.#sockets[name].connect(address(name));
      void this.#listen(this.#sockets[name], this.replies);
    }
    this.#iopub.connect(address('iopub'));
    this.#iopub.subscribe();
    void this.#listen(this.#iopub, this.published);
    this.#heart.connect(address('hb'));
  }

  async #listen(socket: AsyncIterable<Buffer[]>, into: Message[]): Promise<void> {
    for await (const frames of socket) {
      into.push(parse(frames));
      for (const wake of this.#wake.splice(0)) wake();
    }
  }

  /** Waits until what has come so far fulfills a condition. */
  async until(condition: () => boolean, what: string, limitMs: number = LIMIT_MS): Promise<void> {
    const end = Date.now() + limitMs;
    while (!condition()) {
      const left = end - Date.now();
      if (left <= 0) throw new Error(`no ${what} within ${limitMs} ms; kernel's log: ${this.log.join('').slice(-2000)}`);
      await new Promise<void>((wake) => {
        this.#wake.push(wake);
        setTimeout(wake, Math.min(left, 100));
      });
    }
  }

  frames(type: string, content: Content, id: string, options: { key?: string; buffers?: Uint8Array[] } = {}): Uint8Array[] {
    const { key = this.key, buffers = [] } = options;
    const header = {
      msg_id: id,
      msg_type: type,
      session: this.session,
      username: 'test',
      date: new Date().toISOString(),
      version: '5.4',
    };
    const parts = [header, {}, {}, content].map((part) => Buffer.from(JSON.stringify(part)));
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(part);
    return [Buffer.from(DELIMITER), Buffer.from(hmac.digest('hex')), ...parts, ...buffers];
  }

  async sendRaw(channel: Channel, frames: Uint8Array[]): Promise<void> {
    await this.#sockets[channel].send(frames as Buffer[]);
  }

  /** Sends a request without waiting; gives its id. */
  async send(channel: Channel, type: string, content: Content, buffers?: Uint8Array[]): Promise<string> {
    const id = randomUUID();
    await this.sendRaw(channel, this.frames(type, content, id, { buffers }));
    return id;
  }

  async reply(id: string, limitMs?: number): Promise<Message> {
    const find = (): Message | undefined => this.replies.find(({ parent, type }) => parent === id && type.endsWith('_reply'));
    await this.until(() => find() !== undefined, 'reply', limitMs);
    return find()!;
  }

  async request(channel: Channel, type: string, content: Content = {}, limitMs?: number): Promise<Message> {
    return this.reply(await this.send(channel, type, content), limitMs);
  }

  of(id: string): Message[] {
    return this.published.filter(({ parent }) => parent === id);
  }

  /** Waits until the kernel has said that a request is done. */
  async idle(id: string, limitMs?: number): Promise<void> {
    const isIdle = ({ type, content }: Message): boolean => type === 'status' && content.execution_state === 'idle';
    await this.until(() => this.of(id).some(isIdle), 'idle status', limitMs);
  }

  async startCell(code: string, options: Content = {}): Promise<string> {
    return this.send('shell', 'execute_request', { code, silent: false, store_history: true, allow_stdin: false, ...options });
  }

  async finishCell(id: string, limitMs?: number): Promise<Executed> {
    const reply = await this.reply(id, limitMs);
    await this.idle(id, limitMs);
    const all = this.of(id);
    return { reply, all, outputs: all.filter(({ type }) => type !== 'status' && type !== 'execute_input') };
  }

  async execute(code: string, options: Content = {}, limitMs?: number): Promise<Executed> {
    return this.finishCell(await this.startCell(code, options), limitMs);
  }

  /** What a cell prints on a stream, put together. */
  static text({ outputs }: Executed, name: 'stdout' | 'stderr' = 'stdout'): string {
    const texts = outputs.filter(({ type, content }) => type === 'stream' && content.name === name);
    return texts.map(({ content }) => content.text as string).join('');
  }

  /** The last expression's text. */
  static result({ outputs }: Executed): string | undefined {
    return outputs.find(({ type }) => type === 'execute_result')?.content.data['text/plain'];
  }

  async interrupt(): Promise<void> {
    await this.request('control', 'interrupt_request');
  }

  async beats(): Promise<boolean> {
    await this.#heart.send('ping');
    const [answer] = await this.#heart.receive();
    return answer.toString() === 'ping';
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (this.alive) {
      const ended = new Promise((done) => this.process.once('exit', done));
      await this.send('control', 'shutdown_request', { restart: false });
      const timer = setTimeout(() => process.kill(-this.process.pid!, 'SIGKILL'), 5000);
      await ended;
      clearTimeout(timer);
    }
    for (const socket of [...Object.values(this.#sockets), this.#iopub, this.#heart]) socket.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
