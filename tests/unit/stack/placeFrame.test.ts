import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BYTES_PER_PIXEL,
  type FramePlacement,
  isIntegerType,
  PIXEL_ARRAYS,
  type PixelType,
  placeFrame,
} from '../../../src/stack/index.js';

const base: FramePlacement = {
  shift: [0, 0],
  height: 4,
  width: 5,
  outHeight: 8,
  outWidth: 9,
  scale: 1,
  offset: 0,
  zeroIsMissing: false,
};

/** `output[r, c] = input[r − shift[0], c − shift[1]]`, bilinear, by its definition; undefined: not measured. */
function byDefinition(pixels: ArrayLike<number>, placement: FramePlacement, r: number, c: number): number | undefined {
  const { shift, height, width, zeroIsMissing } = placement;
  let sum = 0;
  const rowFloor = Math.floor(r - shift[0]);
  const columnFloor = Math.floor(c - shift[1]);
  const tr = r - shift[0] - rowFloor;
  const tc = c - shift[1] - columnFloor;
  for (const [i, wr] of [
    [rowFloor, 1 - tr],
    [rowFloor + 1, tr],
  ]) {
    for (const [j, wc] of [
      [columnFloor, 1 - tc],
      [columnFloor + 1, tc],
    ]) {
      if (wr * wc === 0) continue;
      if (i < 0 || j < 0 || i >= height || j >= width) return undefined;
      const value = pixels[i * width + j];
      if (!Number.isFinite(value) || (zeroIsMissing && value === 0)) return undefined;
      sum += wr * wc * value;
    }
  }
  return sum;
}

describe('placeFrame', () => {
  test('is bilinear interpolation by its definition, anywhere on and off the canvas', () => {
    // eighths, so that the fractions are exact
    const eighth = fc.integer({ min: -60, max: 90 }).map((n) => n / 8);
    const pixel = fc.oneof({ weight: 6, arbitrary: fc.nat(60000) }, fc.constantFrom(0, Number.NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(
        fc.tuple(eighth, eighth),
        fc.array(pixel, { minLength: 20, maxLength: 20 }),
        fc.boolean(),
        fc.constantFrom([1, 0], [0.5, 3], [2, -1000]),
        (shift, values, zeroIsMissing, [scale, offset]) => {
          const placement = { ...base, shift: shift as [number, number], zeroIsMissing, scale, offset };
          const found = placeFrame(Float32Array.from(values), placement);
          expect(found).toHaveLength(8 * 9);
          for (let r = 0; r < 8; r++) {
            for (let c = 0; c < 9; c++) {
              const value = byDefinition(values, placement, r, c);
              const stored = value === undefined ? 0 : Math.min(65535, Math.max(1, Math.floor(value * scale + offset + 0.5)));
              expect(found[r * 9 + c], `row ${r}, column ${c}`).toBe(stored);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a frame of its own size is itself, but for 0', () => {
    const pixels = Uint16Array.of(0, 1, 2, 65535, 7, 8);
    const placement = { ...base, height: 2, width: 3, outHeight: 2, outWidth: 3 };
    expect(Array.from(placeFrame(pixels, placement))).toEqual([1, 1, 2, 65535, 7, 8]);
    expect(Array.from(placeFrame(pixels, { ...placement, zeroIsMissing: true }))).toEqual([0, 1, 2, 65535, 7, 8]);
  });

  test('a canvas that is smaller than the frame cuts it', () => {
    const pixels = Uint16Array.from({ length: 20 }, (_, i) => i + 1);
    const found = placeFrame(pixels, { ...base, shift: [-1, -2], outHeight: 2, outWidth: 2 });
    expect(Array.from(found)).toEqual([8, 9, 13, 14]);
  });

  test('does not change its input', () => {
    const pixels = Float32Array.from({ length: 20 }, (_, i) => i);
    const before = pixels.slice();
    placeFrame(pixels, { ...base, shift: [1.5, 0.5] });
    expect(pixels).toEqual(before);
  });
});

test('pixel types agree with their arrays', () => {
  for (const [type, Type] of Object.entries(PIXEL_ARRAYS) as [PixelType, (typeof PIXEL_ARRAYS)[PixelType]][]) {
    expect(new Type(1).BYTES_PER_ELEMENT).toBe(BYTES_PER_PIXEL[type]);
    const one = new Type(1);
    one[0] = 0.5;
    expect(isIntegerType(type)).toBe(one[0] === 0);
  }
});
