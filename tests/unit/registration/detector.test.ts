import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { isFastSize } from '../../../src/registration/fftSize.js';
import { findAperture } from '../../../src/registration/findAperture.js';
import { apertureMask, largestWindow, maskTaper, placeWindow } from '../../../src/registration/frameMask.js';
import { surveyStack } from '../../../src/registration/surveyStack.js';
import { ImageStack } from '../../../src/stack/index.js';
import { Random } from '../../../src/synthetic/index.js';

interface Disc {
  readonly row: number;
  readonly column: number;
  readonly radius: number;
}

/** The mean of a series in a round field of view: uneven light, a soft rim, structure, noise; `dark` outside. */
function discImage([height, width]: readonly [number, number], disc: Disc | undefined, dark = 110, seed = 1): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: height * width }, (_, i) => {
    const [r, c] = [Math.floor(i / width) + 0.5, (i % width) + 0.5];
    const light = 1 - 0.4 * Math.hypot(r / height - 0.5, c / width - 0.5) ** 2 + 0.1 * Math.sin(r / 9) * Math.cos(c / 13);
    // the rim is blurred over two pixels
    const share = disc ? 1 / (1 + Math.exp((Math.hypot(r - disc.row, c - disc.column) - disc.radius) / 0.7)) : 1;
    return dark + 4000 * light * share + random.normal(0, 20);
  });
}

describe('findAperture', () => {
  test.each([
    ['in the middle', [300, 320], { row: 150, column: 160, radius: 130 }],
    ['off the middle', [300, 300], { row: 170, column: 135, radius: 120 }],
    ['cut by two sides of the frame', [300, 300], { row: 165, column: 140, radius: 160 }],
    ['cut by all four sides, only the corners are dark', [512, 512], { row: 260, column: 250, radius: 300 }],
    ['wide frame', [200, 600], { row: 100, column: 330, radius: 250 }],
    ['large frames are looked at coarsely', [1024, 1280], { row: 500, column: 660, radius: 470 }],
  ] as const)('finds a disc: %s', (_name, shape, disc) => {
    const found = findAperture(discImage(shape, disc), shape[0], shape[1]);
    expect(found).toBeDefined();
    const tolerance = 2 + disc.radius / 100;
    expect(Math.abs((found as Disc).row - disc.row)).toBeLessThan(tolerance);
    expect(Math.abs((found as Disc).column - disc.column)).toBeLessThan(tolerance);
    expect(Math.abs((found as Disc).radius - disc.radius)).toBeLessThan(tolerance);
  });

  test('without dark count the outside is 0', () => {
    const disc = { row: 128, column: 128, radius: 110 };
    const image = discImage([256, 256], disc, 0).map((value) => Math.max(0, value));
    expect(findAperture(image, 256, 256)?.radius).toBeGreaterThan(107);
  });

  test('finds none where there is none', () => {
    expect(findAperture(discImage([300, 320], undefined), 300, 320)).toBeUndefined();
    expect(findAperture(new Float32Array(200 * 200).fill(7), 200, 200)).toBeUndefined();
    expect(findAperture(new Float32Array(200 * 200), 200, 200)).toBeUndefined();
    expect(findAperture(discImage([300, 300], { row: 150, column: 150, radius: 260 }), 300, 300)).toBeUndefined();
  });

  test('a vignette that fades slowly is no edge', () => {
    const [height, width] = [300, 300];
    const image = Float32Array.from({ length: height * width }, (_, i) => {
      const r = Math.hypot(Math.floor(i / width) - 150, (i % width) - 150) / 212;
      return 100 + 4000 * (1 - 0.6 * r * r);
    });
    expect(findAperture(image, height, width)).toBeUndefined();
  });

  test.each([
    ['a dark island', (r: number, c: number) => Math.hypot(r - 140, c - 190) < 60],
    ['a large dark island', (r: number, c: number) => Math.hypot(r - 150, c - 150) < 90],
    ['a dark half', (_r: number, c: number) => c > 190],
    ['a dark half across', (r: number, c: number) => r + 0.7 * c > 310],
    ['a dark corner', (r: number, c: number) => r > 200 && c > 180],
    ['a bright stripe', (r: number) => Math.abs(r - 150) > 40],
    ['a bright ring on a dark ground', (r: number, c: number) => Math.abs(Math.hypot(r - 150, c - 150) - 50) > 25],
    ['a dark ring', (r: number, c: number) => Math.abs(Math.hypot(r - 150, c - 150) - 100) < 12],
  ])('a feature of the sample is not taken for an aperture: %s', (_name, dark) => {
    const [height, width] = [300, 300];
    const image = discImage([height, width], undefined);
    for (let i = 0; i < image.length; i++) if (dark(Math.floor(i / width), i % width)) image[i] = 110 + 0.25 * (image[i] - 110);
    expect(findAperture(image, height, width)).toBeUndefined();
  });

  test('a dark island inside the disc does not move the disc', () => {
    const [height, width] = [300, 300];
    const disc = { row: 150, column: 150, radius: 135 };
    const image = discImage([height, width], disc);
    for (let i = 0; i < image.length; i++) {
      if (Math.hypot(Math.floor(i / width) - 110, (i % width) - 190) < 40) image[i] = 110 + 0.3 * (image[i] - 110);
    }
    const found = findAperture(image, height, width) as Disc;
    expect(found).toBeDefined();
    expect(Math.hypot(found.row - 150, found.column - 150)).toBeLessThan(3);
    expect(Math.abs(found.radius - 135)).toBeLessThan(3);
  });
});

