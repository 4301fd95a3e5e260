import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { annulusSeries } from '../../../src/synthetic/index.js';

const SIZE = 520;

describe('annulusSeries', () => {
  test('drifts as the accuracy test defines it', () => {
    const { drift, frames, height, width } = annulusSeries();
    expect([frames, height, width]).toEqual([100, SIZE, SIZE]);
    let rows = 0;
    let columns = 0;
    for (let n = 0; n < frames; n++) {
      expect(drift[2 * n] - drift[0]).toBeCloseTo((n * n) / 400, 10);
      rows += drift[2 * n];
      columns += drift[2 * n + 1];
    }
    expect(Math.abs(rows)).toBeLessThan(1e-9);
    expect(Math.abs(columns)).toBeLessThan(1e-9);
    const column = Array.from({ length: frames }, (_, n) => drift[2 * n + 1]);
    const spread = Math.max(...column) - Math.min(...column);
    expect(spread).toBeLessThan(1);
    expect(spread).toBeGreaterThan(0.9);
  });

  test('is 1 between the radii, and its center of mass lies where the truth says', () => {
    const series = annulusSeries({ frames: 7 });
    for (const n of [0, 3, 6]) {
      const frame = series.frame(n);
      let mass = 0;
      let row = 0;
      let column = 0;
      for (let i = 0; i < frame.length; i++) {
        mass += frame[i];
        row += frame[i] * Math.floor(i / SIZE);
        column += frame[i] * (i % SIZE);
      }
      expect(mass / (Math.PI * (100 ** 2 - 50 ** 2))).toBeCloseTo(1, 2);
      expect(row / mass - SIZE / 2).toBeCloseTo(series.drift[2 * n], 4);
      expect(column / mass - SIZE / 2).toBeCloseTo(series.drift[2 * n + 1], 4);
      const at = (r: number, c: number): number => frame[(SIZE / 2 + r) * SIZE + SIZE / 2 + c];
      expect([at(0, 0), at(0, 45), at(0, 55), at(-75, 0), at(0, 95), at(0, 105)]).toEqual([0, 0, 1, 1, 1, 0]);
    }
  });

  test('shifts by linear interpolation', () => {
    const series = annulusSeries({ frames: 4 });
    const frame = series.frame(2);
    const sharp = (r: number, c: number): number => {
      const squared = (r - SIZE / 2) ** 2 + (c - SIZE / 2) ** 2;
      return squared > 2500 && squared < 10000 ? 1 : 0;
    };
    const [dRow, dColumn] = [series.drift[4], series.drift[5]];
    for (let r = 150; r < 200; r++) {
      for (let c = 150; c < 370; c++) {
        const [y, x] = [r - dRow, c - dColumn];
        const [i, j] = [Math.floor(y), Math.floor(x)];
        const expected =
          (1 - (y - i)) * ((1 - (x - j)) * sharp(i, j) + (x - j) * sharp(i, j + 1)) +
          (y - i) * ((1 - (x - j)) * sharp(i + 1, j) + (x - j) * sharp(i + 1, j + 1));
        expect(Math.abs(frame[r * SIZE + c] - expected)).toBeLessThan(1e-6);
      }
    }
  });

  test('adds noise of the given amplitude, another in every frame, the same at every call', () => {
    const clean = annulusSeries({ frames: 3, seed: 5 });
    const noisy = annulusSeries({ frames: 3, seed: 5, noise: 1.5 });
    const noise = [0, 1].map((n) => {
      const still = clean.frame(n);
      return noisy.frame(n).map((value, i) => value - still[i]);
    });
    const product = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0) / a.length;
    expect(Math.sqrt(product(noise[0], noise[0]))).toBeCloseTo(1.5, 2);
    expect(Math.abs(product(noise[0], noise[1]))).toBeLessThan(0.02);
    expect(noisy.frame(1)).toEqual(noisy.frame(1));
  });

  test.each([
    [{ frames: 0 }, "annulusSeries(): 'frames' must be a whole number from 1, got 0"],
    [{ size: 200 }, "annulusSeries(): 'size' must be even and above 2 · rMax = 200, got 200"],
    [{ rMin: 100 }, "annulusSeries(): 'rMin' must be from 0 and below 'rMax', got 100"],
    [{ noise: -1 }, "annulusSeries(): 'noise' must be from 0, got -1"],
  ])('refuses %o', (options, message) => {
    try {
      annulusSeries(options);
      expect.unreachable();
    } catch (error) {
      expect(isLeemError(error, 'OptionError')).toBe(true);
      expect((error as Error).message).toBe(message);
    }
  });
});
