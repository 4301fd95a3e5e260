import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitsPairKernel, hasPairKernel, PairCorrelator, type PairSpectra } from '../../../src/backend/index.js';
import { coarsePeaks } from '../../../src/registration/correlatePairs.js';
import { narrowBand, type WindowSpectra } from '../../../src/registration/windowSpectra.js';
import { Random } from '../../../src/synthetic/index.js';

/** Spectra of real images of noise, without Nyquist row and column; strong low frequencies, as edge images have. */
function noise(count: number, band: number, windowSize: number, seed: number): WindowSpectra {
  const random = new Random(seed);
  const stored = band + 1;
  const stride = 2 * band * stored;
  const re = new Float32Array(count * stride);
  const im = new Float32Array(count * stride);
  for (let m = 0; m < count; m++) {
    for (let k = 1 - band; k < band; k++) {
      for (let l = 0; l < band; l++) {
        const at = m * stride + (k < 0 ? k + 2 * band : k) * stored + l;
        const size = 1 / (1 + (8 * (k * k + l * l)) / band ** 2);
        re[at] = size * random.normal();
        im[at] = size * random.normal();
        if (l > 0) continue;
        // the column of zero frequency is its own mirror image
        const mirror = m * stride + (k > 0 ? 2 * band - k : -k) * stored;
        if (k > 0) {
          re[at] = re[mirror];
          im[at] = -im[mirror];
        } else if (k === 0) im[at] = 0;
      }
    }
  }
  return { count, band, windowSize, stride, re, im };
}

const open = (spectra: PairSpectra, side: number, threads = 0, windowSize = side) =>
  new PairCorrelator(spectra, { side, windowSize, largest: 64 * 64, threads });

test('the kernel is built and runs here', () => {
  expect(hasPairKernel()).toBe(true);
});

test.each([
  [16, true],
  [24, true],
  [32, true],
  [96, true],
  [192, true],
  [256, true],
  [8, false],
  [20, false],
  [80, false],
  [1024, false],
])('a side of %i can be done: %s', (side, can) => {
  expect(fitsPairKernel(side)).toBe(can);
  if (!can) expect(() => open(noise(2, 8, 64, 1), side)).toThrow(RangeError);
});

describe.each([16, 24, 32, 48, 64, 96, 128, 192, 256])('search with %i points a side', (side) => {
  test('finds the peaks of plain tensor operations', async () => {
    const count = 7;
    const spectra = noise(count, side / 2, 2 * side, side);
    const all = { start: 0, stop: count };
    const expected = coarsePeaks(spectra, all, all, (i, j) => j > i);
    const correlator = open(spectra, side, 0, 2 * side);
    const found = await correlator.search({ rows: all, columns: all, reach: count });
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const at = 3 * (i * 8 + j);
        const p = i * count + j;
        expect(found[at]).toBeCloseTo(expected.shiftRow[p], 3);
        expect(found[at + 1]).toBeCloseTo(expected.shiftColumn[p], 3);
        expect(found[at + 2] / expected.height[p]).toBeCloseTo(1, 4);
      }
    }
  });
});

test('with fewer points than the band the highest frequencies are left out; with more the grid is finer', async () => {
  const count = 5;
  const spectra = noise(count, 24, 96, 5);
  const all = { start: 0, stop: count };
  const job = { rows: all, columns: all, reach: count };
  const coarse = await open(spectra, 32, 0, 96).search(job);
  const narrow = coarsePeaks(narrowBand(spectra, 16), all, all, (i, j) => j > i);
  const exact = await open(spectra, 48, 0, 96).search(job);
  const fine = await open(spectra, 192, 0, 96).search(job);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const at = 3 * (i * 8 + j);
      expect(coarse[at]).toBeCloseTo(narrow.shiftRow[i * count + j], 3);
      expect(coarse[at + 2] / narrow.height[i * count + j]).toBeCloseTo(1, 4);
      // the maximum of the finer grid is at least as high
      expect(fine[at + 2]).toBeGreaterThan(0.99999 * exact[at + 2]);
    }
  }
});

test('threads give the same bits as the calling thread, and only pairs within reach are compared', async () => {
  const spectra = noise(30, 16, 64, 8);
  const rows = { start: 3, stop: 30 };
  const columns = { start: 8, stop: 29 };
  const alone = open(spectra, 32, 0);
  const threaded = open(spectra, 32, 3);
  for (const reach of [1, 7, 100]) {
    const job = { rows, columns, reach };
    const [a, b] = [await alone.search(job), await threaded.search(job)];
    const wanted = (p: number): boolean => {
      const [i, j] = [rows.start + Math.floor(p / 24), columns.start + (p % 24)];
      return j > i && j - i <= reach && j < columns.stop;
    };
    const keep = (values: Float32Array) => values.map((value, k) => (wanted(Math.floor(k / 3)) ? value : 0));
    expect(keep(b)).toEqual(keep(a));
    const [c, d] = [await alone.refine(job, keep(a)), await threaded.refine(job, keep(a))];
    expect(d).toEqual(c);
    expect(c.filter((_, k) => !wanted(Math.floor(k / 3))).every((value) => value === 0)).toBe(true);
  }
  threaded.dispose();
});

