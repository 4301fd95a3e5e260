import { randomUUID } from 'node:crypto';
import { clearTimeout, setTimeout } from 'node:timers';
import { OptionError } from '../errors.js';
import { DISPLAY, type HostChannel, host, type MimeBundle } from '../host.js';
import { escapeText } from '../stack/escapeText.js';
import {
  allowedValue,
  CONTROLS_MIME_TYPE,
  CONTROLS_TARGET,
  type Control,
  type ControlsBundle,
  type ControlsMessage,
  type ControlValue,
  parseControlsChange,
} from '../wire/index.js';
import { answerChannels, forgetChannels } from './channels.js';
import { type ControlsSpec, controlsFrom, type ValuesOf } from './controlsFrom.js';
import { LatestRun } from './LatestRun.js';
import { showError, showValue } from './showValue.js';

/** Called with the values as they are; what it gives is shown below the controls, in the place of what was there. */
export type OnChange<V> = (values: V, context: { readonly signal: AbortSignal }) => unknown;

/** Values that a user sets with sliders, lists and switches, and the program with {@link Controls.set}. */
export interface Controls<V> {
  /** The values as they are. */
  readonly values: V;
  /** Sets one; resolves when the computation with it is done, or with a later one. @throws OptionError */
  set<K extends keyof V & string>(name: K, value: V[K]): Promise<void>;
  /** Stops the computation under way; the controls stay to be seen, and move nothing any more. */
  close(): void;
  /** Resolves when the first computation is done. */
  [DISPLAY](): Promise<MimeBundle>;
}

/** How long the picture in the notebook may lag behind a slider that is being moved. */
const SAVE_MS = 250;

/**
 * Sliders, lists and switches for variables, so that a small computation follows them live. To be shown as the last
 * expression of a cell; without a front end that knows them they are a table of their values.
 *
 * The newest values win: a change stops the computation under way through its signal and starts the next one when that has
 * ended; runs never overlap, and values in between may be passed over. An error is shown in the result's place.
 *
 * @param spec by name: `{ min, max, step?, value? }` a slider, a list of options or `{ options, value? }` a choice, true or
 *   false a switch; each object with a `label` if the name is not to be read.
 * @param onChange gets the values and `{ signal }`, which it hands on to what it calls; may be asynchronous. Called once
 *   when the controls are shown.
 * @returns the controls; `values` are always the present ones.
 * @throws OptionError for a wrong specification, with the control's name.
 * @example
 * ```ts
 * leem.controls({ sigma: { min: 1, max: 17, step: 0.5, value: 3 }, method: ['least-squares', 'robust'], pattern: true },
 *   async ({ sigma }, { signal }) => (await leem.registerStack(stack, { sigma, signal })).minWeight);
 * ```
 */
export function controls<const S extends ControlsSpec>(spec: S, onChange?: OnChange<ValuesOf<S>>): Controls<ValuesOf<S>> {
  return new ShownControls<ValuesOf<S>>(controlsFrom(spec), onChange);
}

class ShownControls<V> implements Controls<V> {
  readonly #id = randomUUID();
  #controls: Control[];
  readonly #channels = new Map<HostChannel, number>();
  readonly #run: LatestRun<MimeBundle | undefined> | undefined;
  #shown = false;
  #busy = false;
  #save: NodeJS.Timeout | undefined;

