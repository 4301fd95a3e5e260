import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/synthetic/index.js';

function moments(values: ArrayLike<number>): { mean: number; variance: number; skewness: number; kurtosis: number } {
  const list = Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const central = (power: number): number => list.reduce((sum, x) => sum + (x - mean) ** power, 0) / list.length;
  const variance = central(2);
  return { mean, variance, skewness: central(3) / variance ** 1.5, kurtosis: central(4) / variance ** 2 };
}

describe('Random', () => {
  test('uniform numbers fill [0, 1) evenly', () => {
    const random = new Random(1);
    const counts = new Float64Array(64);
    const draws = 256_000;
    for (let i = 0; i < draws; i++) counts[Math.floor(random.uniform() * 64)]++;
    const expected = draws / 64;
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 63 degrees of freedom: 63 ± 11
    expect(chiSquared).toBeGreaterThan(30);
    expect(chiSquared).toBeLessThan(105);
  });

  test('normals have the moments and the tail of the normal distribution', () => {
    const values = new Random(2).fillNormal(new Float64Array(500_000), 3, 2);
    const { mean, variance, skewness, kurtosis } = moments(values);
    expect(Math.abs(mean - 3)).toBeLessThan(0.015);
    expect(Math.abs(variance - 4)).toBeLessThan(0.04);
    expect(Math.abs(skewness)).toBeLessThan(0.02);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.04);
    const beyond = (limit: number): number =>
      values.reduce((count, x) => count + (Math.abs(x - 3) > 2 * limit ? 1 : 0), 0) / values.length;
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(0.004);
    expect(Math.abs(beyond(2.5) - 0.01242)).toBeLessThan(0.001);
    // drawn by another branch than the rest: 288 expected, ± 17
    expect(Math.abs(beyond(3.442619855899) - 0.000576)).toBeLessThan(0.00014);
  });

  test.each([0.5, 4, 29, 31, 240])('Poisson counts of mean %f have that mean and variance', (rate) => {
    const random = new Random(3);
    const { mean, variance } = moments(Float64Array.from({ length: 100_000 }, () => random.poisson(rate)));
    expect(Math.abs(mean / rate - 1)).toBeLessThan(0.02);
    expect(Math.abs(variance / rate - 1)).toBeLessThan(0.03);
  });

  test('Poisson counts of a small mean are 0 as often as they should', () => {
    const random = new Random(4);
    let zeros = 0;
    for (let i = 0; i < 100_000; i++) if (random.poisson(1.5) === 0) zeros++;
    expect(Math.abs(zeros / 100_000 - Math.exp(-1.5))).toBeLessThan(0.005);
  });

  test('the same seed and stream repeat, any other differ and are not correlated', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (seed, a, b) => {
        const draw = (stream: number, from = seed): number[] => {
          const random = new Random(from, stream);
          return Array.from({ length: 200 }, () => random.normal());
        };
        expect(draw(a)).toEqual(draw(a));
        const others = [draw(a, seed + 1), ...(a === b ? [] : [draw(b)])];
        const first = draw(a);
        for (const other of others) {
          const correlation = first.reduce((sum, x, i) => sum + x * other[i], 0) / 200;
          expect(Math.abs(correlation)).toBeLessThan(0.45);
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('all bits of a large seed count', () => {
    expect(new Random(1).integer32()).not.toBe(new Random(1 + 2 ** 32).integer32());
  });
});
