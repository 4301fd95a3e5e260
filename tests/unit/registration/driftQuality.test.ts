import { describe, expect, test } from 'vitest';
import { driftTable, frameErrors, type PairTable, solveDrift } from '../../../src/registration/index.js';
import type { WindowSpectra } from '../../../src/registration/windowSpectra.js';
import { Random } from '../../../src/synthetic/index.js';
import { withoutLeak } from './simulated.js';
import { spectraOf } from './spectraOf.js';

const [SIZE, BAND] = [48, 12];

/** Blobs all over a periodic window, at exact places; `noise` of independent, band-limited noise a frame. */
function scene(drift: { row: Float64Array; column: Float64Array }, noise: number | readonly number[], seed = 1): WindowSpectra {
  const random = new Random(seed);
  const waves = Array.from({ length: 60 }, () => ({
    k: Math.round(random.normal(0, 2.5)),
    l: Math.round(random.normal(0, 2.5)),
    amplitude: random.normal(),
    phase: random.uniform(0, 2 * Math.PI),
  })).filter(({ k, l }) => Math.abs(k) < BAND && Math.abs(l) < BAND && (k !== 0 || l !== 0));
  const images = Array.from(drift.row, (row, m) => {
    const own = new Random(seed, m + 1);
    const level = typeof noise === 'number' ? noise : noise[m];
    return Float64Array.from({ length: SIZE * SIZE }, (_, i) => {
      const [r, c] = [Math.floor(i / SIZE) - row, (i % SIZE) - drift.column[m]];
      const signal = waves.reduce(
        (sum, w) => sum + w.amplitude * Math.cos((2 * Math.PI * (w.k * r + w.l * c)) / SIZE + w.phase),
        0,
      );
      return signal + level * own.normal();
    });
  });
  return spectraOf(images, SIZE, BAND);
}

function randomDrift(count: number, seed: number): { row: Float64Array; column: Float64Array } {
  const random = new Random(seed);
  const axis = (): Float64Array => Float64Array.from({ length: count }, (_, n) => (n === 0 ? 0 : random.uniform(-4, 4)));
  return { row: axis(), column: axis() };
}

/** Pairs of all frames with exact shifts and one weight. */
function exactPairs(drift: { row: Float64Array; column: Float64Array }, weight: (i: number, j: number) => number): PairTable {
  const count = drift.row.length;
  const table = {
    count,
    shiftRow: new Float32Array(count * count),
    shiftColumn: new Float32Array(count * count),
    weight: new Float32Array(count * count).fill(Number.NaN),
  };
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      table.shiftRow[i * count + j] = drift.row[j] - drift.row[i];
      table.shiftColumn[i * count + j] = drift.column[j] - drift.column[i];
      table.weight[i * count + j] = weight(i, j);
    }
  }
  return table;
}

describe('frameErrors', () => {
  const count = 20;
  const truth = randomDrift(count, 3);

  test('without noise every frame lies where the others say, to a hundredth of a pixel', async () => {
    const { weight } = exactPairs(truth, () => 1);
    const found = await withoutLeak(() => frameErrors(scene(truth, 0), truth, weight, 1));
    for (let m = 0; m < count; m++) {
      expect(Math.abs(found.stepRow[m])).toBeLessThan(0.01);
      expect(Math.abs(found.stepColumn[m])).toBeLessThan(0.01);
      expect(found.varianceRow[m]).toBeLessThan(1e-3);
      expect(found.agreement[m]).toBeGreaterThan(0.999);
    }
  });

  test('a frame that was placed wrongly is told by how much, and in which direction', () => {
    const { weight } = exactPairs(truth, () => 1);
    const wrong = { row: truth.row.slice(), column: truth.column.slice() };
    wrong.row[7] += 0.4;
    wrong.column[7] -= 0.3;
    const found = frameErrors(scene(truth, 0), wrong, weight, 1);
    // central differences make steep edges a little flatter
    expect(found.stepRow[7]).toBeGreaterThan(-0.55);
    expect(found.stepRow[7]).toBeLessThan(-0.3);
    expect(found.stepColumn[7]).toBeGreaterThan(0.2);
    expect(found.stepColumn[7]).toBeLessThan(0.42);
  });

  test('the variance is that of the steps themselves, over many frames', () => {
    const many = randomDrift(60, 8);
    const { weight } = exactPairs(many, () => 1);
    const found = frameErrors(scene(many, 4), many, weight, 1);
    const mean = (values: Float64Array, f: (v: number) => number): number =>
      values.reduce((sum, value) => sum + f(value), 0) / values.length;
    for (const [step, variance] of [
      [found.stepRow, found.varianceRow],
      [found.stepColumn, found.varianceColumn],
    ]) {
      const scatter = mean(step, (v) => v * v);
      const told = mean(variance, (v) => v);
      expect(told / scatter).toBeGreaterThan(0.5);
      expect(told / scatter).toBeLessThan(2);
    }
  });

  test('noisier frames have larger errors', () => {
    const noise = Array.from({ length: count }, (_, m) => (m % 2 ? 6 : 1));
    const found = frameErrors(scene(truth, noise), truth, exactPairs(truth, () => 1).weight, 1);
    const sum = (odd: number): number => found.varianceRow.reduce((total, value, m) => total + (m % 2 === odd ? value : 0), 0);
    expect(sum(1)).toBeGreaterThan(5 * sum(0));
  });

  test('frames of unknown drift, and frames without partners, are NaN', () => {
    const some = { row: truth.row.slice(), column: truth.column };
    some.row[4] = Number.NaN;
    const { weight } = exactPairs(truth, (i, j) => (i === 9 || j === 9 ? 0 : 1));
    const found = frameErrors(scene(truth, 1), some, weight, 1);
    for (const m of [4, 9]) {
      for (const values of Object.values(found)) expect((values as Float64Array)[m]).toBeNaN();
    }
    expect(found.varianceRow[3]).toBeGreaterThan(0);
  });
});

