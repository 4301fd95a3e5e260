import { OptionError } from '../errors.js';

/** A JSON object whose fields are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Longest text that a bundle may hold, characters. */
const LONGEST_TEXT = 4096;

/** Throws {@link OptionError}: what came from outside is not what the contract says. */
export function reject(where: string, name: string, rule: string, got: unknown): never {
  throw new OptionError(`${where}(): '${name}' must be ${rule}, got ${show(got)}`);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

export function asObject(where: string, name: string, value: unknown): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) reject(where, name, 'an object', value);
  return value as JsonObject;
}

export function asArray(where: string, name: string, value: unknown, least: number, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length < least || value.length > most)
    reject(where, name, `an array of ${least} to ${most} values`, value);
  return value as readonly unknown[];
}

export function asNumber(where: string, name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) reject(where, name, 'a finite number', value);
  return value as number;
}

export function asWhole(where: string, name: string, value: unknown, least: number, most: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) > most)
    reject(where, name, `a whole number from ${least} to ${most}`, value);
  return value as number;
}

export function asText(where: string, name: string, value: unknown, longest: number = LONGEST_TEXT): string {
  if (typeof value !== 'string' || value.length > longest) reject(where, name, `a text of at most ${longest} characters`, value);
  return value as string;
}

export function asBoolean(where: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') reject(where, name, 'true or false', value);
  return value as boolean;
}

export function asOneOf<T extends string | number>(where: string, name: string, value: unknown, choice: readonly T[]): T {
  if (!choice.includes(value as T)) reject(where, name, choice.map((one) => JSON.stringify(one)).join(' or '), value);
  return value as T;
}
