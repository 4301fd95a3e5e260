import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { pairResiduals } from '../../../src/registration/pairResiduals.js';
import { automaticMinWeight } from '../../../src/registration/pairWeights.js';
import { connectedFrames, type PairTable, solveDrift } from '../../../src/registration/solveDrift.js';
import { Random } from '../../../src/synthetic/index.js';
import { exactPairs } from './exactPairs.js';

interface Drift {
  readonly row: readonly number[];
  readonly column: readonly number[];
}

/** Multiples of 1/64 pixel: float32 holds their differences exactly. */
function randomDrift(count: number, seed: number): Drift {
  const random = new Random(seed);
  const axis = (): number[] => Array.from({ length: count }, () => Math.round(64 * random.uniform(-20, 20)) / 64);
  return { row: axis(), column: axis() };
}

function largestError(found: { row: Float64Array; column: Float64Array }, drift: Drift, frames: readonly number[]): number {
  const [first] = frames;
  return frames.reduce(
    (most, n) =>
      Math.max(
        most,
        Math.abs(found.row[n] - (drift.row[n] - drift.row[first])),
        Math.abs(found.column[n] - (drift.column[n] - drift.column[first])),
      ),
    0,
  );
}

const everyFrame = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
// the fit uses their 8th power: a chain of pairs from 0.2 to 1 alone would cost six of the sixteen digits
const someWeight = (i: number, j: number): number => 0.4 + 0.6 * (((7 * i + 13 * j) % 11) / 10);

