import { describe, expect, test } from 'vitest';
import { isLeemError, type LeemError } from '../../../src/errors.js';
import { type RegisterOptions, registerStack } from '../../../src/registration/index.js';
import { ImageStack, type PixelArray } from '../../../src/stack/index.js';
import { Random } from '../../../src/synthetic/index.js';
import { driftErrors, knownSeries, largest, withoutLeak } from './simulated.js';

const PLAIN = { pattern: 'none' } as const;
const known = knownSeries();
const [COUNT, HEIGHT, WIDTH] = known.stack.shape;

describe('missing and bad pixels', () => {
  const asFloat = (pixels: Uint16Array): Float32Array => Float32Array.from(pixels);

  test('NaN pixels that stand still are masked, not taken for the sample', async () => {
    const random = new Random(6);
    const dead = Array.from({ length: 60 }, () => Math.floor(random.uniform(0, HEIGHT * WIDTH)));
    const stack = known.as((pixels) => {
      const out = asFloat(pixels);
      for (const i of dead) out[i] = Number.NaN;
      return out;
    });
    const found = await withoutLeak(() => registerStack(stack, PLAIN));
    expect(found.badPixels).toBe(new Set(dead).size);
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(0.35);
  });

  test('NaN pixels that change from frame to frame, and whole missing corners, do not spread', async () => {
    const stack = known.as((pixels, n) => {
      const out = asFloat(pixels);
      const random = new Random(9, n);
      for (let k = 0; k < 200; k++) out[Math.floor(random.uniform(0, out.length))] = Number.NaN;
      for (let r = 0; r < 20 + n; r++) for (let c = 0; c < 20; c++) out[r * WIDTH + c] = Number.NaN;
      return out;
    });
    const found = await registerStack(stack, PLAIN);
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(0.5);
    expect(found.drift.row.every(Number.isFinite)).toBe(true);
  });

  test('dead and hot pixels are found and masked', async () => {
    const stack = known.as((pixels) => {
      const out = pixels.slice();
      for (let k = 0; k < 30; k++) out[(k * 811 + 3 * WIDTH + 5) % out.length] = k % 2 ? 0 : 65535;
      return out;
    });
    const found = await registerStack(stack, PLAIN);
    expect(found.badPixels).toBeGreaterThanOrEqual(28);
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(0.35);
  });

  test('a stored 0 is missing where the stack says so', async () => {
    const blank = (pixels: Uint16Array): Uint16Array => {
      const out = pixels.map((value) => Math.max(1, value));
      for (let r = 0; r < HEIGHT; r++) for (let c = 0; c < 24; c++) out[r * WIDTH + c] = 0;
      return out;
    };
    const found = await registerStack(known.as(blank, { zeroIsMissing: true }), PLAIN);
    expect(largest(driftErrors(found.drift, known))).toBeLessThan(0.5);
    expect(found.badPixels).toBe(24 * HEIGHT);
  });

  test('a structure that stands still is kept out by a mask', async () => {
    const withBar = known.as((pixels) => {
      const out = pixels.slice();
      for (let r = 60; r < 90; r++) for (let c = 0; c < WIDTH; c++) out[r * WIDTH + c] = (r + c) % 16 < 8 ? 60000 : 100;
      return out;
    });
    const mask = new Uint8Array(HEIGHT * WIDTH).fill(1).fill(0, 55 * WIDTH, 95 * WIDTH);
    const [masked, open] = [await registerStack(withBar, { ...PLAIN, mask }), await registerStack(withBar, PLAIN)];
    expect(largest(driftErrors(open.drift, known))).toBeGreaterThan(2);
    expect(largest(driftErrors(masked.drift, known))).toBeLessThan(0.6);
  });

  test('flat field and dark count are taken out for the registration', async () => {
    const flat = Float32Array.from({ length: HEIGHT * WIDTH }, (_, i) =>
      (Math.floor(i / 7) + Math.floor(i / WIDTH / 6)) % 2 === 0 ? 700 : 1500,
    );
    const dark = flat.map(() => 500);
    const stack = known.as((pixels) => Float32Array.from(pixels, (value, i) => 500 + (value * (flat[i] - 500)) / 600));
    const [without, corrected] = [await registerStack(stack, PLAIN), await registerStack(stack, { ...PLAIN, flat, dark })];
    expect(largest(driftErrors(without.drift, known))).toBeGreaterThan(2);
    expect(largest(driftErrors(corrected.drift, known))).toBeLessThan(0.35);
  });
});

