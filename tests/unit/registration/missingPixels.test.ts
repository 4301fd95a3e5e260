import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distanceToInvalid } from '../../../src/registration/distance.js';
import { fillMissing } from '../../../src/registration/fillMissing.js';
import { WindowCutter } from '../../../src/registration/windowCutter.js';

const shapeAndMask = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
  .chain(([height, width]) =>
    fc.tuple(
      fc.constant(height),
      fc.constant(width),
      fc.uint8Array({ min: 0, max: 1, minLength: height * width, maxLength: height * width }),
    ),
  );

describe('distanceToInvalid', () => {
  test('is the distance to the nearest invalid pixel, by looking at all of them', () => {
    fc.assert(
      fc.property(shapeAndMask, ([height, width, valid]) => {
        const found = distanceToInvalid(valid, height, width);
        for (let i = 0; i < valid.length; i++) {
          let least = Number.POSITIVE_INFINITY;
          for (let k = 0; k < valid.length; k++) {
            if (valid[k]) continue;
            least = Math.min(least, Math.hypot(Math.floor(i / width) - Math.floor(k / width), (i % width) - (k % width)));
          }
          if (Number.isFinite(least)) expect(found[i]).toBeCloseTo(least, 5);
          else expect(found[i]).toBeGreaterThanOrEqual(1e6);
        }
      }),
    );
  });
});

describe('fillMissing', () => {
  test('leaves known pixels as they are and fills the others within their range', () => {
    fc.assert(
      fc.property(shapeAndMask, fc.integer(), ([height, width, valid], seed) => {
        const image = Float32Array.from(valid, (v, i) => (v ? 5 + Math.sin(seed + i * i) : Number.NaN));
        const filled = image.slice();
        fillMissing(filled, height, width);
        const known = image.filter((value) => !Number.isNaN(value));
        for (let i = 0; i < image.length; i++) {
          if (valid[i]) expect(filled[i]).toBe(image[i]);
          else if (known.length === 0) expect(filled[i]).toBe(0);
          else {
            expect(filled[i]).toBeGreaterThanOrEqual(Math.min(...known) - 1e-4);
            expect(filled[i]).toBeLessThanOrEqual(Math.max(...known) + 1e-4);
          }
        }
      }),
    );
  });

  test('a hole in a slope is filled with the slope, to a part of its step', () => {
    const [height, width] = [40, 50];
    const slope = (i: number): number => 3 * Math.floor(i / width) + 2 * (i % width);
    const image = Float32Array.from({ length: height * width }, (_, i) => {
      const hole = Math.hypot(Math.floor(i / width) - 20, (i % width) - 24) < 4;
      return hole ? Number.NaN : slope(i);
    });
    fillMissing(image, height, width);
    // the hole is 8 pixels wide: its values differ by 29
    for (let i = 0; i < image.length; i++) expect(Math.abs(image[i] - slope(i))).toBeLessThan(8);
  });
});

describe('WindowCutter', () => {
  const [height, width] = [9, 11];
  const pixels = Uint16Array.from({ length: height * width }, (_, i) => i + 1);
  const cut = (place: { row: number; column: number; size: number }, margin: number, side: number, correction = {}) => {
    const out = new Float32Array(side * side + 2).fill(-1);
    new WindowCutter([height, width], place, margin, side, correction).cut(pixels, out, 1);
    expect([out[0], out.at(-1)]).toEqual([-1, -1]);
    return out.subarray(1, side * side + 1);
  };

  test('cuts the window and its margin; beyond the frame the nearest pixel is repeated', () => {
    const side = 8; // one more than window and margins
    const found = cut({ row: 5, column: 7, size: 3 }, 2, side);
    for (let r = 0; r < side; r++) {
      for (let c = 0; c < side; c++) {
        const row = Math.min(height - 1, 3 + Math.min(r, 6));
        const column = Math.min(width - 1, 5 + Math.min(c, 6));
        expect(found[r * side + c]).toBe(row * width + column + 1);
      }
    }
  });

  test('subtracts the dark count, then multiplies with the gain', () => {
    const dark = Float32Array.from(pixels, (_, i) => i % 3);
    const gain = Float32Array.from(pixels, (_, i) => 1 + (i % 4));
    const found = cut({ row: 0, column: 0, size: 4 }, 0, 4, { dark, gain });
    for (let r = 0; r < 4; r++)
      for (let c = 0; c < 4; c++) {
        const i = r * width + c;
        expect(found[r * 4 + c]).toBe((pixels[i] - dark[i]) * gain[i]);
      }
  });

  test.each([
    ['NaN', { pixel: Number.NaN, correction: {} }],
    ['an infinite value', { pixel: Number.POSITIVE_INFINITY, correction: {} }],
    ['a 0 that is missing', { pixel: 0, correction: { zeroIsMissing: true } }],
    ['a masked pixel', { pixel: 1e6, correction: { valid: Uint8Array.from(pixels, (_, i) => (i === 4 * width + 5 ? 0 : 1)) } }],
  ])('%s does not spread: it is filled from its neighbors', (_name, { pixel, correction }) => {
    const frame = new Float32Array(height * width).fill(7);
    frame[4 * width + 5] = pixel;
    const out = new Float32Array(36);
    new WindowCutter([height, width], { row: 2, column: 2, size: 6 }, 0, 6, correction).cut(frame, out, 0);
    for (const value of out) expect(value).toBeCloseTo(7, 5);
  });

  test('a 0 is a count where the stack says so', () => {
    const out = new Float32Array(4);
    new WindowCutter([2, 2], { row: 0, column: 0, size: 2 }, 0, 2).cut(Uint16Array.of(0, 4, 4, 4), out, 0);
    expect(Array.from(out)).toEqual([0, 4, 4, 4]);
  });
});
