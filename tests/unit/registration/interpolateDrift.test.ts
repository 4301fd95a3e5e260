import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { interpolateDrift, interpolationError } from '../../../src/registration/interpolateDrift.js';
import { Random } from '../../../src/synthetic/index.js';

describe('interpolateDrift', () => {
  test('goes through the known frames, is linear between and constant beyond them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 12 }),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.nat(10),
        (frames, slope, more) => {
          const known = frames.sort((a, b) => a - b);
          const values = known.map((n) => slope * n + 1);
          const count = (known.at(-1) as number) + 1 + more;
          const found = interpolateDrift(known, values, count);
          expect(found).toHaveLength(count);
          for (let n = 0; n < count; n++) {
            const inside = Math.min(Math.max(n, known[0]), known.at(-1) as number);
            expect(found[n]).toBeCloseTo(slope * inside + 1, 9);
          }
        },
      ),
    );
  });

  test.each([
    [[], [], '0 for 0'],
    [[1, 2], [1], '2 for 1'],
  ])('refuses %j with %j', (known, values, got) => {
    try {
      interpolateDrift(known, values, 5);
      expect.unreachable();
    } catch (error) {
      expect(isLeemError(error, 'ShapeError')).toBe(true);
      expect((error as Error).message).toBe(`interpolateDrift(): 'known' must hold one index for each value, got ${got}`);
    }
  });
});

describe('interpolationError', () => {
  const known = Array.from({ length: 60 }, (_, n) => n).filter((n) => n % 10 !== 5);
  const sigma = known.map(() => 0.1);

  test('a straight drift is interpolated as well as the known frames are known', () => {
    const values = known.map((n) => 0.7 * n);
    // halfway between two frames of 0.1 px
    expect(interpolationError(known, values, sigma, 25)).toBeCloseTo(0.1 / Math.SQRT2, 6);
  });

  test('is as large as interpolation misses by elsewhere in the series', () => {
    const random = new Random(3);
    const jitter = 0.5;
    const values = known.map((n) => 0.7 * n + random.normal(0, jitter));
    // a value minus the mean of two others of the same scatter
    const expected = Math.sqrt(1.5) * jitter;
    const found = interpolationError(known, values, sigma, 25);
    expect(found).toBeGreaterThan(0.7 * expected);
    expect(found).toBeLessThan(1.4 * expected);
  });

  test('grows with the distance beyond the last known frame', () => {
    const values = known.map((n) => 0.7 * n);
    const near = interpolationError(known, values, sigma, 61);
    const far = interpolationError(known, values, sigma, 65);
    // the drift goes on by 0.7 px a frame, the interpolation is constant
    expect(near / (2 * 0.7)).toBeCloseTo(1, 0.8);
    expect(far / (6 * 0.7)).toBeCloseTo(1, 0.8);
  });

  test.each([2, 3, 4, 5, 10])('every frame between two frames of a stride of %i has an error bar', (stride) => {
    const places = Array.from({ length: 21 }, (_, k) => stride * k);
    const random = new Random(stride);
    const values = places.map((n) => 0.3 * n + random.normal(0, 0.4));
    const sigmas = places.map(() => 0.4);
    for (let n = stride * 10 + 1; n < stride * 11; n++) {
      const found = interpolationError(places, values, sigmas, n);
      // at least what the two frames beside it are known to, at most the scatter of all
      expect(found, `frame ${n}`).toBeGreaterThan(0.4 / Math.SQRT2 - 1e-9);
      expect(found, `frame ${n}`).toBeLessThan(3 * 0.4);
    }
  });

  test('is infinite where nothing can be compared', () => {
    expect(interpolationError([3], [1], [0.1], 4)).toBe(Number.POSITIVE_INFINITY);
    expect(interpolationError([0, 30], [1, 2], [0.1, 0.1], 12)).toBe(Number.POSITIVE_INFINITY);
  });
});
