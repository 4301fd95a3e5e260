import { asArray, asBoolean, asNumber, asObject, asOneOf, asText, asWhole, type JsonObject, reject } from './check.js';

/** MIME type of {@link ControlsBundle}. */
export const CONTROLS_MIME_TYPE = 'application/vnd.leemlab.controls.v1+json';

/** Where the front end opens its channel, with {@link ControlsOpen} as data. */
export const CONTROLS_TARGET = 'leemlab.controls';

export type ControlValue = string | number | boolean;

/** A number from `min` to `max`, in steps of `step` from `min`. */
export interface SliderControl {
  readonly kind: 'slider';
  readonly name: string;
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
}

export interface SelectOption {
  readonly value: ControlValue;
  readonly label: string;
}

/** One of some values. */
export interface SelectControl {
  readonly kind: 'select';
  readonly name: string;
  readonly label: string;
  readonly options: readonly SelectOption[];
  readonly value: ControlValue;
}

/** On or off. */
export interface ToggleControl {
  readonly kind: 'toggle';
  readonly name: string;
  readonly label: string;
  readonly value: boolean;
}

export type Control = SliderControl | SelectControl | ToggleControl;

/** Controls with their last values, as a notebook holds them. */
export interface ControlsBundle {
  readonly version: 1;
  /** Who answers on the channel: new with every run, so that a saved notebook finds nobody. */
  readonly id: string;
  readonly target: typeof CONTROLS_TARGET;
  readonly controls: readonly Control[];
}

/** The data with which the front end opens a channel. An unknown id is answered by closing the channel. */
export interface ControlsOpen {
  readonly id: string;
}

/** Front end → kernel: the user moved a control. `sequence` counts up from 1 on each channel. */
export interface ControlsChange {
  readonly type: 'set';
  readonly name: string;
  readonly value: ControlValue;
  readonly sequence: number;
}

/**
 * Kernel → front end.
 *
 * - `state`: the values as they are; sent when the channel opens and after every change. `sequence` is that of the last
 *   change of this channel that they contain (0: none): a front end whose user moved on meanwhile drops an older state.
 * - `busy`: whether a computation with these values is under way.
 * - `error`: a change was refused, with the reason.
 */
export type ControlsMessage =
  | { readonly type: 'state'; readonly values: Readonly<Record<string, ControlValue>>; readonly sequence: number }
  | { readonly type: 'busy'; readonly busy: boolean }
  | { readonly type: 'error'; readonly message: string };

const MOST_CONTROLS = 100;
const MOST_OPTIONS = 1000;
const LONGEST_NAME = 200;

function asName(where: string, at: string, value: unknown): string {
  const name = asText(where, at, value, LONGEST_NAME);
  // as a key it would not be a value but an object's prototype
  if (name === '' || name === '__proto__') reject(where, at, 'a name', value);
  return name;
}

function asControlValue(where: string, at: string, value: unknown): ControlValue {
  if (typeof value === 'string') return asText(where, at, value);
  return typeof value === 'boolean' ? value : asNumber(where, at, value);
}

/** Checks what a notebook holds of some controls: every field, names that are unique, values that the controls allow. */
export function parseControlsBundle(value: unknown): ControlsBundle {
  const where = 'parseControlsBundle';
  const bundle = asObject(where, 'bundle', value);
  const controls = asArray(where, 'controls', bundle.controls, 1, MOST_CONTROLS).map((control, k) =>
    parseControl(where, `controls[${k}]`, asObject(where, `controls[${k}]`, control)),
  );
  const names = new Set(controls.map(({ name }) => name));
  if (names.size < controls.length) reject(where, 'controls', 'controls of different names', controls);
  return {
    version: asOneOf(where, 'version', bundle.version, [1]),
    id: asName(where, 'id', bundle.id),
    target: asOneOf(where, 'target', bundle.target, [CONTROLS_TARGET]),
    controls,
  };
}

