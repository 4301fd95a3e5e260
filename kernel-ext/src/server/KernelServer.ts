import type { Frame } from '../shared/frames.js';
import type { CommInput, ErrorContent, ExecuteOutcome, Json, ToServer } from '../shared/messages.js';
import { CommRegistry } from './CommRegistry.js';
import type { Connection } from './connection.js';
import { History, type HistoryRequest, historyFile } from './History.js';
import { InterruptWatch } from './InterruptWatch.js';
import { kernelInfo } from './kernelInfo.js';
import { OutputLimit } from './OutputLimit.js';
import { RequestLog } from './RequestLog.js';
import { SessionProcess } from './SessionProcess.js';
import { type RequestChannel, Sockets } from './Sockets.js';
import { StreamBuffer } from './StreamBuffer.js';
import { characterOffset, utf16Offset } from './textOffset.js';
import type { Message } from './wireMessage.js';

interface Request {
  readonly channel: RequestChannel;
  readonly message: Message;
}

interface Running extends Request {
  readonly count: number;
  /** Whether an error ends what is queued behind it. */
  readonly stopOnError: boolean;
}

/** After so many sessions in a row that end before they can run a cell, the kernel gives up. */
const MOST_FAILED_STARTS = 3;

type Publication = Extract<ToServer, { type: 'publish' }>;

const COMM_KINDS: ReadonlySet<string> = new Set(['comm_open', 'comm_msg', 'comm_close']);

const isTrue = (value: unknown, otherwise: boolean): boolean => (typeof value === 'boolean' ? value : otherwise);
const log = (text: string): boolean => process.stderr.write(`[leemlab kernel] ${text}\n`);

/**
 * The kernel as Jupyter sees it: answers the protocol, keeps the queue of cells, and watches over the session that runs
 * them. It runs no user code itself, so heartbeat and control channel always answer.
 */
export class KernelServer {
  readonly #requests = new RequestLog<Request>();
  readonly #comms = new CommRegistry();
  readonly #history = new History(historyFile());
  readonly #streams = new StreamBuffer((parent, name, text) => this.#publish(parent, 'stream', { name, text }));
  readonly #queue: Request[] = [];
  readonly #limit = new OutputLimit();
  readonly #questions = new Map<string, Request>();
  readonly #interrupts: InterruptWatch;
  readonly #onEnd: () => void;
  #sockets!: Sockets;
  #session: SessionProcess;
  #sessionReady = false;
  #failedStarts = 0;
  #running: Running | undefined;
  #count = 0;
  #input: string | undefined;
  /** Id of the last cell that was interrupted. */
  #interrupted: string | undefined;
  #ending = false;

