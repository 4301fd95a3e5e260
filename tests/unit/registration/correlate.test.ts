import { describe, expect, test, vi } from 'vitest';
import { countTensors, readOut, tf } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { coarsePeaks } from '../../../src/registration/correlatePairs.js';
import { coarseBand, correlateStack, countPairs, PAIR_BLOCK, type PairBlock } from '../../../src/registration/correlateStack.js';
import { EdgeFilter, type EdgeFilterPlan, largestStep, planEdgeFilter } from '../../../src/registration/edgeFilter.js';
import { bandOf } from '../../../src/registration/gatherSpectra.js';
import { refinePeaks, selfCorrelations } from '../../../src/registration/refinePeaks.js';
import { narrowBand, SpectraBuilder, shiftSpectrum, type WindowSpectra } from '../../../src/registration/windowSpectra.js';
import { Random } from '../../../src/synthetic/index.js';

const [WINDOW, BAND] = [60, 8];

/** Random spectra of images that have one scene in common, moved by `shifts`, and noise of their own. */
function scenes(shifts: readonly (readonly [number, number])[], noise: number, seed = 1): WindowSpectra {
  const stored = BAND + 1;
  const stride = 2 * BAND * stored;
  const draw = (random: Random): WindowSpectra => {
    const one = { count: 1, band: BAND, windowSize: WINDOW, stride, re: new Float32Array(stride), im: new Float32Array(stride) };
    for (let k = 1 - BAND; k < BAND; k++) {
      for (let l = 0; l < BAND; l++) {
        const at = (k < 0 ? k + 2 * BAND : k) * stored + l;
        // the half of column 0 that is stored twice must be the other's conjugate
        const twin = l === 0 && k < 0 ? -k * stored : undefined;
        const fall = Math.exp(-(k * k + l * l) / 30);
        one.re[at] = twin === undefined ? fall * random.normal() : one.re[twin];
        one.im[at] = twin === undefined ? (k === 0 && l === 0 ? 0 : fall * random.normal()) : -one.im[twin];
      }
    }
    // column 0, negative rows come before their twins in the loop above
    for (let k = 1; k < BAND; k++) {
      one.re[(2 * BAND - k) * stored] = one.re[k * stored];
      one.im[(2 * BAND - k) * stored] = -one.im[k * stored];
    }
    return one;
  };
  const scene = draw(new Random(seed));
  const re = new Float32Array(shifts.length * stride);
  const im = new Float32Array(shifts.length * stride);
  const moved = new Float32Array(2 * stride);
  for (const [m, [row, column]] of shifts.entries()) {
    shiftSpectrum(scene, 0, [-row, -column], moved, 0);
    const own = draw(new Random(seed, m + 1));
    for (let s = 0; s < stride; s++) {
      re[m * stride + s] = moved[s] + noise * own.re[s];
      im[m * stride + s] = moved[stride + s] + noise * own.im[s];
    }
  }
  return { count: shifts.length, band: BAND, windowSize: WINDOW, stride, re, im };
}

/** The correlation of frames i and j at a shift, term by term. */
function correlation(
  { stride, band, windowSize, re, im }: WindowSpectra,
  i: number,
  j: number,
  shift: readonly number[],
): number {
  let sum = 0;
  for (let k = 1 - band; k < band; k++) {
    for (let l = 0; l < band; l++) {
      const s = (k < 0 ? k + 2 * band : k) * (band + 1) + l;
      const [a, b] = [i * stride + s, j * stride + s];
      const angle = (2 * Math.PI * (k * shift[0] + l * shift[1])) / windowSize;
      const real = re[a] * re[b] + im[a] * im[b];
      const imaginary = re[a] * im[b] - im[a] * re[b];
      sum += (l === 0 ? 1 : 2) * (real * Math.cos(angle) - imaginary * Math.sin(angle));
    }
  }
  return sum;
}