  constructor(controls: Control[], onChange: OnChange<V> | undefined) {
    this.#controls = controls;
    this.#run =
      onChange &&
      new LatestRun((signal) => this.#compute(onChange, signal), {
        busy: (is) => {
          this.#busy = is;
          this.#send({ type: 'busy', busy: is });
        },
        done: (bundle) => this.#showResult(bundle),
        failed: (error) => this.#showResult(showError(error)),
      });
  }

  async #compute(onChange: OnChange<V>, signal: AbortSignal): Promise<MimeBundle | undefined> {
    const result = await onChange(this.values, { signal });
    return result === undefined ? undefined : showValue(result);
  }

  get #resultId(): string {
    return `${this.#id}-result`;
  }

  get values(): V {
    return Object.freeze(Object.fromEntries(this.#controls.map(({ name, value }) => [name, value]))) as V;
  }

  async set(name: string, value: unknown): Promise<void> {
    const problem = this.#change(name, value);
    if (problem !== undefined) throw new OptionError(`set(): ${problem}`);
    this.#tell();
    this.#saveBundle();
    await this.#run?.request();
  }

  close(): void {
    this.#run?.close();
    forgetChannels(this.#id);
    for (const channel of [...this.#channels.keys()]) channel.close();
    this.#channels.clear();
    this.#saveBundle();
  }

  async [DISPLAY](): Promise<MimeBundle> {
    const here = host();
    if (here === undefined) return this.#bundle();
    answerChannels(this.#id, (channel) => this.#accept(channel));
    // shown under a name, so that what the notebook holds follows the values
    here.display(this.#bundle(), { id: this.#id });
    if (this.#run) here.display({ data: { 'text/plain': '' } }, { id: this.#resultId });
    this.#shown = true;
    await this.#run?.request();
    return { data: {} };
  }

  #bundle(): MimeBundle {
    const bundle: ControlsBundle = { version: 1, id: this.#id, target: CONTROLS_TARGET, controls: this.#controls };
    const rows = this.#controls.map(({ label, value }) => [label, String(value)] as const);
    const width = Math.max(...rows.map(([label]) => label.length));
    const cells = rows.map(
      ([label, value]) => `<tr><th style="text-align:left">${escapeText(label)}</th><td>${escapeText(value)}</td></tr>`,
    );
    return {
      data: {
        [CONTROLS_MIME_TYPE]: bundle,
        'text/html': `<table>${cells.join('')}</table>`,
        'text/plain': rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n'),
      },
    };
  }

  /** Gives a control its value, or says why not. */
  #change(name: string, value: unknown): string | undefined {
    const control = this.#controls.find((one) => one.name === name);
    if (control === undefined) return `'name' must be one of ${this.#controls.map((one) => one.name).join(', ')}, got ${name}`;
    const allowed = allowedValue(control, value);
    if (allowed === undefined) return `'${name}' must be ${ruleOf(control)}, got ${String(value)}`;
    this.#controls = this.#controls.map((one) => (one === control ? ({ ...one, value: allowed } as Control) : one));
    return undefined;
  }

  #accept(channel: HostChannel): void {
    this.#channels.set(channel, 0);
    channel.onClose(() => this.#channels.delete(channel));
    channel.onMessage((data) => this.#take(channel, data));
    channel.send(this.#state(0));
    channel.send({ type: 'busy', busy: this.#busy } satisfies ControlsMessage);
  }

  /** Takes what the front end says, which is checked and never trusted. */
  #take(channel: HostChannel, data: unknown): void {
    try {
      const { name, value, sequence } = parseControlsChange(data);
      this.#channels.set(channel, sequence);
      const problem = this.#change(name, value);
      if (problem !== undefined) channel.send({ type: 'error', message: problem } satisfies ControlsMessage);
      this.#tell();
      if (problem !== undefined) return;
    } catch (error) {
      channel.send({ type: 'error', message: (error as Error).message } satisfies ControlsMessage);
      return;
    }
    clearTimeout(this.#save);
    this.#save = setTimeout(() => this.#saveBundle(), SAVE_MS);
    this.#save.unref();
    void this.#run?.request();
  }

  #state(sequence: number): ControlsMessage {
    return { type: 'state', values: this.values as Readonly<Record<string, ControlValue>>, sequence };
  }

  #tell(): void {
    for (const [channel, sequence] of this.#channels) channel.send(this.#state(sequence));
  }

  #send(message: ControlsMessage): void {
    for (const channel of this.#channels.keys()) channel.send(message);
  }

  #saveBundle(): void {
    clearTimeout(this.#save);
    if (this.#shown) host()?.display(this.#bundle(), { id: this.#id, update: true });
  }

  #showResult(bundle: MimeBundle | undefined): void {
    if (this.#shown && bundle) host()?.display(bundle, { id: this.#resultId, update: true });
  }
}

function ruleOf(control: Control): string {
  if (control.kind === 'toggle') return 'true or false';
  if (control.kind === 'slider') return `from ${control.min} to ${control.max}`;
  return `one of ${control.options.map(({ value }) => JSON.stringify(value)).join(', ')}`;
}