  private constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#session = this.#startSession();
    this.#interrupts = new InterruptWatch({
      send: (sequence) => this.#session.send({ type: 'interrupt', sequence }),
      kill: () => this.#session.kill('it ran native code that could not be interrupted, and was ended'),
      say: (text) => this.#say(text),
    });
  }

  /** Binds the sockets and starts the session. @throws Error if a port cannot be bound. */
  static async start(connection: Connection, onEnd: () => void): Promise<KernelServer> {
    const server = new KernelServer(onEnd);
    server.#sockets = await Sockets.open(connection, {
      onMessage: (channel, message) => server.#receive({ channel, message }),
      onSubscription: (topic) => server.#welcome(topic),
      onDropped: (channel, reason) => log(`dropped a message on ${channel}: ${reason}`),
    });
    server.#publishStatus('starting', {});
    return server;
  }

  /** Stops the running cell, as Ctrl-C does. */
  interrupt(): void {
    this.#interrupted = this.#running?.message.header.msg_id;
    this.#interrupts.start();
    // what waits must not begin when the user has asked to stop
    if (!this.#running) this.#abortQueue();
  }

  /** Ends session and sockets. */
  async end(): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    this.#streams.flushAll();
    await this.#session.end();
    await this.#sockets.close();
    this.#onEnd();
  }

  // ---- what front ends ask ----

  #receive(request: Request): void {
    const { type, handler } = this.#handlerOf(request);
    if (!handler) {
      log(`${type} is not known, no answer`);
      return;
    }
    // an answer to a question is part of the request that asked it, and a cell is busy when it begins to run
    const isOwnRequest = type !== 'input_reply';
    if (isOwnRequest) this.#requests.add(request.message.header.msg_id, request);
    if (isOwnRequest && type !== 'execute_request') this.#publishStatus('busy', request.message.header);
    try {
      handler(request);
    } catch (error) {
      log(`${type}: ${error instanceof Error ? error.stack : error}`);
      this.#idle(request);
    }
  }

  #handlerOf({ message }: Request): { type: string; handler: ((request: Request) => void) | undefined } {
    const type = message.header.msg_type;
    const { comm_id: comm } = message.content;
    if (COMM_KINDS.has(type) && typeof comm === 'string') return { type, handler: (request) => this.#toSession(request) };
    const handlers: Readonly<Record<string, (request: Request) => void>> = {
      kernel_info_request: (request) => this.#answer(request, kernelInfo()),
      execute_request: (request) => this.#enqueue(request),
      complete_request: (request) => this.#ask(request, 'complete'),
      inspect_request: (request) => this.#ask(request, 'inspect'),
      is_complete_request: (request) => this.#ask(request, 'isComplete'),
      history_request: (request) => {
        const history = this.#history.find(request.message.content as HistoryRequest);
        this.#answer(request, { status: 'ok', history });
      },
      comm_info_request: (request) => {
        this.#answer(request, { status: 'ok', comms: this.#comms.list(request.message.content.target_name) });
      },
      connect_request: (request) => this.#answer(request, { status: 'ok' }),
      interrupt_request: (request) => {
        this.interrupt();
        this.#answer(request, { status: 'ok' });
      },
      shutdown_request: (request) => void this.#shutdown(request),
      input_reply: ({ message: { content } }) => this.#receiveInput(content),
    };
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    return { type, handler };
  }

  #answer(request: Request, content: Json): void {
    this.#replyOnly(request, content);
    this.#idle(request);
  }

  #replyOnly({ channel, message }: Request, content: Json): void {
    const type = message.header.msg_type.replace(/_request$/, '_reply');
    this.#sockets.reply(channel, { identities: message.identities, type, parent: message.header, content });
  }

  #idle({ message }: Request): void {
    this.#streams.flush(message.header.msg_id);
    this.#publishStatus('idle', message.header);
    // a cell that still runs keeps the kernel busy, whatever was answered meanwhile
    if (this.#running && this.#running.message !== message) this.#publishStatus('busy', this.#running.message.header);
  }

  async #shutdown(request: Request): Promise<void> {
    const content = { status: 'ok', restart: isTrue(request.message.content.restart, false) };
    await this.#session.end();
    this.#replyOnly(request, content);
    this.#sockets.publish({ type: 'shutdown_reply', parent: request.message.header, content });
    this.#idle(request);
    await this.end();
  }

  // ---- cells ----

  #enqueue(request: Request): void {
    this.#queue.push(request);
    this.#next();
  }

  #next(): void {
    if (this.#running || !this.#sessionReady) return;
    const request = this.#queue.shift();
    if (!request) return;
    const { header, content } = request.message;
    const silent = isTrue(content.silent, false);
    const store = !silent && isTrue(content.store_history, true);
    const code = String(content.code ?? '');
    const count = this.#count + 1;
    if (store) {
      this.#count = count;
      this.#history.add(count, code);
    }
    this.#running = { ...request, count, stopOnError: isTrue(content.stop_on_error, true) };
    this.#publishStatus('busy', header);
    if (!silent) this.#publish(header.msg_id, 'execute_input', { code, execution_count: count });
    this.#streams.begin(header.msg_id);
    this.#session.send({
      type: 'execute',
      id: header.msg_id,
      code,
      count,
      silent,
      allowStdin: isTrue(content.allow_stdin, false),
      userExpressions: (content.user_expressions ?? {}) as Record<string, string>,
    });
  }

  #executed(id: string, { status, error, userExpressions = {}, payload = [] }: ExecuteOutcome): void {
    const running = this.#running;
    if (!running || running.message.header.msg_id !== id) return;
    this.#streams.finish(id);
    const content = { status, execution_count: running.count, ...(error ?? { user_expressions: userExpressions, payload }) };
    this.#running = undefined;
    this.#limit.forget(id);
    this.#replyOnly(running, content);
    this.#idle(running);
    // also where the cell was just over, or has ended well because it was asked to stop
    if (this.#interrupted === id || (status === 'error' && running.stopOnError)) this.#abortQueue();
    this.#next();
  }

  #abortQueue(): void {
    for (const request of this.#queue.splice(0)) {
      this.#publishStatus('busy', request.message.header);
      this.#answer(request, { status: 'aborted', execution_count: this.#count });
    }
  }

  // ---- questions to the session ----

  #ask(request: Request, type: 'complete' | 'inspect' | 'isComplete'): void {
    const { header, content } = request.message;
    const code = String(content.code ?? '');
    const offset = utf16Offset(code, Number(content.cursor_pos ?? code.length));
    this.#questions.set(header.msg_id, request);
    this.#session.send({ type, id: header.msg_id, code, offset });
  }

  #answered(id: string, content: Json): void {
    const request = this.#questions.get(id);
    this.#questions.delete(id);
    if (!request) return;
    if (!request.message.header.msg_type.endsWith('_request')) {
      this.#idle(request); // comms have no reply
      return;
    }
    const code = String(request.message.content.code ?? '');
    const places = ['cursor_start', 'cursor_end'].filter((name) => typeof content[name] === 'number');
    const converted = Object.fromEntries(places.map((name) => [name, characterOffset(code, Number(content[name]))]));
    this.#answer(request, { ...content, ...converted });
  }

  #toSession(request: Request): void {
    const { header, content, metadata, buffers } = request.message;
    const kind = header.msg_type as CommInput['kind'];
    this.#comms.note(kind, content);
    this.#questions.set(header.msg_id, request);
    this.#session.send({ type: 'comm', id: header.msg_id, kind, content, metadata }, buffers);
  }

  #receiveInput({ value }: Json): void {
    if (this.#input === undefined) return;
    this.#input = undefined;
    this.#session.send({ type: 'input', value: String(value ?? '') });
  }

  // ---- what the session says ----

  #startSession(): SessionProcess {
    const session: SessionProcess = new SessionProcess({
      onFrame: (frame) => this.#fromSession(frame),
      onNativeOutput: (name, text) => {
        const parent = this.#running?.message.header.msg_id ?? this.#requests.latest;
        if (parent !== undefined && this.#sessionReady) this.#streams.write(parent, name, text);
        else process.stderr.write(text);
      },
      onLost: (reason) => this.#sessionLost(reason),
    });
    return session;
  }

  #fromSession({ head, parts }: Frame<ToServer>): void {
    switch (head.type) {
      case 'ready':
        this.#sessionReady = true;
        this.#next();
        break;
      case 'stream':
        this.#streams.write(head.parent, head.name, head.text);
        break;
      case 'publish':
        this.#comms.note(head.kind, head.content);
        this.#publishOutput(head, parts);
        break;
      case 'answer':
        this.#answered(head.id, head.content);
        break;
      case 'executed':
        this.#executed(head.id, head.outcome);
        break;
      case 'interrupted':
        this.#interrupts.done(head.sequence);
        break;
      case 'ask':
        this.#requestInput(head.parent, head.prompt, head.password);
        break;
    }
  }

  #requestInput(parent: string, prompt: string, password: boolean): void {
    const request = this.#requests.get(parent);
    if (!request) return;
    this.#streams.flush(parent);
    this.#input = parent;
    const { identities, header } = request.message;
    this.#sockets.reply('stdin', { identities, type: 'input_request', parent: header, content: { prompt, password } });
  }

  #sessionLost(reason: string): void {
    const wasReady = this.#sessionReady;
    this.#sessionReady = false;
    this.#interrupts.reset();
    this.#input = undefined;
    log(`the session was lost: ${reason}`);
    this.#failedStarts = wasReady ? 0 : this.#failedStarts + 1;
    const evalue = `The process that runs the cells was lost: ${reason}. All variables are lost; a new one has started: run the cells again from the top.`;
    const error: ErrorContent = { ename: 'SessionLost', evalue, traceback: [`\u001b[31mSessionLost\u001b[39m: ${evalue}`] };
    const running = this.#running;
    if (running) {
      const id = running.message.header.msg_id;
      this.#publish(id, 'error', { ...error });
      this.#executed(id, { status: 'error', error });
    } else if (this.#requests.latest !== undefined) {
      this.#publish(this.#requests.latest, 'stream', { name: 'stderr', text: `${evalue}\n` });
    }
    for (const request of this.#questions.values()) this.#answerLost(request, error);
    this.#questions.clear();
    for (const id of this.#comms.clear()) this.#publish(undefined, 'comm_close', { comm_id: id, data: {} });
    if (this.#failedStarts >= MOST_FAILED_STARTS) {
      log('the session cannot be started; the kernel ends');
      this.#abortQueue();
      void this.end();
      return;
    }
    this.#session = this.#startSession();
  }

  #answerLost(request: Request, error: ErrorContent): void {
    if (request.message.header.msg_type.endsWith('_request')) this.#answer(request, { status: 'error', ...error });
    else this.#idle(request);
  }

  /** Text for the cell that runs. */
  #say(text: string): void {
    if (this.#running) this.#streams.write(this.#running.message.header.msg_id, 'stderr', text);
  }

  // ---- IOPub ----

  #publish(parent: string | undefined, type: string, content: Json, metadata?: Json, buffers?: readonly Uint8Array[]): void {
    if (parent !== undefined && type !== 'stream') this.#streams.flush(parent);
    const header = (parent === undefined ? undefined : this.#requests.get(parent)?.message.header) ?? {};
    this.#sockets.publish({ type, parent: header, content, metadata, buffers });
  }

  /** What the session shows, as far as a page survives it. */
  #publishOutput({ parent, kind, content, metadata }: Publication, parts: readonly Uint8Array[]): void {
    const verdict = this.#limit.ask(parent, kind);
    if (verdict === 'send') this.#publish(parent, kind, content, metadata, parts);
    if (verdict !== 'tell') return;
    const text = '\n[The cell shows more than a page can hold; from here on outputs are left out.]\n';
    this.#publish(parent, 'stream', { name: 'stderr', text });
  }

  #publishStatus(state: string, parent: Message['header'] | Json): void {
    this.#sockets.publish({ type: 'status', parent, content: { execution_state: state } });
  }

  #welcome(topic: Buffer): void {
    const content = { subscription: topic.toString('utf8') };
    this.#sockets.publish({ identities: [topic], type: 'iopub_welcome', parent: {}, content });
  }
}
