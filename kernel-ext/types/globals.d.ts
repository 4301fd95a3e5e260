/** What was shown with `display`, to be replaced later. */
interface DisplayHandle {
  readonly id: string;
  /** Shows another value in the same place, wherever that is by now. */
  update(value: unknown): Promise<void>;
}

interface DisplayOptions {
  /** Name of the place. Default: a new one. */
  id?: string;
  /** Replaces what was shown under `id` before, instead of showing it again here. */
  update?: boolean;
}

/**
 * Shows a value below the cell, as the last expression of a cell is shown: tensors, image stacks, data frames, Vega-Lite
 * specifications, PNG bytes, errors, anything with a method `Symbol.for('leemlab.display')`.
 *
 * @param value what to show
 * @param options.id name under which it can be replaced later
 * @param options.update replaces what has that name
 * @returns a handle whose `update` shows another value in the same place
 * @example
 * const shown = await display('wait …');
 * await shown.update(result);
 */
declare function display(value: unknown, options?: DisplayOptions): Promise<DisplayHandle>;

/** A bar below the cell, with rate and time left. */
interface Progress {
  /**
   * @param done how much is done, in units of the total
   * @param label replaces the text of the bar
   */
  update(done: number, label?: string): void;
  /** One more is done. */
  tick(): void;
  /** Leaves the bar as it is. A second call does nothing. */
  end(): void;
}

/**
 * Walks through values and shows a bar: `for (const frame of progress(frames, 'frames'))`. The bar ends with the loop, also
 * when the loop is left early.
 *
 * @param values array or other iterable; a total is shown where it has a `length` or `size`
 * @param label text of the bar
 */
declare function progress<T>(values: Iterable<T>, label?: string): Iterable<T>;
/**
 * Walks through values that come one by one and shows a bar: `for await (const block of progress(blocks, 'blocks'))`.
 *
 * @param values asynchronous iterable
 * @param label text of the bar
 */
declare function progress<T>(values: AsyncIterable<T>, label?: string): AsyncIterable<T>;
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
 * Asks the user for a line of text.
 *
 * @param prompt text before the field
 * @returns what was typed
 * @throws where nobody can answer, as in nbconvert
 */
declare function input(prompt?: string): Promise<string>;

/**
 * Asks the user for a password: what is typed is not shown.
 *
 * @param prompt text before the field
 * @returns what was typed
 * @throws where nobody can answer, as in nbconvert
 */
declare function password(prompt?: string): Promise<string>;

/**
 * Removes what the cell has shown so far.
 *
 * @param options.wait keeps it until something new is shown, so that nothing flickers; default false
 */
declare function clearOutput(options?: { wait?: boolean }): void;

/** The cell that is running. */
declare const cell: {
  /** Aborted when the user stops the cell; pass it to `fetch`, timers, streams. */
  readonly signal: AbortSignal;
  /** The number in brackets beside the cell. */
  readonly number: number;
};
