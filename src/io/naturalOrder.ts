import { basename } from 'node:path';

/** Splits a name into runs of digits and of everything else: `a12b` → `['a', '12', 'b']`. */
function runs(name: string): string[] {
  return name.match(/\d+|\D+/g) ?? [];
}

const isNumber = (run: string | undefined): boolean => run !== undefined && run >= '0' && run < ':';

/** Compares two names as people count: `frame_9` before `frame_10`. For `Array.prototype.sort`. */
export function compareNatural(a: string, b: string): number {
  const left = runs(a);
  const right = runs(b);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (isNumber(left[i]) && isNumber(right[i])) {
      const difference = Number(left[i]) - Number(right[i]);
      if (difference !== 0) return difference;
    } else if (left[i] !== right[i]) {
      return left[i] < right[i] ? -1 : 1;
    }
  }
  if (left.length !== right.length) return left.length - right.length;
  return a < b ? -1 : a > b ? 1 : 0; // the same but for leading zeros
}

/**
 * The numbers that are missing in a series of numbered file names: the names differ in one number, which goes up in equal
 * steps but for gaps of whole steps. Empty where the names are not such a series.
 */
export function missingNumbers(paths: readonly string[]): number[] {
  const names = paths.map((path) => runs(basename(path)));
  const [first] = names;
  if (names.length < 3 || names.some((name) => name.length !== first.length)) return [];
  const varying = first.map((_, i) => i).filter((i) => names.some((name) => name[i] !== first[i]));
  if (varying.length !== 1 || !isNumber(first[varying[0]])) return [];
  const numbers = names.map((name) => Number(name[varying[0]]));
  const steps = numbers.slice(1).map((number, i) => number - numbers[i]);
  const step = Math.min(...steps);
  // a gap is the exception: most steps must be of the usual size
  if (step < 1 || steps.some((s) => s % step !== 0) || steps.filter((s) => s === step).length * 2 <= steps.length) return [];
  return steps.flatMap((s, i) => Array.from({ length: s / step - 1 }, (_, k) => numbers[i] + (k + 1) * step));
}
