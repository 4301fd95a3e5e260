import { beforeAll, describe, expect, test } from 'vitest';
import { countTensors } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { type RegisterOptions, registerStack } from '../../../src/registration/index.js';
import { ImageStack } from '../../../src/stack/index.js';
import { annulusSeries, Random } from '../../../src/synthetic/index.js';
import { driftErrors, type KnownSeries, knownSeries, largest, withoutLeak } from './simulated.js';

/** Pairs alone: what finds fixed patterns has its own tests. */
const PLAIN = { pattern: 'none' } as const;
let known: KnownSeries;
beforeAll(() => {
  known = knownSeries();
});

/** Largest error that a small window leaves: the sample's structure comes and goes at its edges. */
const HONEST = 0.35;

describe('a known sub-pixel drift', () => {
  test('is recovered, relative to the first frame, + down and + right', async () => {
    const found = await withoutLeak(() => registerStack(known.stack, PLAIN));
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(HONEST);
    expect([found.drift.row[0], found.drift.column[0]]).toEqual([0, 0]);
    expect([found.drift.sigmaRow[0], found.drift.sigmaColumn[0]]).toEqual([0, 0]);
    const last = known.row.length - 1;
    expect(Math.abs(known.column[last])).toBeGreaterThan(5);
    expect(Math.sign(found.drift.column[last])).toBe(Math.sign(known.column[last]));
    expect(Array.from(found.drift.used)).toEqual(new Array(16).fill(1));
    expect(found.frames).toEqual(Array.from({ length: 16 }, (_, n) => n));
    expect(found.window).toEqual({ row: 0, column: 7, size: 150 });
    expect(found.patternRemark).toBe('not looked for');
    expect(found.patternImage).toBeUndefined();
    expect(found.aperture).toBeUndefined();
    for (let n = 1; n < 16; n++) {
      expect(found.drift.sigmaRow[n]).toBeGreaterThan(0);
      expect(found.drift.sigmaRow[n]).toBeLessThan(1);
      expect(found.drift.weight[n]).toBeGreaterThan(0.15);
      expect(found.drift.weight[n]).toBeLessThanOrEqual(1);
    }
    expect(found.range.least).toBe(known.frames.reduce((low, pixels) => Math.min(low, ...pixels.subarray(0, 50000)), 65535));
  });

  test('the true error lies within the error bars', async () => {
    const { drift } = await registerStack(known.stack, PLAIN);
    for (let n = 1; n < 16; n++) {
      expect(Math.abs(drift.row[n] - known.row[n])).toBeLessThan(4 * drift.sigmaRow[n]);
      expect(Math.abs(drift.column[n] - known.column[n])).toBeLessThan(4 * drift.sigmaColumn[n]);
    }
  });

  test.each([
    ['float32', (pixels: Uint16Array) => Float32Array.from(pixels, (value) => value / 3 - 500)],
    ['float64', (pixels: Uint16Array) => Float64Array.from(pixels, (value) => value * 1e-7)],
    ['int16', (pixels: Uint16Array) => Int16Array.from(pixels, (value) => Math.round(value / 4) - 2000)],
    ['int32', (pixels: Uint16Array) => Int32Array.from(pixels, (value) => 100 * value - 70000)],
    ['uint32', (pixels: Uint16Array) => Uint32Array.from(pixels, (value) => 1000 * value)],
    ['uint8', (pixels: Uint16Array) => Uint8Array.from(pixels, (value) => value / 200)],
  ])('%s input gives the same drift', async (type, change) => {
    const stack = known.as(change);
    expect(stack.info.pixelType).toBe(type);
    const [found, expected] = [await registerStack(stack, PLAIN), await registerStack(known.stack, PLAIN)];
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(HONEST);
    // 8 bits round by a percent
    const tolerance = type === 'uint8' ? 0.1 : 0.01;
    for (let n = 0; n < 16; n++) expect(Math.abs(found.drift.row[n] - expected.drift.row[n])).toBeLessThan(tolerance);
  });

  test.each<[string, RegisterOptions]>([
    ['a smaller window', { windowSize: 128 }],
    ['a band of pairs', { pairs: { band: 4 } }],
    ['the robust solver', { solver: 'robust' }],
    ['an automatic bound on the weights', { minWeight: 'auto' }],
    ['another power', { weightPower: 2 }],
    ['a narrow Gaussian', { sigma: 1 }],
  ])('is recovered with %s', async (_name, options) => {
    const found = await withoutLeak(() => registerStack(known.stack, { ...PLAIN, ...options }));
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(HONEST);
    if (options.pairs) expect(found.pairs.weight[0 * 16 + 5]).toBeNaN();
    if (options.minWeight === 'auto') expect(found.minWeight).toBeGreaterThanOrEqual(0.05);
    if (options.solver) expect(found.solution.iterations).toBeGreaterThanOrEqual(1);
  });

  test.each([
    [151, 200],
    [233, 131],
    [64, 300],
  ])('frames of %i × %i pixels: the largest window that fits', async (height, width) => {
    const other = knownSeries({ height, width, frames: 8, driftPixels: 3 });
    const found = await registerStack(other.stack, PLAIN);
    expect(found.window.size).toBeLessThanOrEqual(Math.min(height, width));
    expect(found.window.size).toBeGreaterThan(0.9 * Math.min(height, width) - 2);
    expect(largest(driftErrors(found.drift, other))).toBeLessThan(0.5);
  });

  test('strided: the frames between are interpolated, with an error bar, and marked', async () => {
    const smooth = knownSeries({ jumpPixels: 0, frames: 31 });
    const found = await registerStack(smooth.stack, { ...PLAIN, stride: 5 });
    expect(found.frames).toEqual([0, 5, 10, 15, 20, 25, 30]);
    expect(found.pairs.count).toBe(7);
    const compared = [0, 5, 10, 15, 20, 25, 30];
    expect(largest(driftErrors(found.drift, smooth, compared))).toBeLessThan(HONEST);
    expect(largest(driftErrors(found.drift, smooth))).toBeLessThan(2 * HONEST);
    for (let n = 0; n < 31; n++) {
      const between = n % 5 !== 0;
      expect(found.drift.used[n]).toBe(between ? 0 : 1);
      if (!between) continue;
      expect(found.drift.remark[n]).toBe('not compared: between two frames of the stride');
      const t = (n % 5) / 5;
      const [a, b] = [n - (n % 5), n - (n % 5) + 5];
      expect(found.drift.row[n]).toBeCloseTo((1 - t) * found.drift.row[a] + t * found.drift.row[b], 9);
      expect(found.drift.sigmaRow[n], `frame ${n}`).toBeLessThan(3);
      expect(found.drift.sigmaRow[n]).toBeGreaterThan(0);
    }
  });

  test('permuted frames permute the drift', async () => {
    const order = Array.from({ length: 16 }, (_, n) => (5 * n) % 16);
    const { info } = known.stack;
    const moved = ImageStack.fromFrames(
      order.map((n) => known.frames[n]),
      [info.height, info.width],
    );
    const [found, straight] = [await registerStack(moved, PLAIN), await registerStack(known.stack, PLAIN)];
    for (const [m, n] of order.entries()) {
      expect(Math.abs(found.drift.row[m] - straight.drift.row[n])).toBeLessThan(0.01);
      expect(Math.abs(found.drift.column[m] - straight.drift.column[n])).toBeLessThan(0.01);
    }
  });

  test('an inverted frame has the same drift', async () => {
    const stack = known.as((pixels, n) => (n % 3 === 1 ? pixels.map((value) => 40000 - value) : pixels));
    const found = await registerStack(stack, PLAIN);
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(HONEST);
  });

  test('the result is the same bit for bit from a stack in memory, from views and from a slow source', async () => {
    const { info } = known.stack;
    const lag = new Random(1);
    const slow = new ImageStack({
      info,
      readFrame: async (n) => {
        await new Promise((resolve) => setTimeout(resolve, lag.uniform(0, 5)));
        return known.frames[n].slice();
      },
      close: async () => {},
    });
    const [a, b] = [await registerStack(known.stack, PLAIN), await registerStack(slow.slice(0), PLAIN)];
    expect(b.pairs.shiftRow).toEqual(a.pairs.shiftRow);
    expect(b.drift).toEqual(a.drift);
  });

  test('of fewer frames, the pairs are the same bit for bit: nothing depends on the batch', async () => {
    const [all, some] = [await registerStack(known.stack, PLAIN), await registerStack(known.stack.slice(0, 11), PLAIN)];
    for (let i = 0; i < 11; i++) {
      for (let j = i + 1; j < 11; j++) {
        // the polynomial's middle is another one, the images are not
        expect(Math.abs(some.pairs.shiftRow[i * 11 + j] - all.pairs.shiftRow[i * 16 + j])).toBeLessThan(0.01);
        expect(Math.abs(some.pairs.weight[i * 11 + j] - all.pairs.weight[i * 16 + j])).toBeLessThan(0.01);
      }
    }
  });
});

