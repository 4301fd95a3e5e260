import { type NumberRule, parseChoice, parseNumber, parseRange, parseSize, type Range } from './parseValues.js';

/** A command's arguments, read by name; what was not given is `undefined`, so that the command sets its own default. */
export class CommandArguments {
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly (string | boolean)[]>;

  constructor(positionals: readonly string[], values: ReadonlyMap<string, readonly (string | boolean)[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** The last value given, as it stands. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)?.at(-1);
    return typeof value === 'string' ? value : undefined;
  }

  /** All values given, in order. */
  texts(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).filter((value) => typeof value === 'string');
  }

  /** Whether a switch was given. */
  flag(name: string): boolean {
    return this.#values.get(name)?.at(-1) === true;
  }

  /** @throws OptionError if it is given and breaks the rule. */
  number(name: string, rule: NumberRule = {}): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseNumber(text, `--${name}`, rule);
  }

  /** Bytes of a size like `2GiB`. @throws OptionError if it is given and is no size. */
  size(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseSize(text, `--${name}`);
  }

  /** @throws OptionError if it is given and is no range `a:b`. */
  range(name: string, rule: NumberRule = {}): Range | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseRange(text, `--${name}`, rule);
  }

  /** @throws OptionError if it is given and is none of `choices`. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : parseChoice(text, `--${name}`, choices);
  }
}