describe('masks and windows', () => {
  test('apertureMask holds the pixels inside, without the rim', () => {
    const mask = apertureMask({ row: 20, column: 25, radius: 15 }, 40, 50);
    for (let i = 0; i < mask.length; i++) {
      const distance = Math.hypot(Math.floor(i / 50) + 0.5 - 20, (i % 50) + 0.5 - 25);
      expect(mask[i]).toBe(distance <= 12 ? 1 : 0);
    }
  });

  test('largestWindow is of a fast size, inside the frame and inside the disc', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 40, max: 900 }),
        fc.integer({ min: 40, max: 900 }),
        fc.option(
          fc.tuple(
            fc.double({ min: 0.3, max: 0.7, noNaN: true }),
            fc.double({ min: 0.3, max: 0.7, noNaN: true }),
            fc.double({ min: 0.3, max: 1, noNaN: true }),
          ),
          {
            nil: undefined,
          },
        ),
        (height, width, at) => {
          const aperture = at && { row: at[0] * height, column: at[1] * width, radius: at[2] * Math.min(height, width) };
          const { row, column, size } = largestWindow(height, width, 512, aperture);
          expect(isFastSize(size)).toBe(true);
          expect(size).toBeLessThanOrEqual(Math.min(512, height, width));
          expect(Number.isInteger(row) && Number.isInteger(column)).toBe(true);
          expect(row >= 0 && column >= 0 && row + size <= height && column + size <= width).toBe(true);
          if (!aperture) {
            expect(Math.abs(row + size / 2 - height / 2)).toBeLessThanOrEqual(0.5);
            expect(Math.abs(column + size / 2 - width / 2)).toBeLessThanOrEqual(0.5);
          } else if (size > 32) {
            for (const r of [row, row + size])
              for (const c of [column, column + size])
                expect(Math.hypot(r - aperture.row, c - aperture.column)).toBeLessThanOrEqual(aperture.radius);
          }
        },
      ),
    );
  });

  test('without an aperture the window is the largest that fits', () => {
    expect(largestWindow(1024, 1280, 512, undefined)).toEqual({ row: 256, column: 384, size: 512 });
    expect(largestWindow(600, 300, 512, undefined)).toEqual({ row: 150, column: 0, size: 300 });
    expect(largestWindow(600, 592, 512, { row: 300, column: 296, radius: 280 }).size).toBe(384);
  });

  test('placeWindow keeps a window in the frame that the disc would push out', () => {
    expect(placeWindow(100, 120, 64, { row: 10, column: 115, radius: 90 })).toEqual({ row: 0, column: 56, size: 64 });
    expect(placeWindow(100, 120, 64, undefined)).toEqual({ row: 18, column: 28, size: 64 });
  });

  test('maskTaper is 0 near a large masked area, 1 far from it, and soft between', () => {
    const [height, width] = [120, 120];
    const valid = new Uint8Array(height * width).fill(1);
    for (let r = 0; r < height; r++) for (let c = 0; c < 40; c++) valid[r * width + c] = 0;
    const place = { row: 10, column: 10, size: 100 };
    const taper = maskTaper(valid, height, width, place, 3) as Float32Array;
    expect(taper).toHaveLength(100 * 100);
    for (let r = 0; r < 100; r++) {
      const line = taper.subarray(r * 100, (r + 1) * 100);
      for (let c = 1; c < 100; c++) expect(line[c]).toBeGreaterThanOrEqual(line[c - 1]);
      // masked up to column 30 of the window; a Gaussian of 3 px reaches some pixels beyond
      for (let c = 0; c < 35; c++) expect(line[c]).toBe(0);
      for (let c = 60; c < 100; c++) expect(line[c]).toBe(1);
      const largestStep = Math.max(...line.subarray(1).map((value, c) => value - line[c]));
      expect(largestStep).toBeLessThan(0.25);
    }
  });

  test('maskTaper forgets dead pixels and spots, and areas outside the window', () => {
    const valid = new Uint8Array(120 * 120).fill(1);
    valid[60 * 120 + 60] = 0;
    for (let r = 30; r < 36; r++) for (let c = 40; c < 46; c++) valid[r * 120 + c] = 0;
    expect(maskTaper(valid, 120, 120, { row: 10, column: 10, size: 100 }, 3)).toBeUndefined();
    const corner = new Uint8Array(120 * 120).fill(1);
    for (let r = 0; r < 20; r++) for (let c = 0; c < 20; c++) corner[r * 120 + c] = 0;
    expect(maskTaper(corner, 120, 120, { row: 56, column: 56, size: 64 }, 3)).toBeUndefined();
    expect(maskTaper(corner, 120, 120, { row: 0, column: 0, size: 64 }, 3)).toBeDefined();
  });
});

