import fc from 'fast-check';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { framesPng, isLeemError } from '../../../src/index.js';

/** Palette entry of every pixel; −1: transparent. */
function levels(png: Uint8Array): { width: number; height: number; values: number[] } {
  const { width, height, data, palette } = decode(png);
  return { width, height, values: Array.from(data, (entry) => (palette![entry][3] === 0 ? -1 : palette![entry][0])) };
}

const ramp = (size: number, factor = 1): Float32Array => Float32Array.from({ length: size }, (_, i) => factor * i);

describe('framesPng', () => {
  test('one frame: black to white over its values', () => {
    const { width, height, values } = levels(framesPng([ramp(12)], [3, 4]));
    expect([width, height]).toEqual([4, 3]);
    expect(values[0]).toBe(0);
    expect(values[11]).toBe(255);
    expect([...values].sort((a, b) => a - b)).toEqual(values);
  });

  test('five frames stand in rows of four, 4 transparent pixels apart', () => {
    const { width, height, values } = levels(
      framesPng(
        Array.from({ length: 5 }, () => ramp(6)),
        [2, 3],
      ),
    );
    expect([width, height]).toEqual([4 * 3 + 3 * 4, 2 * 2 + 4]);
    expect(values.slice(3, 7)).toEqual([-1, -1, -1, -1]);
    // the last row of the sheet holds the fifth frame alone
    const last = values.slice((height - 1) * width);
    expect(last.slice(0, 3).every((value) => value >= 0)).toBe(true);
    expect(last.slice(3).every((value) => value === -1)).toBe(true);
  });

  test('a common contrast keeps the ratio of frames, an own one does not', () => {
    const frames = [ramp(100), ramp(100, 2)];
    const first = (contrast: 'each' | 'common') => {
      const { width, values } = levels(framesPng(frames, [10, 10], { contrast }));
      return [values[9 * width + 9], values[9 * width + 23]];
    };
    expect(first('each')).toEqual([255, 255]);
    const [dim, bright] = first('common');
    expect(bright).toBe(255);
    expect(Math.abs(dim - 128)).toBeLessThanOrEqual(3);
  });

  test('the values of a given contrast become black and white', () => {
    const { values } = levels(framesPng([[0, 1, 2, 3]], [2, 2], { contrast: { low: 1, high: 2 } }));
    expect(values).toEqual([0, 0, 255, 255]);
  });

  test('enlarged, a pixel is a square', () => {
    const { width, height, values } = levels(framesPng([[0, 1]], [1, 2], { enlarge: 3 }));
    expect([width, height]).toEqual([6, 3]);
    expect(values).toEqual([0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255]);
  });

  test('NaN is transparent, 0 only where it means "not measured"', () => {
    const frame = [Number.NaN, 0, 1, 2];
    expect(levels(framesPng([frame], [2, 2])).values.map((value) => value < 0)).toEqual([true, false, false, false]);
    expect(levels(framesPng([frame], [2, 2], { zeroIsMissing: true })).values.map((value) => value < 0)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('a large frame is averaged to fit, and no value leaves the palette', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        (height, width, maxSide) => {
          const png = levels(framesPng([ramp(height * width)], [height, width], { maxSide }));
          expect(Math.max(png.width, png.height)).toBeLessThanOrEqual(maxSide);
          expect(png.values.every((value) => value >= 0 && value <= 255)).toBe(true);
        },
      ),
    );
  });

  test.each([
    ['ShapeError', () => framesPng([], [2, 2]), "framesPng(): 'frames' must hold at least one frame, got none"],
    ['ShapeError', () => framesPng([[1]], [2, 2]), "framesPng(): 'frames' must all hold 2 × 2 pixels, got 1 values in frame 0"],
    [
      'OptionError',
      () => framesPng([[1]], [1, 1], { columns: 0 }),
      "framesPng(): 'columns' must be a whole number from 1, got 0",
    ],
    [
      'OptionError',
      () => framesPng([[1]], [1, 1], { maxSide: 0.5 }),
      "framesPng(): 'maxSide' must be a whole number from 1, got 0.5",
    ],
  ] as const)('wrong use is a %s', (tag, call, message) => {
    let error: unknown;
    try {
      call();
    } catch (caught) {
      error = caught;
    }
    expect(isLeemError(error, tag)).toBe(true);
    expect((error as Error).message).toBe(message);
  });
});
