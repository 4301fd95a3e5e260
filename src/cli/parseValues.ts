import { OptionError } from '../errors.js';

/** The rule that a number on the command line has to keep. */
export interface NumberRule {
  readonly integer?: boolean;
  readonly min?: number;
  readonly max?: number;
  /** A bound that the value must exceed. */
  readonly above?: number;
  /** Said in the error instead of what the fields above imply. */
  readonly rule?: string;
}

/** Part of an axis: `undefined` is an open end. */
export interface Range {
  readonly start: number | undefined;
  readonly stop: number | undefined;
}

/** Which pairs of frames are correlated: all, or each frame with its `band` next neighbors. */
export type PairChoice = { readonly kind: 'all' } | { readonly kind: 'band'; readonly band: number };

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function refuse(name: string, rule: string, text: string, remedy = ''): never {
  throw new OptionError(`${name} must be ${rule}, got '${text}'${remedy}`);
}

function describeRule({ integer, min, max, above, rule }: NumberRule): string {
  if (rule) return rule;
  const kind = integer ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  if (above !== undefined && max !== undefined) return `${kind} above ${above} and at most ${max}`;
  if (min !== undefined) return `${kind} of at least ${min}`;
  if (above !== undefined) return `${kind} above ${above}`;
  return max === undefined ? kind : `${kind} of at most ${max}`;
}

/**
 * A number in decimal or exponent notation.
 *
 * @param name what the error calls it, e.g. `--sigma`.
 * @throws OptionError if it is no number or breaks the rule.
 */
export function parseNumber(text: string, name: string, rule: NumberRule = {}): number {
  const trimmed = text.trim();
  const value = NUMBER.test(trimmed) ? Number(trimmed) : Number.NaN;
  const kept =
    Number.isFinite(value) &&
    (!rule.integer || Number.isSafeInteger(value)) &&
    value >= (rule.min ?? -Infinity) &&
    value <= (rule.max ?? Infinity) &&
    value > (rule.above ?? -Infinity);
  return kept ? value : refuse(name, describeRule(rule), text);
}

const UNITS = ['', 'k', 'm', 'g', 't'];

/**
 * A size in bytes: `2GiB`, `500M`, `1.5 GB`, `1048576`. As in most tools `M` and `MiB` are 1024², `MB` is 1000².
 *
 * @throws OptionError if it is no size or not above 0.
 */
export function parseSize(text: string, name: string): number {
  const match = /^\s*(\d+\.?\d*|\.\d+)\s*([kmgt]?)(i?b)?\s*$/i.exec(text);
  if (!match) refuse(name, 'a size like 2GiB or 500M', text);
  const [, digits = '', prefix = '', suffix = ''] = match;
  const base = prefix && suffix.toLowerCase() === 'b' ? 1000 : 1024;
  const bytes = Math.round(Number(digits) * base ** UNITS.indexOf(prefix.toLowerCase()));
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : refuse(name, 'a size above 0 like 2GiB or 500M', text);
}

/**
 * A part of an axis, `a:b`, where either end may be left out.
 *
 * @throws OptionError if it has no colon, an end breaks the rule, or the ends are in the wrong order.
 */
export function parseRange(text: string, name: string, rule: NumberRule = {}): Range {
  const ends = text.split(':');
  if (ends.length !== 2) refuse(name, "a range 'a:b'", text, ` (for example ${rule.integer ? '40:400' : '0:20.5'})`);
  const [start, stop] = ends.map((end) => (end.trim() === '' ? undefined : parseNumber(end, `each end of ${name}`, rule)));
  if (start !== undefined && stop !== undefined && start >= stop) refuse(name, "a range 'a:b' with a < b", text);
  return { start, stop };
}

/** `all` or `band:K`. @throws OptionError for anything else. */
export function parsePairs(text: string, name: string): PairChoice {
  if (text === 'all') return { kind: 'all' };
  const match = /^band:(\d+)$/.exec(text);
  if (!match || Number(match[1]) < 1) refuse(name, "'all' or 'band:K' with a whole number K of at least 1", text);
  return { kind: 'band', band: Number(match[1]) };
}

/** One of a few words. @throws OptionError that names them. */
export function parseChoice<T extends string>(text: string, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  return found ?? refuse(name, `one of ${choices.join(', ')}`, text);
}
