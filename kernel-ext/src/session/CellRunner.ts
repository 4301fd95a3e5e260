import vm from 'node:vm';
import type { ErrorContent, ExecuteOutcome, ExecuteTask, Json } from '../shared/messages.js';
import { type CellContext, newContext, runInContext } from './cellContext.js';
import type { CellCompiler, CellRequireFunction, CompiledCell } from './compile/index.js';
import { compileErrorContent } from './compileErrorContent.js';
import { render } from './display/index.js';
import { isShown } from './display.js';
import { guarded, setPolite } from './guard.js';
import { libraryRuntime } from './libraryRuntime.js';
import { errorContent, traceSource } from './traceback.js';
import { clearKernelTimeout, clearUserTimers, kernelImmediate, kernelTimeout } from './userTimers.js';

/** How long operations that have asked for the cell's signal may take to stop by it. */
const GRACE_MS = 700;

/** What the cell's signal is aborted with, and what an interrupted cell ends with. */
export class Interrupted extends Error {
  override readonly name: string = 'Interrupted';
  constructor() {
    super('The cell was stopped. Variables are kept.');
  }
}

interface RunningCell {
  readonly task: ExecuteTask;
  readonly context: CellContext;
  /** State of the tensor engine before the cell. */
  readonly mark: unknown;
  interrupted: boolean;
  /** What was thrown in a timer or rejected unhandled while the cell ran. */
  stray: ErrorContent | undefined;
}

export interface CellRunnerParts {
  readonly compiler: CellCompiler;
  /** The notebook's variables: cells export to them and read from them. */
  readonly exports: Record<string, unknown>;
  readonly require: CellRequireFunction;
  publish(context: CellContext, kind: string, content: Json): void;
  executed(id: string, outcome: ExecuteOutcome): void;
  /** Takes the JavaScript of local modules that a cell imports. */
  updateModules(modules: CompiledCell['modules']): void;
}

/**
 * Runs cells one after the other. A cell may be cut off at any place by V8 itself, with nothing of the calling code run
 * after it; so what is known of the running cell lies in fields, and whoever comes first (its promise, its error, an
 * interrupt) finishes it.
 */
export class CellRunner {
  readonly #parts: CellRunnerParts;
  #running: RunningCell | undefined;
  #cutCell: RunningCell | undefined;
  #grace: NodeJS.Timeout | undefined;
  #evaluations = 0;