describe('solveDrift', () => {
  test.each(['least-squares', 'robust'] as const)('recovers a drift from exact pairs to 1e-9 px (%s)', (solver) => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 30 }), fc.nat(1e6), fc.integer({ min: 1, max: 30 }), (count, seed, band) => {
        const drift = randomDrift(count, seed);
        const pairs = exactPairs(drift, (i, j) => (j - i <= band ? someWeight(i, j) : 0));
        const found = solveDrift(pairs, { solver });
        expect(Array.from(found.solved)).toEqual(new Array(count).fill(1));
        expect(largestError(found, drift, everyFrame(count))).toBeLessThan(1e-9);
        expect(found.row[0]).toBe(0);
        for (const trust of found.trust) expect(trust).toBeCloseTo(1, 9);
      }),
      { numRuns: 30 },
    );
  });

  test('permuted frames permute the drift', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 14 }).chain((count) => fc.shuffledSubarray(everyFrame(count), { minLength: count })),
        fc.nat(1e6),
        (order, seed) => {
          const count = order.length;
          const random = new Random(seed);
          // inexact pairs: the solution is a compromise, which must not depend on the order of the frames
          const pairs = exactPairs(randomDrift(count, seed), someWeight);
          for (const [p, value] of pairs.shiftRow.entries()) pairs.shiftRow[p] = value + random.normal();
          const moved = exactPairs(randomDrift(count, 0), () => 0);
          for (let a = 0; a < count; a++) {
            for (let b = a + 1; b < count; b++) {
              const [i, j] = [order[a], order[b]];
              const from = Math.min(i, j) * count + Math.max(i, j);
              moved.weight[a * count + b] = pairs.weight[from];
              moved.shiftRow[a * count + b] = i < j ? pairs.shiftRow[from] : -pairs.shiftRow[from];
            }
          }
          const straight = solveDrift(pairs);
          const permuted = solveDrift(moved);
          for (const [a, i] of order.entries()) {
            expect(permuted.row[a]).toBeCloseTo(straight.row[i] - straight.row[order[0]], 9);
          }
        },
      ),
    );
  });

  test('shifted frames shift the drift, and the pairs need not be symmetric', () => {
    const count = 9;
    const drift = randomDrift(count, 4);
    const pairs = exactPairs(drift, someWeight);
    // only i < j is read
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) pairs.shiftRow[i * count + j] = 99;
    for (let i = 0; i < count; i++) for (let j = 0; j <= i; j++) pairs.weight[i * count + j] = 1;
    expect(largestError(solveDrift(pairs), drift, everyFrame(count))).toBeLessThan(1e-9);
  });

  test('frames without a pair of enough weight drop out as NaN; the largest connected set stays', () => {
    const count = 12;
    const drift = randomDrift(count, 9);
    const together = [1, 2, 4, 5, 7, 10, 11];
    const others = [0, 3, 6];
    const inside = (set: number[], i: number, j: number): boolean => set.includes(i) && set.includes(j);
    const pairs = exactPairs(drift, (i, j) => (inside(together, i, j) || inside(others, i, j) ? 0.5 : 0.1499));
    const found = solveDrift(pairs);
    for (let n = 0; n < count; n++) {
      expect(found.solved[n]).toBe(together.includes(n) ? 1 : 0);
      expect(Number.isNaN(found.row[n])).toBe(!together.includes(n));
      expect(Number.isNaN(found.column[n])).toBe(!together.includes(n));
    }
    expect(largestError(found, drift, together)).toBeLessThan(1e-9);
    expect(found.row[1]).toBe(0);
  });

  test('a chain of single pairs carries the drift to its end', () => {
    const drift = randomDrift(60, 2);
    const found = solveDrift(exactPairs(drift, (i, j) => (j === i + 1 ? 0.3 : 0)));
    expect(largestError(found, drift, everyFrame(60))).toBeLessThan(1e-9);
  });

  test('the bound itself is used, and weights above 1 count as 1', () => {
    const drift = randomDrift(3, 8);
    const pairs = exactPairs(drift, () => 0.25);
    expect(Array.from(solveDrift(pairs, { minWeight: 0.25 }).solved)).toEqual([1, 1, 1]);
    expect(Array.from(solveDrift(pairs, { minWeight: 0.2501 }).solved)).toEqual([0, 0, 0]);
    pairs.shiftRow[1] += 1;
    const atOne = solveDrift({ ...pairs, weight: Float32Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0) });
    const above = solveDrift({ ...pairs, weight: Float32Array.of(0, 9, 1, 0, 0, 7, 0, 0, 0) });
    expect(Array.from(above.row)).toEqual(Array.from(atOne.row));
  });

  test('weak links between strong groups do not stop the solution', () => {
    // to the 8th and 40th power they are below the last bit of the strong pairs' sum
    for (const [weak, weightPower] of [
      [1e-3, 4],
      [0.2, 20],
    ]) {
      const drift = randomDrift(10, 3);
      const pairs = exactPairs(drift, (i, j) => (i < 5 === j < 5 ? 1 : weak));
      const found = solveDrift(pairs, { minWeight: 0, weightPower });
      expect(largestError(found, drift, everyFrame(10))).toBeLessThan(1e-3);
    }
  });

  test('no frames, one frame, and no pair at all', () => {
    expect(solveDrift(exactPairs({ row: [], column: [] }, () => 1)).row).toHaveLength(0);
    for (const count of [1, 4]) {
      const found = solveDrift(exactPairs(randomDrift(count, 1), () => 0));
      expect(Array.from(found.solved)).toEqual(new Array(count).fill(0));
      expect(found.row.every(Number.isNaN)).toBe(true);
    }
  });

  test('the robust solver holds against 20 % wrong pairs, least squares does not', () => {
    const count = 40;
    const drift = randomDrift(count, 12);
    const random = new Random(5);
    const pairs = exactPairs(drift, () => 0.8);
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const at = i * count + j;
        pairs.shiftRow[at] += random.normal(0, 0.02);
        if (random.uniform() >= 0.2) continue;
        pairs.shiftRow[at] = random.uniform(-60, 60);
        pairs.shiftColumn[at] = random.uniform(-60, 60);
        wrong++;
      }
    }
    const plain = solveDrift(pairs);
    const robust = solveDrift(pairs, { solver: 'robust' });
    expect(largestError(plain, drift, everyFrame(count))).toBeGreaterThan(1);
    expect(largestError(robust, drift, everyFrame(count))).toBeLessThan(0.1);
    expect(robust.iterations).toBeGreaterThan(plain.iterations);
    for (const trust of robust.trust) expect(trust).toBeLessThan(0.98);
    // and the wrong ones show
    const residuals = pairResiduals(pairs, robust, 0.15);
    expect(residuals.used).toBe((count * (count - 1)) / 2);
    expect(residuals.broken).toBeGreaterThan(0.85 * wrong);
    expect(residuals.broken).toBeLessThanOrEqual(wrong);
  });

  test('refuses tables and options that cannot be, on tag and words', () => {
    const pairs = exactPairs(randomDrift(3, 1), () => 1);
    const refusal = (work: () => unknown): Error & { tag?: string } => {
      try {
        work();
      } catch (error) {
        if (isLeemError(error)) return error;
        throw error;
      }
      throw new Error('not refused');
    };
    for (const name of ['weight', 'shiftRow', 'shiftColumn'] as const) {
      const short = refusal(() => solveDrift({ ...pairs, [name]: new Float32Array(8) }));
      expect(short.tag).toBe('ShapeError');
      expect(short.message).toContain("solveDrift(): 'pairs' must hold 3 × 3 values, got 8");
    }
    for (const minWeight of [-0.1, 1, Number.NaN]) {
      const error = refusal(() => solveDrift(pairs, { minWeight }));
      expect(error.tag).toBe('OptionError');
      expect(error.message).toBe(`solveDrift(): 'minWeight' must be from 0 and below 1, got ${minWeight}`);
    }
    const power = refusal(() => solveDrift(pairs, { weightPower: -1 }));
    expect(power.tag).toBe('OptionError');
    expect(power.message).toBe("solveDrift(): 'weightPower' must be 0 or more, got -1");
  });
});

