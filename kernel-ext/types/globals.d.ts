/** What was shown with `display`, to be replaced later. */
interface DisplayHandle {
  readonly id: string;
  /** Shows another value in the same place, wherever that is by now. */
  update(value: unknown): Promise<void>;
}

interface DisplayOptions {
  /** Name of the place. Default: a new one. */
  id?: string;
  /** Replaces what was shown under `id` before, instead of showing it again here. Default: false. */
  update?: boolean;
}

/**
 * Shows a value below the cell, as the last expression of a cell is shown: tensors, image stacks, data frames, Vega-Lite
 * specifications, PNG bytes, errors, anything with a method `Symbol.for('leemlab.display')`.
 *
 * @param value what to show
 * @param options `id`: name under which it can be replaced later; `update`: replace what has that name
 * @returns a handle whose `update` shows another value in the same place
 * @example
 * const shown = await display('wait …');
 * await shown.update(result);
 */
declare function display(value: unknown, options?: DisplayOptions): Promise<DisplayHandle>;

declare namespace display {
  /** Shows HTML, inserted as it is: escape what comes from elsewhere. */
  function html(text: string): Promise<DisplayHandle>;
  /** Shows Markdown, with formulas between dollar signs. */
  function markdown(text: string): Promise<DisplayHandle>;
  /** Shows a LaTeX formula, with or without dollar signs around it. */
  function latex(formula: string): Promise<DisplayHandle>;
  /** Shows an SVG drawing from its source. */
  function svg(source: string): Promise<DisplayHandle>;
  /**
   * Shows a PNG from the bytes of its file.
   *
   * @param size in CSS pixels, where it should not be the image's own
   */
  function png(bytes: Uint8Array, size?: { width?: number; height?: number }): Promise<DisplayHandle>;
  /** Shows a value as a tree that can be opened and searched, where the front end has one. */
  function json(value: unknown): Promise<DisplayHandle>;
  /**
   * Shows something in several forms; the front end takes the richest that it knows.
   *
   * @param data by MIME type: strings; for binary types a Uint8Array or base64; for JSON types any plain value
   * @param metadata by MIME type
   * @example
   * display.mime({ 'text/markdown': '**12** frames', 'text/plain': '12 frames' });
   */
  function mime(data: Record<string, unknown>, metadata?: Record<string, unknown>): Promise<DisplayHandle>;
}

/** Shows a value in the front end's pager, below the notebook, instead of in the cell. */
declare function page(value: unknown): Promise<void>;

/** A bar below the cell, with rate and time left. */
interface Progress {
  readonly id: string;
  readonly state: 'running' | 'ended' | 'failed';
  /**
   * Says how much is done.
   *
   * @param done in all, in units of the total
   * @param label replaces the text of the bar
   */
  update(done: number, label?: string): void;
  /** Says that `count` more are done, default 1. */
  tick(count?: number): void;
  /** Shows the last state and the time taken; later calls do nothing. */
  end(): void;
  /** As `end`, for work that did not get to its end. */
  fail(reason?: string): void;
}

/**
 * Shows a bar that you move.
 *
 * @param total amount that is all; 0 if it is not known
 * @param label text of the bar
 * @returns the bar; call its `end` when the work is done
 * @example
 * const bar = progress(100, 'rounds');
 * for (let round = 0; round < 100; round++) bar.tick();
 * bar.end();
 */
declare function progress(total: number, label?: string): Progress;
/**
 * Walks through values and shows a bar: `for (const frame of progress(frames, 'frames'))`. The bar ends with the loop, also
 * when the loop is left early.
 *
 * @param values array or other iterable; a total is shown where it has a `length` or `size`
 * @param label text of the bar
 */
declare function progress<T>(values: Iterable<T>, label?: string): Generator<T, void, undefined>;
/**
 * Walks through values that come one by one and shows a bar: `for await (const block of progress(blocks, 'blocks'))`.
 *
 * @param values asynchronous iterable
 * @param label text of the bar
 */
declare function progress<T>(values: AsyncIterable<T>, label?: string): AsyncGenerator<T, void, undefined>;

/**
 * Asks the user for a line of text.
 *
 * @param prompt text before the field
 * @returns what was typed
 * @throws NoInputError where nobody can answer, as in nbconvert
 */
declare function input(prompt?: string): Promise<string>;

/**
 * Asks the user for a password: what is typed is not shown.
 *
 * @param prompt text before the field
 * @returns what was typed
 * @throws NoInputError where nobody can answer, as in nbconvert
 */
declare function password(prompt?: string): Promise<string>;

/**
 * Removes what the cell has shown so far.
 *
 * @param options `wait`: keep it until something new is shown, so that nothing flickers; default false
 */
declare function clearOutput(options?: { wait?: boolean }): void;

/** The cell that is running. */
declare const cell: {
  /** Aborted when the user stops the cell; pass it to `fetch`, timers, streams. */
  readonly signal: AbortSignal;
  /** The number in brackets beside the cell. */
  readonly number: number;
};

/** What came over a comm. */
interface CommMessage {
  readonly data: unknown;
  readonly metadata: Record<string, unknown>;
  readonly buffers: readonly Uint8Array[];
}

interface CommSendOptions {
  metadata?: Record<string, unknown>;
  buffers?: readonly Uint8Array[];
}

/** One end of a two-way channel to a view in the front end. */
interface Comm {
  readonly id: string;
  readonly target: string;
  /** @throws Error if the comm is closed */
  send(data: unknown, options?: CommSendOptions): void;
  onMessage(listener: (message: CommMessage) => void | Promise<void>): void;
  onClose(listener: (message: CommMessage) => void | Promise<void>): void;
  close(data?: unknown, options?: CommSendOptions): void;
}

/** Channels between this kernel and views in the front end. */
declare const comms: {
  /** Calls `accept` when a view opens a comm to `target`. */
  register(target: string, accept: (comm: Comm, message: CommMessage) => void | Promise<void>): void;
  unregister(target: string): void;
  /** Opens a comm to what the front end has registered as `target`. */
  open(target: string, data?: unknown, options?: CommSendOptions): Comm;
};