/** Climbs the correlation from a start, by ever smaller steps in four directions. */
function climb(spectra: WindowSpectra, i: number, j: number, start: readonly number[]): { place: number[]; height: number } {
  let place = [...start];
  let height = correlation(spectra, i, j, place);
  for (let step = 0.5; step > 1e-5; ) {
    const next = [
      [step, 0],
      [-step, 0],
      [0, step],
      [0, -step],
    ]
      .map((d) => [place[0] + d[0], place[1] + d[1]])
      .find((p) => correlation(spectra, i, j, p) > height);
    if (next) {
      place = next;
      height = correlation(spectra, i, j, place);
    } else step /= 2;
  }
  return { place, height };
}

/** The highest point of a fine grid over the whole window, then the top of that hill. */
function highest(spectra: WindowSpectra, i: number, j: number): { place: number[]; height: number } {
  let best = { place: [0, 0], height: Number.NEGATIVE_INFINITY };
  for (let r = -WINDOW / 2; r < WINDOW / 2; r += 1.5) {
    for (let c = -WINDOW / 2; c < WINDOW / 2; c += 1.5) {
      const height = correlation(spectra, i, j, [r, c]);
      if (height > best.height) best = { place: [r, c], height };
    }
  }
  return climb(spectra, i, j, best.place);
}

const range = (start: number, stop: number) => ({ start, stop });
const SHIFTS: [number, number][] = [
  [0, 0],
  [3.3, -7.1],
  [-12.6, 4.45],
  [0.21, 0.83],
  [25, -21.5],
];
const wrap = (value: number): number => value - WINDOW * Math.round(value / WINDOW);

describe('correlation peaks against the correlation itself, term by term', () => {
  const spectra = scenes(SHIFTS, 0.4);
  const all = range(0, SHIFTS.length);
  const count = SHIFTS.length;

  test('coarse: within 0.4 of a grid step, nearly as high', () => {
    const before = countTensors();
    const found = coarsePeaks(spectra, all, all, (i, j) => j > i);
    expect(countTensors()).toBe(before);
    const grid = WINDOW / (2 * BAND);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const at = i * count + j;
        if (j <= i) {
          expect([found.shiftRow[at], found.shiftColumn[at], found.height[at]]).toEqual([0, 0, 0]);
          continue;
        }
        const { place, height } = highest(spectra, i, j);
        expect(Math.abs(wrap(found.shiftRow[at] - place[0]))).toBeLessThan(0.4 * grid);
        expect(Math.abs(wrap(found.shiftColumn[at] - place[1]))).toBeLessThan(0.4 * grid);
        expect(found.height[at]).toBeGreaterThan(0.7 * height);
        expect(found.height[at]).toBeLessThan(1.0001 * height);
      }
    }
  });

  test('refined: on the top to 1e-3 px, with its height', async () => {
    const before = countTensors();
    const coarse = coarsePeaks(spectra, all, all, (i, j) => j > i);
    const use = Uint8Array.from({ length: count * count }, (_, p) => (p % count > Math.floor(p / count) ? 1 : 0));
    const found = await refinePeaks(spectra, all, all, coarse, use);
    expect(countTensors()).toBe(before);
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const at = i * count + j;
        const { place, height } = highest(spectra, i, j);
        expect(Math.abs(wrap(found.shiftRow[at] - place[0])), `${i} ${j}`).toBeLessThan(1e-3);
        expect(Math.abs(wrap(found.shiftColumn[at] - place[1])), `${i} ${j}`).toBeLessThan(1e-3);
        expect(found.height[at] / height).toBeCloseTo(1, 4);
        expect(found.height[j * count + i]).toBe(0);
      }
    }
  });

  test('strong noise moves peaks far off the shifts: still on the top to 0.03 px', async () => {
    const noisy = scenes(
      Array.from({ length: 16 }, (_, m) => [m % 4, m / 5] as [number, number]),
      0.7,
    );
    const frames = range(0, 16);
    const coarse = coarsePeaks(noisy, frames, frames, () => true);
    const found = await refinePeaks(noisy, frames, frames, coarse, new Uint8Array(256).fill(1));
    for (let at = 0; at < 256; at++) {
      const start = [found.shiftRow[at], found.shiftColumn[at]];
      const { place } = climb(noisy, Math.floor(at / 16), at % 16, start);
      expect(Math.hypot(place[0] - start[0], place[1] - start[1])).toBeLessThan(0.03);
    }
  });

  test('without noise the peaks are the shifts themselves', async () => {
    const exact = scenes(SHIFTS, 0);
    const coarse = coarsePeaks(exact, range(0, 1), all, () => true);
    const found = await refinePeaks(exact, range(0, 1), all, coarse, new Uint8Array(count).fill(1));
    for (const [j, [row, column]] of SHIFTS.entries()) {
      expect(Math.abs(wrap(found.shiftRow[j] - row))).toBeLessThan(1e-3);
      expect(Math.abs(wrap(found.shiftColumn[j] - column))).toBeLessThan(1e-3);
    }
  });

  test('selfCorrelations are the correlations with themselves at zero shift', () => {
    const found = selfCorrelations(spectra);
    for (let m = 0; m < count; m++) expect(found[m] / correlation(spectra, m, m, [0, 0])).toBeCloseTo(1, 6);
  });
});

