import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fastSizeFrom, fastSizeUpTo, isFastSize } from '../../../src/registration/fftSize.js';

/** All products 2^a · 3^b · 5^c with a ≥ 1 up to 5000, made the other way round. */
const FAST = new Set<number>();
for (let a = 2; a <= 5000; a *= 2) for (let b = a; b <= 5000; b *= 3) for (let c = b; c <= 5000; c *= 5) FAST.add(c);

test('fast sizes are the even numbers without prime factors above 5', () => {
  for (let n = -4; n <= 5000; n++) expect(isFastSize(n), String(n)).toBe(FAST.has(n));
  for (const n of [2.5, Number.NaN, Number.POSITIVE_INFINITY, 0]) expect(isFastSize(n)).toBe(false);
});

test('fastSizeFrom and fastSizeUpTo give the nearest fast size, with none between', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4000 }), (n) => {
      const [up, down] = [fastSizeFrom(n), fastSizeUpTo(n)];
      expect(up).toBeGreaterThanOrEqual(n);
      expect(down).toBeLessThanOrEqual(n);
      for (let k = down + 1; k < up; k++) expect(k === n ? false : FAST.has(k)).toBe(false);
      if (FAST.has(n)) expect([up, down]).toEqual([n, n]);
      expect(FAST.has(up) && FAST.has(down)).toBe(true);
    }),
  );
});

test('at the ends', () => {
  expect([fastSizeFrom(-3), fastSizeFrom(0), fastSizeFrom(1), fastSizeFrom(2.5), fastSizeFrom(513)]).toEqual([2, 2, 2, 4, 540]);
  expect([fastSizeUpTo(-3), fastSizeUpTo(1), fastSizeUpTo(3.5), fastSizeUpTo(592)]).toEqual([0, 0, 2, 576]);
});