  constructor(parts: CellRunnerParts) {
    this.#parts = parts;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  /** Compiles and starts a cell; `executed` is told when it has ended. */
  start(task: ExecuteTask): void {
    const { id: parent, count, silent, allowStdin } = task;
    const context = newContext({ parent, count, silent, allowStdin });
    const cell: RunningCell = { task, context, mark: libraryRuntime()?.mark(), interrupted: false, stray: undefined };
    this.#running = cell;
    setPolite(false);
    try {
      const [compiled, run] = guarded(() => this.#compile(task.code, task.silent ? 'Cell [*]' : `Cell [${task.count}]`));
      this.#run(cell, compiled, run);
    } catch (error) {
      this.#fail(
        cell,
        guarded(() => compileErrorContent(error, task.code)),
      );
    }
  }

  #run(cell: RunningCell, compiled: CompiledCell, run: () => unknown): void {
    const failed = (error: unknown): void => this.#fail(cell, this.#contentOf(cell, error));
    try {
      const result = runInContext(cell.context, run);
      if (compiled.isAsync) (result as Promise<unknown>).then(() => this.#succeed(cell, compiled), failed);
      else void this.#succeed(cell, compiled);
    } catch (error) {
      failed(error);
    }
  }

  #compile(code: string, name: string, check = true): [CompiledCell, () => unknown] {
    const compiled = this.#parts.compiler.compile(code, { check });
    this.#parts.updateModules(compiled.modules);
    for (const module of compiled.modules) traceSource(module.path, { source: module.source, position: module.position });
    traceSource(name, { source: code, position: (line, column) => compiled.position(line, column) });
    const opening = `(${compiled.isAsync ? 'async ' : ''}function (exports, require) {`;
    const script = new vm.Script(`${opening}${compiled.code}\n})`, { filename: name, columnOffset: -opening.length });
    const body = script.runInThisContext() as (exports: unknown, require: unknown) => unknown;
    compiled.commit();
    return [compiled, () => body(this.#parts.exports, this.#parts.require)];
  }

  async #succeed(cell: RunningCell, compiled: CompiledCell): Promise<void> {
    if (this.#running !== cell) return;
    try {
      await runInContext(cell.context, () => this.#showResult(cell, compiled));
      await Promise.all(cell.context.pending);
      // one turn, in which Node tells of promises that were rejected and nobody waits for
      await new Promise((resolve) => kernelImmediate(resolve));
      if (this.#running !== cell) return;
      for (const bar of cell.context.bars) bar.settle?.();
      const userExpressions = await this.#evaluateAll(cell);
      this.#finish(
        cell,
        cell.stray ? { status: 'error', error: cell.stray } : { status: 'ok', userExpressions, payload: cell.context.payload },
      );
    } catch (error) {
      this.#fail(cell, this.#contentOf(cell, error));
    }
  }

  async #showResult({ context }: RunningCell, { resultName }: CompiledCell): Promise<void> {
    if (resultName === undefined) return;
    const value = this.#parts.exports[resultName];
    delete this.#parts.exports[resultName];
    if (context.silent || isShown(value)) return;
    const bundle = await render(value);
    if (bundle) {
      const { data, metadata = {} } = bundle;
      this.#parts.publish(context, 'execute_result', { execution_count: context.count, data, metadata });
    }
  }

  async #evaluateAll({ context, task }: RunningCell): Promise<Json> {
    const results: Record<string, unknown> = {};
    for (const [name, expression] of Object.entries(task.userExpressions)) {
      results[name] = await runInContext(context, () => this.#evaluate(String(expression)));
    }
    return results;
  }

  async #evaluate(expression: string): Promise<Json> {
    try {
      const [compiled, run] = guarded(() => this.#compile(`(${expression}\n)`, `Expression [${++this.#evaluations}]`, false));
      await run();
      const value = compiled.resultName === undefined ? undefined : this.#parts.exports[compiled.resultName];
      if (compiled.resultName !== undefined) delete this.#parts.exports[compiled.resultName];
      const { data, metadata = {} } = (await render(value)) ?? { data: { 'text/plain': 'undefined' } };
      return { status: 'ok', data, metadata };
    } catch (error) {
      return { status: 'error', ...compileErrorContent(error, expression) };
    }
  }

  /** An error that was thrown outside the cell's own flow: in a timer, or by a promise that nobody waits for. */
  stray(context: CellContext, thrown: unknown): void {
    const cell = this.#running;
    const content = errorContent(thrown);
    if (cell?.interrupted && cell.context === context) return; // part of being stopped
    if (context.controller.signal.aborted) return;
    this.#parts.publish(context, 'error', { ...content });
    if (cell?.context === context) cell.stray ??= content;
  }

  /** Stops what runs; called again until it has been carried out. @returns whether nothing is left to be stopped. */
  interrupt(): boolean {
    const cell = this.#running;
    if (!cell) {
      clearUserTimers();
      return true;
    }
    if (!cell.interrupted) {
      // first the time limit: whoever listens to the signal may not come back
      this.#grace = kernelTimeout(() => this.#giveUp(cell), cell.context.signalTaken ? GRACE_MS : 0);
      this.#abort(cell);
    }
    return false;
  }

  /** What runs now is about to be cut off. */
  noteCut(): void {
    this.#cutCell = this.#running;
  }

  /** It was cut off. By now another cell may have started, which goes on. */
  wasCut(): void {
    const cell = this.#cutCell;
    if (!cell || cell !== this.#running) {
      if (!this.#running) clearUserTimers();
      return;
    }
    clearUserTimers();
    libraryRuntime()?.recover(cell.mark);
    if (!cell.interrupted) this.#abort(cell);
    this.#giveUp(cell);
  }

  /** Tells whoever listens that the cell is to stop. */
  #abort(cell: RunningCell): void {
    cell.interrupted = true;
    runInContext(cell.context, () => cell.context.controller.abort(new Interrupted()));
  }

  /** Ends an interrupted cell whose code goes on: its timers will not, and what it still returns is not waited for. */
  #giveUp(cell: RunningCell): void {
    if (this.#running !== cell) return;
    clearUserTimers();
    this.#fail(cell, errorContent(new Interrupted()));
  }

  #contentOf(cell: RunningCell, error: unknown): ErrorContent {
    return errorContent(cell.interrupted ? new Interrupted() : error);
  }

  #fail(cell: RunningCell, error: ErrorContent): void {
    if (this.#running !== cell) return;
    for (const bar of cell.context.bars) bar.fail(cell.interrupted ? 'stopped' : 'failed');
    if (!cell.context.silent) this.#parts.publish(cell.context, 'error', { ...error });
    this.#finish(cell, { status: 'error', error });
  }

  #finish(cell: RunningCell, outcome: ExecuteOutcome): void {
    if (this.#running !== cell) return;
    clearKernelTimeout(this.#grace);
    this.#running = undefined;
    this.#parts.executed(cell.task.id, outcome);
    libraryRuntime()?.cellEnded();
  }
}
