import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { solveBanded } from '../../../src/registration/solveBanded.js';

/** Gauss–Jordan with pivots, on the full matrix. */
function denseSolve(matrix: readonly number[][], right: readonly number[]): number[] {
  const n = right.length;
  const rows = matrix.map((row, r) => [...row, right[r]]);
  for (let k = 0; k < n; k++) {
    const pivot = rows.reduce((best, row, r) => (r >= k && Math.abs(row[k]) > Math.abs(rows[best][k]) ? r : best), k);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let r = 0; r < n; r++) {
      if (r === k) continue;
      const factor = rows[r][k] / rows[k][k];
      for (let c = k; c <= n; c++) rows[r][c] -= factor * rows[k][c];
    }
  }
  return rows.map((row, r) => row[n] / row[r]);
}

const cases = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 12 })).chain(([size, wanted]) => {
  const numbers = fc.double({ min: -1, max: 1, noNaN: true });
  return fc.record({
    size: fc.constant(size),
    band: fc.constant(Math.min(wanted, size - 1)),
    lower: fc.array(numbers, { minLength: size * size, maxLength: size * size }),
    right: fc.array(numbers, { minLength: size, maxLength: size }),
  });
});

test('agrees with a dense solve for any band', () => {
  fc.assert(
    fc.property(cases, ({ size, band, lower, right }) => {
      const dense = Array.from({ length: size }, () => new Array<number>(size).fill(0));
      const banded = new Float64Array(size * (band + 1));
      for (let r = 0; r < size; r++) {
        for (let c = Math.max(0, r - band); c <= r; c++) {
          // diagonally dominant, so positive definite
          const value = c === r ? 2 * band + 1.5 + lower[r * size + r] : lower[r * size + c];
          dense[r][c] = value;
          dense[c][r] = value;
          banded[r * (band + 1) + band - (r - c)] = value;
        }
      }
      const solution = Float64Array.from(right);
      solveBanded(banded, solution, size, band);
      const expected = denseSolve(dense, right);
      for (let r = 0; r < size; r++) expect(Math.abs(solution[r] - expected[r])).toBeLessThan(1e-10);
    }),
  );
});

test('refuses a matrix that is not positive definite, with the pivot', () => {
  const attempt = (matrix: number[], size: number, band: number): unknown => {
    try {
      solveBanded(Float64Array.from(matrix), new Float64Array(size), size, band);
    } catch (error) {
      return error;
    }
    return undefined;
  };
  const singular = attempt([0, 1, 1, 1], 2, 1);
  expect(isLeemError(singular, 'NotConvergedError')).toBe(true);
  expect((singular as Error).message).toBe("solveBanded(): 'matrix' must be positive definite, got a pivot of 0 in row 1");
  expect((attempt([Number.NaN], 1, 0) as Error).message).toContain('got a pivot of NaN in row 0');
  expect((attempt([-2], 1, 0) as Error).message).toContain('got a pivot of -2 in row 0');
});
