import { describe, expect, test } from 'vitest';
import { findFixedPattern } from '../../../src/registration/index.js';
import { Random, simulateGrapheneSeries } from '../../../src/synthetic/index.js';
import { withoutLeak } from './simulated.js';

const [side, count] = [96, 30];
const series = simulateGrapheneSeries({
  frames: count,
  height: side,
  width: side,
  driftPixels: 16,
  energies: [5, 6.5],
  vignetting: 0,
  seed: 5,
});
const axis = (k: number): Float64Array => Float64Array.from({ length: count }, (_, n) => series.truth.drift[2 * n + k]);
const drift = { row: axis(0), column: axis(1), solved: new Uint8Array(count).fill(1), misfit: 0 };
const dirt = new Random(3).fillNormal(new Float32Array(side * side));

/** Logarithms: a sample that moves, `strength` of dirt that stands still, 2 % of noise. */
function frames(strength: number): Float32Array[] {
  return Array.from({ length: count }, (_, n) => {
    const random = new Random(8, n);
    return series.cleanFrame(n).map((value, i) => Math.log(value) + strength * dirt[i] + random.normal(0, 0.02));
  });
}

/** Correlation with the dirt inside a border of `border` pixels. */
function similarity(found: Float32Array, border = 8): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < found.length; i++) {
    const [r, c] = [Math.floor(i / side), i % side];
    if (Math.min(r, c, side - 1 - r, side - 1 - c) < border) continue;
    ab += found[i] * dirt[i];
    aa += found[i] ** 2;
    bb += dirt[i] ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

describe('findFixedPattern', () => {
  test('separates what stands still from what moves, where the drift is known', async () => {
    const seen: number[] = [];
    const found = await withoutLeak(() =>
      findFixedPattern(frames(0.05), [side, side], async () => drift, { onRound: (round) => seen.push(round) }),
    );
    // a drift that does not change ends it
    expect(seen).toEqual([1]);
    expect([found.rounds, found.change]).toEqual([1, 0]);
    expect(similarity(found.logarithm)).toBeGreaterThan(0.95);
    expect(found.strength).toBeGreaterThan(0.04);
    expect(found.strength).toBeLessThan(0.055);
    expect(found.reliability).toBeGreaterThan(0.8);
    expect(found.logarithm.reduce((a, b) => a + b, 0) / found.logarithm.length).toBeCloseTo(0, 4);
  });

  test('a weak one is found as strong as it is, not as strong as the noise', async () => {
    const found = await findFixedPattern(frames(0.01), [side, side], async () => drift);
    expect(found.strength).toBeGreaterThan(0.006);
    // the sample moves by a sixth of the frame only: some of it stays undecided
    expect(found.strength).toBeLessThan(0.02);
    expect(similarity(found.logarithm)).toBeGreaterThan(0.55);
  });

  test('where nothing stands still, little is found', async () => {
    const found = await findFixedPattern(frames(0), [side, side], async () => drift);
    expect(found.strength).toBeLessThan(0.016);
  });

  test('holds at its own drifts: what the sample shows only at some energies is no pattern', async () => {
    // the contrast of a second material comes and goes
    const other = simulateGrapheneSeries({
      frames: count,
      height: side,
      width: side,
      energies: [5, 6.5],
      drift: series.truth.drift,
      seed: 77,
    });
    const mixed = frames(0.03).map((frame, n) => {
      const clean = other.cleanFrame(n);
      const share = Math.max(0, Math.sin(n / 3));
      return frame.map((value, i) => value + share * Math.log(clean[i]));
    });
    const found = await findFixedPattern(mixed, [side, side], async () => drift);
    expect(similarity(found.logarithm)).toBeGreaterThan(0.8);
  });

  test('missing pixels, edges and single ones, stay out of it', async () => {
    const masked = frames(0.05).map((frame) => frame.map((value, i) => (i % side < 6 || i % 701 === 0 ? Number.NaN : value)));
    const found = await findFixedPattern(masked, [side, side], async () => drift);
    expect(found.logarithm.every(Number.isFinite)).toBe(true);
    expect(similarity(found.logarithm, 14)).toBeGreaterThan(0.9);
    for (let r = 0; r < side; r++) expect(found.logarithm[r * side + 2]).toBe(0);
  });

  test('registers until the drifts settle, at most as often as it may', async () => {
    let calls = 0;
    const register = async () => {
      calls++;
      return { ...drift, row: drift.row.map((value, n) => value + (calls % 2) * 0.1 * (n % 3)) };
    };
    const found = await findFixedPattern(frames(0.05), [side, side], register, { maxRounds: 3 });
    expect([calls, found.rounds]).toEqual([4, 3]);
    expect(found.change).toBeGreaterThan(0.05);
  });

  test('a registration that solves nothing gives no pattern, and no failure', async () => {
    const nothing = { row: new Float64Array(count), column: new Float64Array(count), solved: new Uint8Array(count), misfit: 0 };
    const found = await withoutLeak(() => findFixedPattern(frames(0.05), [side, side], async () => nothing));
    expect([found.reliability, found.strength, found.rounds, found.change]).toEqual([0, 0, 0, 0]);
  });
});
