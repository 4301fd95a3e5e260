import { expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { type DescentStep, descendDrift } from '../../../src/registration/descendDrift.js';
import { type PairTable, solveDrift } from '../../../src/registration/solveDrift.js';
import { Random } from '../../../src/synthetic/index.js';
import { withoutLeak } from './simulated.js';

const count = 24;

/** Pairs of a known drift with noise of `noise` px; a share of them is wrong by up to 12 px. */
function pairsOf(noise: number, wrong: number): { pairs: PairTable; row: number[]; column: number[] } {
  const random = new Random(11);
  const [row, column] = [0, 1].map(() => Array.from({ length: count }, () => random.uniform(-8, 8)));
  const empty = (): Float32Array => new Float32Array(count * count);
  const pairs = { count, shiftRow: empty(), shiftColumn: empty(), weight: empty() };
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const at = i * count + j;
      const off = random.uniform(0, 1) < wrong ? random.uniform(3, 12) * (random.uniform(0, 1) < 0.5 ? -1 : 1) : 0;
      pairs.shiftRow[at] = row[j] - row[i] + noise * random.normal() + off;
      pairs.shiftColumn[at] = column[j] - column[i] + noise * random.normal() - off;
      pairs.weight[at] = random.uniform(0.4, 1);
    }
  }
  return { pairs, row, column };
}

const furthest = (found: Float64Array, known: ArrayLike<number>): number =>
  Math.max(...found.map((value, n) => Math.abs(value - known[n] + known[0])));

test('with squares it walks to the least-squares solution, and each step is told', async () => {
  const { pairs } = pairsOf(0.3, 0);
  const exact = solveDrift(pairs, { weightPower: 2 });
  const steps: DescentStep[] = [];
  const found = await withoutLeak(() =>
    descendDrift(pairs, { weightPower: 2, loss: 'squares', tolerance: 1e-6, onStep: (step) => steps.push(step) }),
  );
  expect(furthest(found.row, exact.row)).toBeLessThan(1e-3);
  expect(furthest(found.column, exact.column)).toBeLessThan(1e-3);
  expect(found.trust.every((value) => Math.abs(value - 1) < 1e-6)).toBe(true);
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: found.iterations }, (_, k) => k + 1));
  expect(steps.at(-1)?.loss).toBeLessThan(steps[0].loss / 10);
  expect(steps.at(-1)?.change).toBeLessThan(1e-6);
});

test('with the Huber loss wrong pairs do little, and their frames are trusted less', async () => {
  const { pairs, row, column } = pairsOf(0.02, 0.2);
  const squares = solveDrift(pairs);
  const found = await withoutLeak(() => descendDrift(pairs));
  expect(furthest(found.row, row)).toBeLessThan(0.15);
  expect(furthest(found.column, column)).toBeLessThan(0.15);
  expect(furthest(squares.row, row)).toBeGreaterThan(0.5);
  expect(Math.max(...found.trust)).toBeLessThan(0.99);
  expect(Math.min(...found.trust)).toBeGreaterThan(0.4);
});

test('frames that no pair reaches stay out of it', async () => {
  const { pairs, row } = pairsOf(0, 0);
  for (let i = 0; i < count; i++) pairs.weight[Math.min(i, 7) * count + Math.max(i, 7)] = 0;
  const found = await descendDrift(pairs, { loss: 'squares' });
  expect([...found.solved.keys()].filter((n) => !found.solved[n])).toEqual([7]);
  expect(found.row[7]).toBeNaN();
  expect(found.row[20]).toBeCloseTo(row[20] - row[0], 2);
  const none = await descendDrift({ ...pairs, weight: new Float32Array(count * count) });
  expect([none.iterations, none.solved.includes(1)]).toEqual([0, false]);
});

test.each([
  [{ delta: 0 }, "'delta' must be above 0 px, got 0"],
  [{ learningRate: 2 }, "'learningRate' must be above 0 and below 1.9, got 2"],
  [{ loss: 'cauchy' as 'huber' }, "'loss' must be huber or squares, got cauchy"],
  [{ signal: AbortSignal.abort() }, 'The descent'],
])('%j is refused', async (options, message) => {
  const error = await withoutLeak(() => descendDrift(pairsOf(0, 0).pairs, options).catch((caught: unknown) => caught));
  expect(isLeemError(error)).toBe(true);
  expect((error as Error).message).toContain(message);
});