describe('a round field of view', () => {
  const round = knownSeries({ aperture: 0.95, height: 200, width: 200, driftPixels: 10 });

  test('is found, and its edge has no vote', async () => {
    const found = await registerStack(round.stack, PLAIN);
    expect(found.aperture?.radius).toBeCloseTo(95, -0.7);
    expect(found.window.size).toBeLessThan(2 * 95 * Math.SQRT1_2);
    expect(largest(driftErrors(found.drift, round))).toBeLessThan(0.6);
  });

  test('may be cut into by a window of the user: the edge is tapered off', async () => {
    const found = await registerStack(round.stack, { ...PLAIN, windowSize: 180 });
    expect(found.window.size).toBe(180);
    expect(largest(driftErrors(found.drift, round))).toBeLessThan(0.6);
  });

  test('is not looked for where the user says so', async () => {
    const found = await registerStack(round.stack, { ...PLAIN, aperture: false });
    expect(found.aperture).toBeUndefined();
    expect(found.window.size).toBe(200);
  });
});

describe('few and odd frames', () => {
  test('one frame: drift 0 and a warning', async () => {
    const found = await withoutLeak(() => registerStack(known.stack.slice(0, 1)));
    expect([...found.drift.row, ...found.drift.column]).toEqual([0, 0]);
    expect(found.warnings).toContain('one frame only: its drift is 0 by definition');
    expect(found.residuals.used).toBe(0);
  });

  test('two frames', async () => {
    const found = await withoutLeak(() => registerStack(known.stack.slice(4, 6)));
    expect(Math.abs(found.drift.row[1] - (known.row[5] - known.row[4]))).toBeLessThan(0.35);
    expect(Math.abs(found.drift.column[1] - (known.column[5] - known.column[4]))).toBeLessThan(0.35);
    expect(found.drift.sigmaRow[0]).toBe(0);
    expect(found.drift.sigmaRow[1]).toBeGreaterThan(0);
    expect(found.drift.sigmaRow[1]).toBeLessThan(2);
  });

  test.each<[string, PixelArray]>([
    ['equal counts', new Uint16Array(64 * 64).fill(500)],
    ['zeros', new Uint16Array(64 * 64)],
    ['an equal fraction', new Float32Array(64 * 64).fill(0.3)],
  ])('frames of %s: drift 0 with infinite error, and a warning', async (_name, pixels) => {
    const stack = ImageStack.fromFrames(new Array(14).fill(pixels), [64, 64]);
    const found = await withoutLeak(() => registerStack(stack));
    expect(found.drift.row.every((value) => value === 0)).toBe(true);
    expect(found.drift.column.every((value) => value === 0)).toBe(true);
    expect(found.drift.sigmaRow.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
    expect(found.drift.sigmaColumn.every((value) => value === Number.POSITIVE_INFINITY)).toBe(true);
    expect(found.drift.used.includes(1)).toBe(false);
    expect(found.warnings).toContain(
      'no two frames have an edge in common (all equal, without contrast, or only noise): drift 0, with infinite error',
    );
  });

  test('frames that hold nothing but noise: drift 0 with infinite error, or interpolated, never a failure', async () => {
    const noise = Array.from({ length: 14 }, (_, n) => {
      const random = new Random(5, n);
      return Uint16Array.from({ length: 128 * 128 }, () => random.normal(9000, 900));
    });
    const found = await withoutLeak(() => registerStack(ImageStack.fromFrames(noise, [128, 128])));
    // nothing holds these frames in place: that must show
    expect(found.warnings).not.toEqual([]);
    for (let n = 0; n < 14; n++) expect(Number.isFinite(found.drift.row[n] + found.drift.column[n])).toBe(true);
  });

  test('the same frame over and over has no drift', async () => {
    const stack = ImageStack.fromFrames(new Array(5).fill(known.frames[3]), [HEIGHT, WIDTH]);
    const found = await registerStack(stack);
    for (const value of [...found.drift.row, ...found.drift.column]) expect(Math.abs(value)).toBeLessThan(1e-4);
  });

  test('frames that hold only noise are interpolated and named; the others keep their drift', async () => {
    const lost = [6, 7, 11];
    const stack = known.as((pixels, n) => {
      if (!lost.includes(n)) return pixels;
      const random = new Random(70, n);
      return pixels.map(() => Math.max(0, random.normal(12000, 800)));
    });
    const found = await registerStack(stack, PLAIN);
    const rest = Array.from({ length: COUNT }, (_, n) => n).filter((n) => !lost.includes(n));
    expect(largest(driftErrors(found.drift, known, rest))).toBeLessThan(0.35);
    for (const n of lost) {
      expect(found.drift.used[n], `frame ${n}`).toBe(0);
      expect(found.drift.remark[n]).toMatch(/^no pair of weight 0\.150 or more joins it to the others$|tell it better$/);
      expect(found.drift.sigmaRow[n]).toBeGreaterThan(0);
    }
    expect(found.drift.row[11]).toBeCloseTo((found.drift.row[10] + found.drift.row[12]) / 2, 9);
  });

  test('frames that are NaN altogether are interpolated and named', async () => {
    const stack = known.as((pixels, n) => Float32Array.from(pixels, (value) => (n === 5 || n === 15 ? Number.NaN : value)));
    const found = await registerStack(stack, PLAIN);
    expect(Array.from(found.drift.used)).toEqual(Array.from({ length: 16 }, (_, n) => (n === 5 || n === 15 ? 0 : 1)));
    // constant beyond the last known frame
    expect(found.drift.row[15]).toBe(found.drift.row[14]);
    expect(found.drift.row.every(Number.isFinite)).toBe(true);
  });

  test('a first frame that is lost: the drift is relative to the first used one', async () => {
    const stack = known.as((pixels, n) => (n === 0 ? new Uint16Array(pixels.length).fill(900) : pixels));
    const found = await registerStack(stack, PLAIN);
    expect(Array.from(found.drift.used.slice(0, 3))).toEqual([0, 1, 1]);
    expect([found.drift.row[0], found.drift.row[1], found.drift.sigmaRow[1]]).toEqual([0, 0, 0]);
    expect(found.drift.sigmaRow[0]).toBeGreaterThan(0);
  });
});

describe('what cannot be is refused, on tag and words', () => {
  const refusal = async (stack: ImageStack, options: RegisterOptions): Promise<LeemError> => {
    try {
      await registerStack(stack, options);
    } catch (error) {
      if (isLeemError(error)) return error;
      throw error;
    }
    throw new Error('not refused');
  };

  test.each<[RegisterOptions, string]>([
    [{ sigma: -1 }, "'sigma' must be from 0 to 100 pixels, got -1"],
    [{ sigma: Number.NaN }, "'sigma' must be from 0 to 100 pixels, got NaN"],
    [{ stride: 0 }, "'stride' must be a whole number from 1, got 0"],
    [{ stride: 1.5 }, "'stride' must be a whole number from 1, got 1.5"],
    [{ minWeight: 1 }, "'minWeight' must be 'auto' or from 0 and below 1, got 1"],
    [{ weightPower: -1 }, "'weightPower' must be 0 or more, got -1"],
    [{ pairs: { band: 0 } }, "'pairs' must be 'all' or a band of at least 1, got 0"],
    [{ pairs: { band: 2.5 } }, "'pairs' must be 'all' or a band of at least 1, got 2.5"],
    [{ windowSize: 14 }, "'windowSize' must be even, at least 16, without prime factors above 5, got 14"],
    [{ windowSize: 101 }, "'windowSize' must be even, at least 16, without prime factors above 5, got 101"],
    [{ windowSize: 98 }, "'windowSize' must be even, at least 16, without prime factors above 5, got 98"],
  ])('%j', async (options, words) => {
    const error = await refusal(known.stack, options);
    expect(error.tag).toBe('OptionError');
    expect(error.message).toBe(`registerStack(): ${words}`);
  });

  test('a window larger than the frames, with the remedy', async () => {
    const error = await refusal(known.stack, { windowSize: 160 });
    expect(error.tag).toBe('ShapeError');
    expect(error.message).toBe(
      "registerStack(): 'windowSize' must fit into the frames of 150 × 164 pixels, got 160; leave it out to take the largest that fits",
    );
  });

  test('frames of less than 16 pixels', async () => {
    const error = await refusal(known.stack.crop({ row: 0, column: 0, height: 15, width: 100 }), {});
    expect(error.tag).toBe('ShapeError');
    expect(error.message).toBe("registerStack(): 'stack' must have frames of at least 16 × 16 pixels, got 15 × 100");
  });

  test.each(['mask', 'flat', 'dark', 'pattern'] as const)('a %s of another size', async (name) => {
    const image = name === 'mask' ? new Uint8Array(7).fill(1) : new Float32Array(7).fill(1);
    const error = await refusal(known.stack, { [name]: image });
    expect(error.tag).toBe('ShapeError');
    expect(error.message).toBe(`registerStack(): '${name}' must be 150 × 164 pixels like the frames, got 7 values`);
  });

  test('NaN only', async () => {
    const error = await refusal(
      known.as((pixels) => new Float32Array(pixels.length).fill(Number.NaN)),
      {},
    );
    expect(error.tag).toBe('ShapeError');
    expect(error.message).toBe("registerStack(): 'stack' must hold measured pixels, got only NaN, masked or missing ones");
  });

  test('a mask that leaves nothing, or nothing inside the window', async () => {
    const nothing = await refusal(known.stack, { mask: new Uint8Array(HEIGHT * WIDTH) });
    expect(nothing.message).toContain('got only NaN, masked or missing ones');
    const corner = new Uint8Array(HEIGHT * WIDTH);
    for (let r = 0; r < 20; r++) corner.fill(1, r * WIDTH, r * WIDTH + 20);
    const outside = await refusal(known.stack, { mask: corner, windowSize: 64 });
    expect(outside.tag).toBe('ShapeError');
    expect(outside.message).toBe(
      "registerStack(): 'mask' must leave pixels inside the window, got none; choose a smaller sigma or another mask",
    );
  });
});