describe('driftTable', () => {
  const count = 14;
  const frames = Array.from({ length: count }, (_, m) => 2 * m);
  const drift = {
    row: Float64Array.from(frames, (n) => 0.3 * n),
    column: Float64Array.from(frames, (n) => -0.1 * n),
  };
  const table = (weight: (i: number, j: number) => number, noise: number | readonly number[] = 1, truth = drift) => {
    const pairs = exactPairs(truth, weight);
    const solution = solveDrift(pairs);
    return driftTable({
      spectra: scene(truth, noise),
      pairs,
      solution,
      alternative: solution,
      minWeight: 0.15,
      frames,
      count: 2 * count + 3,
    });
  };

  test('puts compared and interpolated frames together', async () => {
    const found = await withoutLeak(() => table(() => 0.8));
    for (let n = 0; n < 2 * count + 3; n++) {
      const inside = Math.min(n, 2 * count - 2);
      expect(found.row[n]).toBeCloseTo(0.3 * inside, 5);
      expect(found.column[n]).toBeCloseTo(-0.1 * inside, 5);
      const compared = n % 2 === 0 && n < 2 * count;
      expect(found.used[n]).toBe(compared ? 1 : 0);
      expect(found.remark[n]).toBe(compared ? '' : 'not compared: between two frames of the stride');
      expect(found.weight[n]).toBeCloseTo(compared ? 0.8 : 0, 6);
      if (n > 0) expect(found.sigmaRow[n]).toBeGreaterThan(0);
    }
    expect([found.sigmaRow[0], found.sigmaColumn[0]]).toEqual([0, 0]);
    expect(found.doubtful.includes(1)).toBe(false);
  });

  test('errors are relative to the first used frame: they hold its error too', () => {
    const quietFirst = table(
      () => 0.8,
      frames.map((_, m) => (m === 0 ? 0.2 : 1)),
    );
    const noisyFirst = table(
      () => 0.8,
      frames.map((_, m) => (m === 0 ? 4 : 1)),
    );
    for (const m of [5, 9, 13]) expect(noisyFirst.sigmaRow[2 * m]).toBeGreaterThan(1.5 * quietFirst.sigmaRow[2 * m]);
  });

  test('a frame that no pair joins is interpolated, with the reason and the bound', () => {
    const found = table((i, j) => (i === 6 || j === 6 ? 0.1 : 0.8));
    expect(found.used[12]).toBe(0);
    expect(found.remark[12]).toBe('no pair of weight 0.150 or more joins it to the others');
    expect(found.weight[12]).toBe(0);
    expect(found.row[12]).toBeCloseTo(3.6, 5);
    expect(Number.isFinite(found.sigmaRow[12])).toBe(true);
  });

  test('without any solution the drift is 0 and its error infinite', () => {
    const found = table(() => 0);
    expect(found.row.every((value) => value === 0)).toBe(true);
    expect(found.sigmaRow.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
    expect(found.used.includes(1)).toBe(false);
  });

  test('a frame far from its neighbors is named as doubtful', () => {
    const jumped = { row: drift.row.slice(), column: drift.column };
    jumped.row[7] += 3;
    const found = table(() => 0.8, 0.5, jumped);
    expect([...found.doubtful.keys()].filter((n) => found.doubtful[n])).toEqual([14]);
    expect(found.remark[14]).toMatch(/^doubtful: 3\.\d\d px away from where the frames before and after it lie$/);
    expect(found.used[14]).toBe(1);
  });

  test('a frame whose own image says less than its neighbors do is interpolated', () => {
    const noise = frames.map((_, m) => (m === 8 ? 60 : 0.5));
    const pairs = exactPairs(drift, () => 0.8);
    // its pairs are as bad as its image
    for (let m = 0; m < count; m++) if (m !== 8) pairs.shiftRow[Math.min(m, 8) * count + Math.max(m, 8)] += m < 8 ? 5 : -5;
    const solution = solveDrift(pairs);
    const found = driftTable({
      spectra: scene(drift, noise),
      pairs,
      solution,
      alternative: solution,
      minWeight: 0.15,
      frames,
      count: 2 * count,
    });
    expect(solution.row[8]).toBeCloseTo(0.3 * 16 + 5, 3);
    expect(found.used[16]).toBe(0);
    expect(found.remark[16]).toMatch(/^its own drift is known to \d+\.\d\d px only; the frames around it tell it better$/);
    expect(found.row[16]).toBeCloseTo(0.3 * 16, 1);
    expect(found.used.reduce((a, b) => a + b, 0)).toBe(count - 1);
  });
});