describe('surveyStack', () => {
  const [height, width] = [80, 90];
  const frames = (count: number, change: (pixels: Float32Array, n: number) => void = () => {}): ImageStack => {
    const random = new Random(4);
    return ImageStack.fromFrames(
      Array.from({ length: count }, (_, n) => {
        const pixels = Float32Array.from(
          { length: height * width },
          (_, i) => 500 + 100 * Math.sin(Math.floor(i / width) / 5 + n) * Math.cos((i % width) / 6) + random.normal(0, 10),
        );
        change(pixels, n);
        return pixels;
      }),
      [height, width],
    );
  };

  test('finds dead and hot pixels, and pixels that are missing in every frame', async () => {
    const stack = frames(10, (pixels, n) => {
      pixels[30 * width + 40] = 0;
      pixels[50 * width + 20] = 60000;
      pixels[10 * width + 10] = Number.NaN;
      if (n === 3) pixels[11 * width + 60] = Number.NaN;
    });
    const found = await surveyStack(stack);
    expect(found.badPixels).toBe(3);
    const bad = [...found.valid.keys()].filter((i) => found.valid[i] === 0);
    expect(bad).toEqual([10 * width + 10, 30 * width + 40, 50 * width + 20]);
    expect(found.mean[10 * width + 10]).toBeNaN();
    expect(found.mean[11 * width + 60]).toBeGreaterThan(300);
    expect(found.aperture).toBeUndefined();
  });

  test('a good series has no bad pixels; a 0 is missing where the stack says so', async () => {
    expect((await surveyStack(frames(40))).badPixels).toBe(0);
    const zeros = [Uint16Array.of(0, 5, 6, 7), Uint16Array.of(0, 5, 0, 7)];
    const missing = await surveyStack(ImageStack.fromFrames(zeros, [2, 2], { zeroIsMissing: true }));
    expect(Array.from(missing.valid)).toEqual([0, 1, 1, 1]);
    expect(Array.from(missing.mean)).toEqual([Number.NaN, 5, 6, 7]);
    const counted = await surveyStack(ImageStack.fromFrames(zeros, [2, 2]));
    expect(Array.from(counted.mean)).toEqual([0, 5, 3, 7]);
  });

  test('keeps the mask of the user and leaves the original alone', async () => {
    const mask = new Uint8Array(height * width).fill(1).fill(0, 0, 10 * width);
    const before = mask.slice();
    const found = await surveyStack(frames(4), { mask });
    expect(mask).toEqual(before);
    expect(found.badPixels).toBe(0);
    expect(found.valid).toEqual(before);
  });

  test('the disc is left out, unless it is not looked for', async () => {
    const disc = { row: 40, column: 45, radius: 36 };
    const image = discImage([height, width], disc);
    const stack = ImageStack.fromFrames([image, image], [height, width]);
    const found = await surveyStack(stack);
    expect(found.aperture?.radius).toBeGreaterThan(34);
    expect(found.valid[0]).toBe(0);
    expect(found.valid[40 * width + 45]).toBe(1);
    const whole = await surveyStack(stack, { useAperture: false });
    expect(whole.aperture).toBeUndefined();
    expect(whole.valid[0]).toBe(1);
  });

  test('stops when it is told to', async () => {
    await surveyStack(frames(3), { signal: AbortSignal.abort() }).then(
      () => expect.unreachable(),
      (error: unknown) => expect(isLeemError(error, 'AbortedError')).toBe(true),
    );
  });
});
