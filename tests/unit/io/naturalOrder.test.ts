import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareNatural, missingNumbers } from '../../../src/io/naturalOrder.js';

describe('natural order', () => {
  test('counts as people do', () => {
    const names = ['a10', 'a9', 'a1b2', 'a1b10', 'a01', 'b', '10', '9', 'a'];
    expect(names.sort(compareNatural)).toEqual(['9', '10', 'a', 'a01', 'a1b2', 'a1b10', 'a9', 'a10', 'b']);
  });

  test('is an order: antisymmetric and transitive', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '0', '1', '9', '_'), maxLength: 6 });
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        expect(Math.sign(compareNatural(a, b))).toBe(-Math.sign(compareNatural(b, a)) + 0);
        if (compareNatural(a, b) <= 0 && compareNatural(b, c) <= 0) expect(compareNatural(a, c)).toBeLessThanOrEqual(0);
        expect(compareNatural(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('missing numbers', () => {
  const named = (...numbers: number[]): string[] => numbers.map((n) => `/x/20141023_01_${String(n).padStart(3, '0')}.dat`);

  test.each([
    [[1, 2, 3, 4], []],
    [
      [1, 2, 3, 5, 6, 9],
      [4, 7, 8],
    ],
    [[0, 5, 10, 20, 25], [15]],
    [[9, 10, 11, 13], [12]],
    [[1, 2], []],
    [[1, 10, 100], []],
    [[3, 7, 8, 20, 31], []],
  ])('of %j are %j', (numbers, missing) => {
    expect(missingNumbers(named(...numbers))).toEqual(missing);
  });

  test('are not looked for where the names are no series', () => {
    expect(missingNumbers(['a1_1', 'a2_2', 'a4_4'])).toEqual([]);
    expect(missingNumbers(['a1', 'b2', 'c4', 'c5'])).toEqual([]);
  });
});
