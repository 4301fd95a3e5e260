import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shiftCubic } from '../../../src/registration/shiftCubic.js';

const [height, width] = [48, 56];
/** Waves of 12 pixels and longer. */
const image = (r: number, c: number): number =>
  Math.sin((2 * Math.PI * r) / 16) * Math.cos((2 * Math.PI * c) / 14) + 0.5 * Math.sin((2 * Math.PI * (r + c)) / 20);
const draw = (shift: readonly [number, number]): Float32Array =>
  Float32Array.from({ length: height * width }, (_, i) => image(Math.floor(i / width) - shift[0], (i % width) - shift[1]));

const shifts = fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.double({ min: -9, max: 9, noNaN: true })) as fc.Arbitrary<
  [number, number]
>;

describe('shiftCubic', () => {
  test('recovers a band-limited image at its new place, + down and + right', () => {
    fc.assert(
      fc.property(shifts, (shift) => {
        const out = new Float32Array(height * width);
        shiftCubic(draw([0, 0]), [height, width], shift, out);
        const expected = draw(shift);
        let known = 0;
        for (let i = 0; i < out.length; i++) {
          if (Number.isNaN(out[i])) continue;
          known++;
          expect(Math.abs(out[i] - expected[i])).toBeLessThan(0.02);
        }
        // two rows and columns at the most are lost besides those that come from outside
        const inside = (height - Math.ceil(Math.abs(shift[0])) - 4) * (width - Math.ceil(Math.abs(shift[1])) - 4);
        expect(known).toBeGreaterThanOrEqual(inside);
      }),
      { numRuns: 40 },
    );
  });

  test('whole pixels are moved exactly; what comes from outside is NaN', () => {
    const source = draw([0, 0]);
    const out = new Float32Array(height * width);
    shiftCubic(source, [height, width], [3, -2], out);
    for (let r = 0; r < height; r++) {
      for (let c = 0; c < width; c++) {
        const [row, column] = [r - 3, c + 2];
        const value = out[r * width + c];
        if (row >= 1 && row + 2 < height && column >= 1 && column + 2 < width) expect(value).toBe(source[row * width + column]);
        else expect(value).toBeNaN();
      }
    }
  });

  test('a missing pixel makes its sixteen neighborhoods NaN and no more', () => {
    const source = draw([0, 0]);
    source[20 * width + 30] = Number.NaN;
    const out = new Float32Array(height * width);
    shiftCubic(source, [height, width], [0.5, 0.5], out);
    let missing = 0;
    for (let r = 4; r < height - 4; r++) for (let c = 4; c < width - 4; c++) if (Number.isNaN(out[r * width + c])) missing++;
    expect(missing).toBe(16);
  });

  test('a shift larger than the image leaves nothing', () => {
    const out = new Float32Array(height * width).fill(1);
    shiftCubic(draw([0, 0]), [height, width], [100.5, 0], out);
    expect(out.every(Number.isNaN)).toBe(true);
    shiftCubic(draw([0, 0]), [height, width], [0, -100.5], out);
    expect(out.every(Number.isNaN)).toBe(true);
  });
});
