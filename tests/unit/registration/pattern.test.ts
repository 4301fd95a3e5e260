import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { registerStack } from '../../../src/registration/index.js';
import { patternGain, sampleFixedPattern } from '../../../src/registration/patternSample.js';
import { flatFieldGain, takePattern } from '../../../src/registration/takePattern.js';
import { ImageStack } from '../../../src/stack/index.js';
import { Random } from '../../../src/synthetic/index.js';
import { driftErrors, knownSeries, largest, withoutLeak } from './simulated.js';

/** A pattern of fine dirt, rms 1, mean 0. */
function dirt(count: number, seed: number): Float32Array {
  return new Random(seed).fillNormal(new Float32Array(count));
}

function similarity(a: ArrayLike<number>, b: ArrayLike<number>, use: (i: number) => boolean = () => true): number {
  const which = Array.from(a, (_, i) => i).filter(use);
  const mean = (x: ArrayLike<number>): number => which.reduce((sum, i) => sum + x[i], 0) / which.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const i of which) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

describe('a pattern in a series', () => {
  const still = knownSeries({ frames: 40, height: 220, width: 220, driftPixels: 16, noise: 0.05, fixedPattern: 0.06 });

  test('is found, reported and taken out: the drift is better than with it', async () => {
    const [plain, found] = [
      await registerStack(still.stack, { pattern: 'none', windowSize: 192 }),
      await withoutLeak(() => registerStack(still.stack, { windowSize: 192 })),
    ];
    expect(found.patternRemark).toMatch(/% rms found and taken out for the registration/);
    expect(found.pattern?.found.strength).toBeGreaterThan(0.02);
    expect(found.patternImage?.pixels).toHaveLength(220 * 220);
    const before = driftErrors(plain.drift, still).sort();
    const after = driftErrors(found.drift, still).sort();
    const rms = (errors: Float64Array): number => Math.hypot(...errors) / Math.sqrt(errors.length);
    expect(rms(after)).toBeLessThan(0.95 * rms(before));
    expect(after[39]).toBeLessThan(0.8 * before[39]);
  });

  test('one that is given is taken out as it is', async () => {
    const factor = Float32Array.from(dirt(220 * 220, 5), (value) => Math.exp(0.3 * value));
    const stack = still.as((pixels) => Float32Array.from(pixels, (value, i) => value * factor[i]));
    const [with_, without] = [
      await registerStack(stack, { pattern: factor, windowSize: 192, sigma: 1 }),
      await registerStack(still.stack, { pattern: 'none', windowSize: 192, sigma: 1 }),
    ];
    expect(with_.patternRemark).toBe('given, taken out for the registration');
    expect(similarity(with_.patternImage?.pixels ?? [], factor)).toBeGreaterThan(0.9999);
    for (let n = 0; n < 40; n++) expect(Math.abs(with_.drift.row[n] - without.drift.row[n])).toBeLessThan(0.01);
  });

  test.each([
    [{ frames: 24, height: 220, width: 220, driftPixels: 12, vignetting: 0 }, 192],
    [{ frames: 16, driftPixels: 8 }, 128],
    [{ frames: 16, driftPixels: 8, seed: 12 }, 128],
    [{ frames: 24, driftPixels: 4, vignetting: 0 }, 150],
  ])('a series without a pattern is not made worse by looking for one: %j, window %i', async (options, windowSize) => {
    const clean = knownSeries(options);
    const [plain, found] = [
      await registerStack(clean.stack, { pattern: 'none', windowSize }),
      await registerStack(clean.stack, { windowSize }),
    ];
    const [before, after] = [driftErrors(plain.drift, clean).sort(), driftErrors(found.drift, clean).sort()];
    const middle = before.length >> 1;
    const what = `${found.patternRemark}; medians ${before[middle]} and ${after[middle]} px`;
    expect(after[middle], what).toBeLessThan(1.3 * before[middle] + 0.03);
    expect(largest(after), what).toBeLessThan(1.3 * largest(before) + 0.1);
  });

  // windows whose quarter or eighth is no whole number
  test.each([18, 30, 36, 50, 60, 100, 108, 150, 180])('a window of %i pixels', async (windowSize) => {
    const found = await withoutLeak(() => registerStack(still.stack.slice(0, 14), { windowSize }));
    expect(found.window.size).toBe(windowSize);
    expect(found.drift.row.every(Number.isFinite)).toBe(true);
  });

  test('windows of 500 pixels, the default of frames of 500 to 511', async () => {
    const random = new Random(3);
    const wide = ImageStack.fromFrames(
      Array.from({ length: 12 }, (_, n) =>
        Uint16Array.from({ length: 504 * 504 }, (_, i) => {
          const [r, c] = [Math.floor(i / 504) - n / 3, (i % 504) + n / 4];
          return 3000 + 900 * Math.sin(r / 7) * Math.cos(c / 9) + 700 * Math.sin((r * r + 3 * c) / 900) + random.normal(0, 60);
        }),
      ),
      [504, 504],
    );
    const found = await registerStack(wide);
    expect(found.window.size).toBe(500);
    expect(found.drift.row.every(Number.isFinite)).toBe(true);
  });
});