test('connectedFrames finds the largest set, and none where nothing is connected', () => {
  const links = new Set(['0-3', '3-5', '1-2', '2-4', '4-6', '1-6']);
  const found = connectedFrames(8, (i, j) => links.has(`${i}-${j}`));
  expect(Array.from(found)).toEqual([0, 1, 1, 0, 1, 0, 1, 0]);
  expect(Array.from(connectedFrames(3, () => false))).toEqual([0, 0, 0]);
});

describe('pairResiduals', () => {
  test('are what the pairs miss by, for used pairs only', () => {
    const drift = randomDrift(5, 6);
    const pairs = exactPairs(drift, (i, j) => (i === 0 && j === 4 ? 0.1 : 0.9));
    const solution = solveDrift(pairs);
    pairs.shiftRow[1 * 5 + 3] += 3;
    pairs.shiftColumn[1 * 5 + 3] -= 4;
    const found = pairResiduals(pairs, solution, 0.15);
    expect(found.used).toBe(9);
    expect(found.row[1 * 5 + 3]).toBeCloseTo(3, 5);
    expect(found.column[1 * 5 + 3]).toBeCloseTo(-4, 5);
    expect(found.row[4]).toBeNaN();
    expect(found.median).toBeCloseTo(0, 6);
    expect([found.limit, found.broken]).toEqual([2, 1]);
  });

  test('without pairs there is nothing to miss', () => {
    const pairs = exactPairs(randomDrift(2, 1), () => 0);
    expect(pairResiduals(pairs, solveDrift(pairs), 0.15)).toMatchObject({ median: 0, used: 0, broken: 0 });
  });
});

describe('automaticMinWeight', () => {
  /** True pairs have weights above `edge`, wrong ones below. */
  const mixed = (edge: number): PairTable => {
    const random = new Random(17);
    const table = exactPairs(randomDrift(30, 3), () => 1);
    for (let i = 0; i < 30; i++) {
      for (let j = i + 1; j < 30; j++) {
        const at = i * 30 + j;
        const wrong = random.uniform() < 0.3;
        table.weight[at] = wrong ? random.uniform(0.02, edge) : random.uniform(edge, 1);
        if (wrong) table.shiftRow[at] = random.uniform(-100, 100);
      }
    }
    return table;
  };

  test.each([0.2, 0.4])('finds a bound that keeps wrong pairs below %f out', (edge) => {
    const bound = automaticMinWeight(mixed(edge));
    // one wrong pair in fifty is let in
    expect(bound).toBeGreaterThan(0.75 * edge);
    expect(bound).toBeLessThan(edge + 0.05);
  });

  test('stays within 0.05 and 0.6', () => {
    expect(automaticMinWeight(exactPairs(randomDrift(20, 1), () => 0.5))).toBe(0.05);
    const wrong = exactPairs(randomDrift(20, 1), () => 0.95);
    for (const p of wrong.shiftRow.keys()) wrong.shiftRow[p] = 1000 * Math.sin(p * p);
    expect(automaticMinWeight(wrong)).toBe(0.6);
    expect(automaticMinWeight(exactPairs(randomDrift(2, 1), () => 0.5))).toBe(0.05);
  });
});