function parseControl(where: string, at: string, json: JsonObject): Control {
  const kind = asOneOf(where, `${at}.kind`, json.kind, ['slider', 'select', 'toggle']);
  const name = asName(where, `${at}.name`, json.name);
  const label = asText(where, `${at}.label`, json.label);
  const control = (() => {
    if (kind === 'toggle') return { kind, name, label, value: asBoolean(where, `${at}.value`, json.value) } as const;
    if (kind === 'slider') return { kind, name, label, ...parseRange(where, at, json) } as const;
    return { kind, name, label, options: parseOptions(where, at, json.options), value: json.value as ControlValue } as const;
  })();
  if (allowedValue(control, control.value) === undefined)
    reject(where, `${at}.value`, 'a value that the control allows', control.value);
  return control;
}

function parseRange(where: string, at: string, json: JsonObject): Pick<SliderControl, 'min' | 'max' | 'step' | 'value'> {
  const [min, max, step, value] = (['min', 'max', 'step', 'value'] as const).map((field) =>
    asNumber(where, `${at}.${field}`, json[field]),
  );
  if (min >= max) reject(where, `${at}.max`, `above 'min' (${min})`, max);
  if (!(step > 0 && step <= max - min)) reject(where, `${at}.step`, `above 0 and at most ${max - min}`, step);
  return { min, max, step, value };
}

function parseOptions(where: string, at: string, json: unknown): SelectOption[] {
  const options = asArray(where, `${at}.options`, json, 1, MOST_OPTIONS).map((one, k) => {
    const option = asObject(where, `${at}.options[${k}]`, one);
    return {
      value: asControlValue(where, `${at}.options[${k}].value`, option.value),
      label: asText(where, `${at}.options[${k}].label`, option.label),
    };
  });
  if (new Set(options.map(({ value }) => value)).size < options.length)
    reject(where, `${at}.options`, 'options of different values', options);
  return options;
}

/**
 * The value that a control takes on when it is set to `value`: a slider's the nearest of its steps.
 *
 * @returns undefined where the control does not allow it: of another type, out of range, none of the options.
 */
export function allowedValue(control: Control, value: unknown): ControlValue | undefined {
  if (control.kind === 'toggle') return typeof value === 'boolean' ? value : undefined;
  if (control.kind === 'select') return control.options.find((option) => option.value === value)?.value;
  const { min, max, step } = control;
  if (typeof value !== 'number' || !(value >= min && value <= max)) return undefined;
  if (value === max) return max; // an end stays within reach, whether a step falls on it or not
  // 12 digits: 0.1 + 2 · 0.1 is to be 0.3
  return Math.min(max, Number((min + Math.round((value - min) / step) * step).toPrecision(12)));
}

/** Checks with what a channel was opened. */
export function parseControlsOpen(value: unknown): ControlsOpen {
  const where = 'parseControlsOpen';
  return { id: asName(where, 'id', asObject(where, 'data', value).id) };
}

/** Checks a message of the front end; whether the control allows the value is asked with {@link allowedValue}. */
export function parseControlsChange(value: unknown): ControlsChange {
  const where = 'parseControlsChange';
  const message = asObject(where, 'message', value);
  return {
    type: asOneOf(where, 'type', message.type, ['set']),
    name: asName(where, 'name', message.name),
    value: asControlValue(where, 'value', message.value),
    sequence: asWhole(where, 'sequence', message.sequence, 1, Number.MAX_SAFE_INTEGER),
  };
}

/** Checks a message of the kernel. */
export function parseControlsMessage(value: unknown): ControlsMessage {
  const where = 'parseControlsMessage';
  const message = asObject(where, 'message', value);
  const type = asOneOf(where, 'type', message.type, ['state', 'busy', 'error']);
  if (type === 'busy') return { type, busy: asBoolean(where, 'busy', message.busy) };
  if (type === 'error') return { type, message: asText(where, 'message', message.message) };
  const entries = Object.entries(asObject(where, 'values', message.values));
  if (entries.length > MOST_CONTROLS) reject(where, 'values', `at most ${MOST_CONTROLS} values`, entries);
  const values = entries.map(([name, one]) => [asName(where, 'values', name), asControlValue(where, `values.${name}`, one)]);
  return {
    type,
    values: Object.fromEntries(values) as Record<string, ControlValue>,
    sequence: asWhole(where, 'sequence', message.sequence, 0, Number.MAX_SAFE_INTEGER),
  };
}