describe('correlateStack', () => {
  const count = PAIR_BLOCK + 9;
  const random = new Random(2);
  const shifts = Array.from({ length: count }, (): [number, number] => [random.uniform(-9, 9), random.uniform(-9, 9)]);
  const spectra = scenes(shifts, 0.5, 3);

  /** Keeps blocks as a folder would: copies. */
  function memoryStore() {
    const blocks = new Map<string, PairBlock>();
    return {
      blocks,
      read: vi.fn(async (a: number, b: number) => blocks.get(`${a} ${b}`)),
      write: vi.fn(async (a: number, b: number, block: PairBlock) => {
        blocks.set(`${a} ${b}`, structuredClone(block));
      }),
    };
  }

  test('gives every pair its shift and a weight of 1 where the images are the same', async () => {
    const before = countTensors();
    const done: number[] = [];
    const table = await correlateStack(scenes(shifts, 0), { onProgress: (n, total) => done.push(n, total) });
    expect(countTensors()).toBe(before);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const at = i * count + j;
        if (j <= i) {
          expect(table.weight[at]).toBeNaN();
          continue;
        }
        expect(Math.abs(wrap(table.shiftRow[at] - shifts[j][0] + shifts[i][0]))).toBeLessThan(2e-3);
        expect(Math.abs(wrap(table.shiftColumn[at] - shifts[j][1] + shifts[i][1]))).toBeLessThan(2e-3);
        expect(table.weight[at]).toBeCloseTo(1, 4);
      }
    }
    const total = (count * (count - 1)) / 2;
    expect(done.slice(-2)).toEqual([total, total]);
    expect(done.filter((_, k) => k % 2 === 0)).toEqual([...done.filter((_, k) => k % 2 === 0)].sort((a, b) => a - b));
  });

  test('goes on from a checkpoint to the very same table, and computes no block twice', async () => {
    const whole = await correlateStack(spectra);
    const store = memoryStore();
    const controller = new AbortController();
    const stopped = correlateStack(spectra, {
      checkpoint: store,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(stopped).rejects.toMatchObject({ tag: 'AbortedError', message: 'Comparing pairs of frames was stopped' });
    expect(store.write).toHaveBeenCalledTimes(1);
    const table = await correlateStack(spectra, { checkpoint: store });
    expect(store.write).toHaveBeenCalledTimes(3);
    for (const name of ['shiftRow', 'shiftColumn', 'weight'] as const) expect(table[name]).toEqual(whole[name]);
    await correlateStack(spectra, { checkpoint: store });
    expect(store.write).toHaveBeenCalledTimes(3);
  });

  test('a band has the same values as all pairs, and no others', async () => {
    const all = await correlateStack(spectra);
    const before = countTensors();
    const band = await correlateStack(spectra, { pairs: { band: 5 } });
    expect(countTensors()).toBe(before);
    let pairs = 0;
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) {
        const at = i * count + j;
        if (j <= i || j - i > 5) {
          expect(band.weight[at]).toBeNaN();
          continue;
        }
        pairs++;
        // noise moves peaks off the fit of the block's frames, which is another one here, toward the polynomial's end
        expect(Math.abs(band.shiftRow[at] - all.shiftRow[at])).toBeLessThan(0.05);
        expect(Math.abs(band.weight[at] - all.weight[at])).toBeLessThan(5e-3);
      }
    }
    expect(pairs).toBe(countPairs(count, { band: 5 }));
  });

  test('leaves no tensor behind when a checkpoint fails', async () => {
    const before = countTensors();
    const broken = { read: async () => undefined, write: () => Promise.reject(new Error('disk full')) };
    await expect(correlateStack(spectra, { checkpoint: broken })).rejects.toThrow('disk full');
    expect(countTensors()).toBe(before);
  });

  test('empty images have weight 0, not NaN', async () => {
    const empty = { ...spectra, count: 3, re: new Float32Array(3 * spectra.stride), im: new Float32Array(3 * spectra.stride) };
    const table = await correlateStack(empty);
    expect([table.weight[1], table.weight[2], table.weight[5]]).toEqual([0, 0, 0]);
  });
});