test('jobs that are asked for at once are done one after the other', async () => {
  const spectra = noise(20, 16, 64, 9);
  const correlator = open(spectra, 32, 2);
  const job = (start: number) => ({ rows: { start, stop: start + 4 }, columns: { start: 8, stop: 20 }, reach: 99 });
  const together = await Promise.all([0, 4].map((start) => correlator.search(job(start))));
  for (const [k, start] of [0, 4].entries()) expect(together[k]).toEqual(await correlator.search(job(start)));
  correlator.dispose();
  // without its threads the calling one goes on
  expect(await correlator.search(job(4))).toEqual(together[1]);
});

test('a job whose threads end under way is done again by the calling one', async () => {
  const spectra = noise(64, 16, 64, 12);
  const all = { start: 0, stop: 64 };
  const job = { rows: all, columns: all, reach: 64 };
  const alone = await open(spectra, 32, 0).search(job);
  const correlator = open(spectra, 32, 3);
  await correlator.search({ rows: { start: 0, stop: 1 }, columns: { start: 0, stop: 4 }, reach: 4 }); // the threads run
  const pending = correlator.search(job);
  setTimeout(() => correlator.dispose(), 2);
  const upper = (values: Float32Array) => values.map((value, k) => (Math.floor(k / 3) % 64 > Math.floor(k / 192) ? value : 0));
  expect(upper(await pending)).toEqual(upper(alone));
});

test.each([0, 2])('a stop ends a job, and %i threads with it', async (threads) => {
  const spectra = noise(64, 128, 512, 12);
  const correlator = open(spectra, 256, threads);
  const all = { start: 0, stop: 64 };
  const controller = new AbortController();
  const pending = correlator.search({ rows: all, columns: all, reach: 64, signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(pending).rejects.toThrow('Comparing pairs of frames was stopped');
  // what comes later is done by the calling thread
  const job = { rows: { start: 0, stop: 4 }, columns: { start: 4, stop: 8 }, reach: 64 };
  const alone = open(spectra, 256, 0);
  expect(await correlator.search(job)).toEqual(await alone.search(job));
});

test('a job that was not announced is refused', async () => {
  const correlator = new PairCorrelator(noise(8, 8, 64, 1), { side: 16, windowSize: 64, largest: 16, threads: 0 });
  const rows = { start: 0, stop: 4 };
  await expect(correlator.search({ rows, columns: { start: 1, stop: 4 }, reach: 9 })).rejects.toThrow(RangeError);
  await expect(correlator.search({ rows, columns: { start: 0, stop: 8 }, reach: 9 })).rejects.toThrow(RangeError);
  expect(await correlator.search({ rows, columns: { start: 0, stop: 4 }, reach: 9 })).toHaveLength(48);
});

test('refined places are maxima of the correlation, with its height', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 5, max: 40 }), fc.integer(), async (band, seed) => {
      const windowSize = 4 * band + (band % 2) * 2;
      const spectra = noise(2, band, windowSize, seed);
      const correlator = open(spectra, 192, 0, windowSize);
      const job = { rows: { start: 0, stop: 1 }, columns: { start: 0, stop: 2 }, reach: 1 };
      const coarse = await correlator.search(job);
      coarse.fill(0, 0, 3);
      const [row, column, height] = (await correlator.refine(job, coarse)).subarray(3, 6);
      expect(Math.hypot(row - coarse[3], column - coarse[4])).toBeLessThan((1.01 * windowSize) / 192);
      const at = (r: number, c: number): number => correlation(spectra, r, c);
      expect(height / at(row, column)).toBeCloseTo(1, 4);
      const off = 0.02;
      // as exactly as the height itself is known: white noise up to the band's edge has the narrowest peaks there are
      for (const [r, c] of [
        [off, 0],
        [-off, 0],
        [0, off],
        [0, -off],
      ])
        expect(at(row + r, column + c)).toBeLessThan(height * (1 + 5e-5));
    }),
    { numRuns: 30 },
  );
});

/** The correlation of two frames by its definition. */
function correlation({ band, windowSize, stride, re, im }: WindowSpectra, row: number, column: number): number {
  let sum = 0;
  for (let k = 1 - band; k < band; k++) {
    for (let l = 0; l < band; l++) {
      const a = (k < 0 ? k + 2 * band : k) * (band + 1) + l;
      const b = stride + a;
      const angle = (2 * Math.PI * (k * row + l * column)) / windowSize;
      const real = re[a] * re[b] + im[a] * im[b];
      const imaginary = re[a] * im[b] - im[a] * re[b];
      sum += (l === 0 ? 1 : 2) * (real * Math.cos(angle) - imaginary * Math.sin(angle));
    }
  }
  return sum;
}