describe('why no pattern is taken', () => {
  const place = { row: 10, column: 10, size: 128 };
  const known = knownSeries({ frames: 14 });
  const options = { sigma: 3, correction: {}, taper: undefined, minWeight: 0.15 };

  test.each<[string, ImageStack, RegExp]>([
    ['too few frames', known.stack.slice(0, 11), /^not looked for: 11 frames are too few, 12 are needed$/],
    [
      'counts below 0',
      known.as((pixels) => Float32Array.from(pixels, (value) => value - 20000)),
      /^not looked for: some frames hold values of 0 or less; a pattern is found in counts only$/,
    ],
    [
      'a sample that does not move',
      known.as((_, n) => {
        const random = new Random(4, n);
        return known.frames[3].map((value) => value + random.normal(0, 5));
      }),
      /^none taken out: the sample moved by 0\.\d\d px only, too little to tell it from a pattern$/,
    ],
  ])('%s', async (_name, stack, remark) => {
    const taken = await withoutLeak(() => takePattern(stack, place, options));
    expect(taken.remark).toMatch(remark);
    expect([taken.pattern, taken.image, taken.gain]).toEqual([undefined, undefined, undefined]);
  });

  test('none is wanted: the flat field stays', async () => {
    const gain = new Float32Array(150 * 164).fill(2);
    const taken = await takePattern(known.stack, place, { ...options, pattern: 'none', correction: { gain } });
    expect(taken).toMatchObject({ remark: 'not looked for', gain });
  });

  test('a given pattern and a flat field multiply; pixels of 0 are left alone', async () => {
    const gain = new Float32Array(150 * 164).fill(2);
    const pattern = new Float32Array(150 * 164).fill(4);
    pattern[7] = 0;
    const taken = await takePattern(known.stack, place, { ...options, pattern, correction: { gain } });
    expect([taken.gain?.[0], taken.gain?.[7]]).toEqual([0.5, 2]);
    expect([taken.image?.pixels[0], taken.image?.pixels[7]]).toEqual([4, 1]);
  });

  test('refuses a pattern of another size, and stops when it is told to', async () => {
    const failure = async (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      );
    const wrong = await failure(takePattern(known.stack, place, { ...options, pattern: new Float32Array(3) }));
    expect(isLeemError(wrong, 'ShapeError')).toBe(true);
    expect((wrong as Error).message).toBe("registerStack(): 'pattern' must be 150 × 164 pixels like the frames, got 3 values");
    const stopped = await failure(sampleFixedPattern(known.stack, place, { ...options, signal: AbortSignal.abort() }));
    expect(isLeemError(stopped, 'AbortedError')).toBe(true);
  });
});

describe('gains', () => {
  test('flatFieldGain is the mean over the net flat field, 1 where there is no light', () => {
    const flat = Float32Array.of(110, 310, 510, 110, 112, 310);
    const dark = new Float32Array(6).fill(110);
    // net: 0, 200, 400, 0, 2, 200; 2 is below a tenth of the brightest
    const mean = (200 + 400 + 2 + 200) / 4;
    const found = flatFieldGain(flat, dark);
    expect(Array.from(found)).toEqual([1, Math.fround(mean / 200), Math.fround(mean / 400), 1, 1, Math.fround(mean / 200)]);
    expect(Array.from(flatFieldGain(Float32Array.of(2, 2), undefined))).toEqual([1, 1]);
    expect(Array.from(flatFieldGain(new Float32Array(3), undefined))).toEqual([1, 1, 1]);
  });

  test('patternGain is 1 / pattern in the region and 1 outside; a coarse pattern is interpolated', () => {
    const [height, width] = [20, 24];
    const logarithm = Float32Array.from({ length: 36 }, (_, i) => 0.1 * (i % 6) + 0.02 * Math.floor(i / 6));
    const region = (coarsen: number) =>
      patternGain({ found: { logarithm, height: 6, width: 6 } as never, sampled: [], row: 3, column: 5, coarsen }, height, width);
    const fine = region(1);
    const coarse = region(2);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const inFine = r >= 3 && r < 9 && c >= 5 && c < 11;
        const expected = inFine ? Math.exp(-(0.1 * (c - 5) + 0.02 * (r - 3))) : 1;
        expect(fine[r * width + c]).toBeCloseTo(expected, 5);
        if (!(r >= 3 && r < 15 && c >= 5 && c < 17)) expect(coarse[r * width + c]).toBe(1);
        // a slope stays the slope, half as steep, away from the region's rim
        else if (r > 3 && r < 14 && c > 5 && c < 16) {
          expect(-Math.log(coarse[r * width + c])).toBeCloseTo(0.05 * (c - 5.5) + 0.01 * (r - 3.5), 4);
        }
      }
    }
  });
});