test.each([
  [0, 'all', 0],
  [1, 'all', 0],
  [2, 'all', 1],
  [700, 'all', 244650],
  [10, { band: 3 }, 24],
  [10, { band: 100 }, 45],
  [1, { band: 2 }, 0],
] as const)('%i frames have %j pairs: %i', (count, pairs, expected) => {
  expect(countPairs(count, pairs)).toBe(expected);
  let counted = 0;
  for (let i = 0; i < count; i++) for (let j = i + 1; j < count; j++) if (pairs === 'all' || j - i <= pairs.band) counted++;
  expect(counted).toBe(expected);
});

describe('bands', () => {
  test('the coarse band holds nine tenths of the energy', () => {
    const spectra = scenes(SHIFTS, 0.2);
    expect(coarseBand(spectra)).toBe(BAND);
    const low = { ...spectra, re: spectra.re.slice(), im: spectra.im.slice(), band: BAND };
    expect(narrowBand(low, BAND)).toBe(low);
    const narrow = narrowBand(spectra, 4);
    expect([narrow.band, narrow.stride]).toEqual([4, 40]);
    // row −3, column 2 is where it was
    expect(narrow.re[40 + 5 * 5 + 2]).toBe(spectra.re[spectra.stride + 13 * 9 + 2]);
    // the Nyquist row and column are empty
    for (let k = 0; k < 8; k++) expect(narrow.re[k * 5 + 4]).toBe(0);
    for (let l = 0; l < 5; l++) expect(narrow.im[4 * 5 + l]).toBe(0);
  });

  test.each([
    [512, 3, 64],
    [512, 17, 12],
    [512, 0, 128],
    [16, 3, 8],
    [18, 0, 8],
    [256, 6, 16],
  ])('a window of %i at sigma %f keeps %i', (size, sigma, band) => {
    expect(bandOf(size, sigma)).toBe(band);
  });
});

