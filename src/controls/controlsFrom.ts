import { OptionError } from '../errors.js';
import { allowedValue, type Control, type ControlValue, type SelectOption } from '../wire/index.js';

/** A number within a range. */
export interface SliderSpec {
  readonly min: number;
  readonly max: number;
  /** Default: a hundredth of the range, rounded to 1, 2 or 5 of a decimal place. */
  readonly step?: number;
  /** Default: `min`. */
  readonly value?: number;
  /** Default: the name. */
  readonly label?: string;
}

/** One of some values, with what else can be said of it. */
export interface SelectSpec<T extends ControlValue = ControlValue> {
  readonly options: readonly T[];
  /** Default: the first. */
  readonly value?: T;
  readonly label?: string;
}

/** On or off, with a label. */
export interface ToggleSpec {
  readonly value: boolean;
  readonly label?: string;
}

/** A slider, a list of options (the first one is chosen), or true or false. */
export type ControlSpec = SliderSpec | SelectSpec | ToggleSpec | readonly ControlValue[] | boolean;

/** What is controlled, by name. */
export type ControlsSpec = Readonly<Record<string, ControlSpec>>;

/** The type of the value of a control. */
export type ValueOf<T> = T extends boolean
  ? boolean
  : T extends readonly (infer U)[]
    ? U
    : T extends { readonly options: readonly (infer U)[] }
      ? U
      : T extends { readonly min: number }
        ? number
        : boolean;

/** The values of all controls, by name. */
export type ValuesOf<S> = { readonly [K in keyof S]: ValueOf<S[K]> };

function fail(name: string, rule: string, got: unknown): never {
  throw new OptionError(`controls(): '${name}' must be ${rule}, got ${String(got)}`);
}

/** The controls of a specification, each with its first value. @throws OptionError with the control's name. */
export function controlsFrom(spec: ControlsSpec): Control[] {
  const entries = Object.entries(spec ?? {});
  if (entries.length === 0 || entries.length > 100) fail('spec', 'an object of 1 to 100 controls', entries.length);
  return entries.map(([name, one]) => controlFrom(name, one));
}

function controlFrom(name: string, spec: ControlSpec): Control {
  if (name === '' || name === '__proto__' || name.length > 200) fail('spec', 'an object whose keys are names', name);
  if (typeof spec === 'boolean') return { kind: 'toggle', name, label: name, value: spec };
  if (isList(spec)) return selectFrom(name, { options: spec });
  if (typeof spec !== 'object' || spec === null) fail(name, 'a range, a list of options, or true or false', spec);
  if (spec.label !== undefined && (typeof spec.label !== 'string' || spec.label.length > 1000))
    fail(`${name}.label`, 'a text of at most 1000 characters', spec.label);
  if ('options' in spec) return selectFrom(name, spec);
  if ('min' in spec || 'max' in spec) return sliderFrom(name, spec as SliderSpec);
  const { value, label = name } = spec;
  if (typeof value !== 'boolean') fail(name, "a range { min, max }, { options }, a list, or true or false; 'value'", value);
  return { kind: 'toggle', name, label, value: value as boolean };
}

const isList = (spec: ControlSpec): spec is readonly ControlValue[] => Array.isArray(spec);

function selectFrom(name: string, { options, value, label = name }: SelectSpec): Control {
  if (!Array.isArray(options) || options.length === 0 || options.length > 1000)
    fail(name, 'a list of 1 to 1000 options', Array.isArray(options) ? options.length : options);
  for (const option of options) {
    const simple = typeof option === 'string' || typeof option === 'boolean' || Number.isFinite(option);
    if (!simple || String(option).length > 1000) fail(name, 'a list of texts, finite numbers, true and false', option);
  }
  if (new Set(options).size < options.length) fail(name, 'a list of different options', options.join(', '));
  const chosen = value === undefined ? options[0] : value;
  if (!options.includes(chosen)) fail(`${name}.value`, 'one of the options', chosen);
  const shown = options.map((option): SelectOption => ({ value: option, label: String(option) }));
  return { kind: 'select', name, label, options: shown, value: chosen };
}

function sliderFrom(name: string, { min, max, step = stepOf(max - min), value = min, label = name }: SliderSpec): Control {
  for (const [field, number] of Object.entries({ min, max })) {
    if (!Number.isFinite(number)) fail(`${name}.${field}`, 'a finite number', number);
  }
  if (min >= max) fail(`${name}.max`, `above 'min' (${min})`, max);
  if (!(step > 0 && step <= max - min)) fail(`${name}.step`, `above 0 and at most ${max - min}`, step);
  const control = { kind: 'slider', name, label, min, max, step, value } as const;
  const nearest = allowedValue(control, value);
  if (nearest === undefined) fail(`${name}.value`, `from ${min} to ${max}`, value);
  return { ...control, value: nearest as number };
}

function stepOf(range: number): number {
  const decade = 10 ** Math.floor(Math.log10(range / 100));
  return decade * ([1, 2, 5].find((factor) => factor * decade >= range / 100) ?? 10);
}