describe('the annulus of the paper', () => {
  test.each<[string, RegisterOptions]>([
    ['without a search for the edge of the field of view', { ...PLAIN, aperture: false }],
    ['with the defaults', {}],
  ])('without noise the mean error is at most 0.002 px at sigma 3, %s', async (_name, options) => {
    const series = annulusSeries({ frames: 40 });
    const frames = Array.from({ length: 40 }, (_, n) => series.frame(n));
    const found = await registerStack(ImageStack.fromFrames(frames, [520, 520]), { windowSize: 512, ...options });
    for (const [axis, drift] of [found.drift.row, found.drift.column].entries()) {
      const off = Array.from(drift, (value, n) => value - series.drift[2 * n + axis]);
      const mean = off.reduce((a, b) => a + b, 0) / 40;
      expect(off.reduce((sum, value) => sum + Math.abs(value - mean), 0) / 40).toBeLessThan(0.002);
    }
  });
});

describe('stopping', () => {
  test.each(['survey', 'pattern', 'filter', 'correlate'] as const)('an abort during %s ends it there', async (stage) => {
    const longer = knownSeries({ frames: 24, height: 96, width: 96 });
    const controller = new AbortController();
    const before = countTensors();
    let after = 0;
    const { info } = longer.stack;
    const stack = new ImageStack({
      info,
      readFrame: async (n) => {
        if (stage === 'survey') controller.abort();
        return longer.frames[n].slice();
      },
      close: async () => {},
    });
    const work = registerStack(stack, {
      pattern: stage === 'pattern' ? 'auto' : 'none',
      windowSize: 96,
      signal: controller.signal,
      onProgress: (name) => {
        if (controller.signal.aborted) after++;
        if (name === stage) controller.abort();
      },
    });
    await work.then(
      () => {
        // the last call of a stage may come when nothing but the solution is left
        expect(stage).toBe('correlate');
      },
      (error: unknown) => expect(isLeemError(error, 'AbortedError'), String(error)).toBe(true),
    );
    expect(after).toBeLessThanOrEqual(1);
    expect(countTensors()).toBe(before);
  });
});