describe('SpectraBuilder', () => {
  test('keeps the low frequencies of the edge image, its mean taken out, and leaves no tensor', () => {
    const before = countTensors();
    const builder = new SpectraBuilder(2, 20, 1, 6);
    const { fftSize } = builder.plan;
    const random = new Random(8);
    const padded = random.fillNormal(new Float32Array(fftSize * fftSize));
    builder.add(padded, [1]);
    const spectra = builder.finish();
    expect(countTensors()).toBe(before);
    const first = spectra.re.subarray(0, spectra.stride);
    expect(first.every((value) => value === 0)).toBe(true);
    expect(Math.abs(spectra.re[spectra.stride])).toBeLessThan(1e-3);
    expect(spectra.re.subarray(spectra.stride).some((value) => Math.abs(value) > 0.1)).toBe(true);
    for (let k = 0; k < 12; k++) expect(spectra.re[spectra.stride + k * 7 + 6]).toBe(0);
  });

  test('a taper takes its pixels out of the spectrum', () => {
    const size = 20;
    const taper = Float32Array.from({ length: size * size }, (_, i) => (i % size < 10 ? 1 : 0));
    const spectrum = (change: number): WindowSpectra => {
      const builder = new SpectraBuilder(1, size, 0, 6, taper);
      const { fftSize, margin } = builder.plan;
      const padded = Float32Array.from({ length: fftSize ** 2 }, (_, i) => Math.sin(i % fftSize) * Math.cos(i / fftSize));
      for (let r = 0; r < fftSize; r++) for (let c = margin + 12; c < fftSize; c++) padded[r * fftSize + c] += change * r * c;
      builder.add(padded, [0]);
      return builder.finish();
    };
    const [plain, changed] = [spectrum(0), spectrum(1)];
    for (const [s, value] of plain.re.entries()) expect(changed.re[s]).toBeCloseTo(value, 2);
    expect(plain.re.some((value) => Math.abs(value) > 1)).toBe(true);
  });
});

test('errors of the stack are told by their tag', async () => {
  const aborted = AbortSignal.abort();
  const stopped = correlateStack(scenes(SHIFTS, 0), { signal: aborted });
  await stopped.then(
    () => expect.unreachable(),
    (error: unknown) => expect(isLeemError(error, 'AbortedError')).toBe(true),
  );
  expect(tf.memory().numTensors).toBe(countTensors());
});

describe('edges at every 2nd or 4th pixel', () => {
  test('are taken where the Gaussian leaves nothing between them, and only there', () => {
    expect([largestStep(512, 3, 64), largestStep(512, 6, 32), largestStep(512, 2, 96)]).toEqual([2, 4, 1]);
    // a window whose half is no fast size, and a band too wide for the coarser grid
    expect([largestStep(90, 3, 12), largestStep(128, 3, 64)]).toEqual([1, 1]);
  });

  test.each([
    [2, 3],
    [4, 6],
  ])('step %i at sigma %f: the very edges of all pixels', (step, sigma) => {
    const size = 128;
    const { fftSize: side, margin } = planEdgeFilter(size, sigma, step);
    const fine = planEdgeFilter(size, sigma);
    // the window starts at pixel 40 of a scene without end
    const scene = (r: number, c: number): number =>
      900 + 200 * Math.sin((r * c) / 700) + 150 * Math.cos((r - 2 * c) / 5) + (Math.hypot(r - 90, c - 100) < 30 ? 300 : 0);
    const edges = (plan: EdgeFilterPlan): Float32Array =>
      readOut(() => {
        const filter = new EdgeFilter(plan);
        const at = (i: number): number => 40 - plan.margin + i;
        const image = Float32Array.from({ length: plan.fftSize ** 2 }, (_, i) =>
          scene(at(Math.floor(i / plan.fftSize)), at(i % plan.fftSize)),
        );
        const out = filter.apply(tf.tensor3d(image, [1, plan.fftSize, plan.fftSize]));
        filter.dispose();
        return out;
      });
    expect([margin % step, side % step]).toEqual([0, 0]);
    const all = edges(fine);
    const some = edges(planEdgeFilter(size, sigma, step));
    const most = all.reduce((a, b) => Math.max(a, b), 0);
    for (let r = 0; r < size / step; r++) {
      for (let c = 0; c < size / step; c++)
        expect(Math.abs(some[(r * size) / step + c] - all[step * (r * size + c)])).toBeLessThan(1e-3 * most);
    }
  });
});
