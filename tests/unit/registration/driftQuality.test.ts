import { describe, expect, test } from 'vitest';
import {
  correlateStack,
  DriftVariance,
  driftTable,
  type PairTable,
  partErrors,
  solveDrift,
} from '../../../src/registration/index.js';
import type { WindowSpectra } from '../../../src/registration/windowSpectra.js';
import { Random } from '../../../src/synthetic/index.js';
import { exactPairs } from './exactPairs.js';
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

/** Pairs as the correlation of the scenes gives them: drifts with a frame's own error each. */
function measuredPairs(truth: { row: Float64Array; column: Float64Array }, spectra: WindowSpectra): Promise<PairTable> {
  expect(spectra.count).toBe(truth.row.length);
  return correlateStack(spectra);
}

const OPTIONS = { minWeight: 0.15, weightPower: 4 };
const meanSquare = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value * value, 0) / values.length;
const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe('partErrors', () => {
  const count = 40;
  const truth = randomDrift(count, 3);

  test('without noise no part pulls a drift by more than a hundredth of a pixel', async () => {
    const pairs = exactPairs(truth, () => 1);
    const found = await withoutLeak(() => partErrors(scene(truth, 0), pairs, solveDrift(pairs), OPTIONS));
    expect([found.row.length, found.column.length]).toEqual([16, 16]);
    for (const part of [...found.row, ...found.column]) {
      for (const value of part) expect(Math.abs(value)).toBeLessThan(0.01);
    }
  });

  test('the parts together pull nowhere, from where the pairs put the frames', async () => {
    const spectra = scene(truth, 3);
    const pairs = await measuredPairs(truth, spectra);
    const found = partErrors(spectra, pairs, solveDrift(pairs), OPTIONS);
    for (let m = 0; m < count; m++) {
      const all = found.row.reduce((sum, part) => sum + part[m], 0);
      const most = Math.max(...found.row.map((part) => Math.abs(part[m])));
      expect(Math.abs(all)).toBeLessThan(Math.max(0.02, most));
    }
  });

  test('frames that no pair joins are NaN', () => {
    const pairs = exactPairs(truth, (i, j) => (i === 9 || j === 9 ? 0 : 1));
    const found = partErrors(scene(truth, 1), pairs, solveDrift(pairs), OPTIONS);
    for (const part of found.row) {
      expect(part[9]).toBeNaN();
      expect(part[8]).not.toBeNaN();
    }
  });
});

describe('DriftVariance', () => {
  const count = 60;
  const truth = randomDrift(count, 8);

  test('is that of the drifts themselves, relative to any frame', async () => {
    let told = 0;
    let true_ = 0;
    for (const seed of [1, 2, 3]) {
      const spectra = scene(truth, 4, seed);
      const pairs = await measuredPairs(truth, spectra);
      const solution = solveDrift(pairs);
      const variance = await withoutLeak(() => new DriftVariance({ spectra, pairs, solution, ...OPTIONS }));
      for (const reference of [0, 17, 41]) {
        for (const axis of ['row', 'column'] as const) {
          told += mean(variance.relativeTo(reference)[axis]);
          true_ += meanSquare(
            truth[axis].map((value, n) => solution[axis][n] - solution[axis][reference] - value + truth[axis][reference]),
          );
        }
      }
    }
    expect(Math.sqrt(told / true_)).toBeGreaterThan(0.6);
    expect(Math.sqrt(told / true_)).toBeLessThan(1.7);
  });

  test('noisier frames have larger errors; the reference has none, and passes its own on', async () => {
    const noise = Array.from({ length: count }, (_, m) => (m < 20 ? 1 : m < 40 ? 6 : 3));
    const spectra = scene(truth, noise);
    const pairs = await measuredPairs(truth, spectra);
    const variance = new DriftVariance({ spectra, pairs, solution: solveDrift(pairs), ...OPTIONS });
    const about = variance.aboutOffset().row;
    expect(mean(about.subarray(22, 38))).toBeGreaterThan(4 * mean(about.subarray(2, 18)));
    expect(variance.relativeTo(5).row[5]).toBe(0);
    expect(mean(variance.relativeTo(30).row.subarray(2, 18))).toBeGreaterThan(
      2 * mean(variance.relativeTo(5).row.subarray(2, 18)),
    );
  });

  test('pairs that contradict each other raise it for their frames', async () => {
    const spectra = scene(truth, 1);
    const pairs = exactPairs(truth, () => 0.8);
    const solution = solveDrift(pairs);
    const before = new DriftVariance({ spectra, pairs, solution, ...OPTIONS }).aboutOffset().row;
    for (let j = 31; j < count; j++) pairs.shiftRow[30 * count + j] += j % 2 ? 1 : -1;
    const after = new DriftVariance({ spectra, pairs, solution, ...OPTIONS }).aboutOffset().row;
    expect(after[30] - before[30]).toBeGreaterThan(0.2);
    expect(after[5] - before[5]).toBeLessThan(0.01);
  });

  test('what a pattern did to a frame raises it by a share of that, up to what a pull can do', () => {
    const spectra = scene(truth, 1);
    const pairs = exactPairs(truth, () => 0.8);
    const solution = solveDrift(pairs);
    const widest = (0.4 * spectra.windowSize) / (Math.PI * spectra.band);
    const raised = (pixels: number, frame: number, axis: 'row' | 'column'): number => {
      const change = { row: new Float64Array(count), column: new Float64Array(count) };
      change.row.fill(pixels, 20, 40);
      const [plain, changed] = [undefined, change].map((patternChange) =>
        new DriftVariance({ spectra, pairs, solution, ...OPTIONS, patternChange }).relativeTo(0),
      );
      return changed[axis][frame] - plain[axis][frame];
    };
    expect(Math.sqrt(raised(0.5 * widest, 30, 'row'))).toBeCloseTo(0.15 * 0.5 * widest, 2);
    expect(Math.sqrt(raised(-9 * widest, 30, 'row'))).toBeCloseTo(0.15 * widest, 2);
    expect(raised(9 * widest, 5, 'row')).toBeCloseTo(0, 6);
    expect(raised(9 * widest, 30, 'column')).toBeCloseTo(0, 6);
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
      weightPower: 4,
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
      weightPower: 4,
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
