import { Buffer } from 'node:buffer';
import type { DataType, Tensor } from '@tensorflow/tfjs';
import { decode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { render } from '../../../kernel-ext/src/session/display/render.js';
import { sampleTensor } from '../../../kernel-ext/src/session/display/sampleTensor.js';
import { tf } from '../../../src/backend/index.js';

let before: number;
beforeEach(() => {
  before = tf.memory().numTensors;
});
afterEach(() => {
  // rendering keeps nothing
  expect(tf.memory().numTensors).toBe(before);
});

async function shown(tensor: Tensor): Promise<{ text: string; html: string; png: Buffer | undefined }> {
  const bundle = await render(tensor);
  if (!tensor.isDisposed) tensor.dispose();
  const png = bundle?.data['image/png'];
  return {
    text: bundle?.data['text/plain'] as string,
    html: bundle?.data['text/html'] as string,
    png: typeof png === 'string' ? Buffer.from(png, 'base64') : undefined,
  };
}

/** Red, green, blue and opacity of a pixel. */
function pixel(png: Buffer, row: number, column: number): number[] {
  const { width, data, channels, palette } = decode(png);
  const at = row * width + column;
  if (palette !== undefined) {
    const [red, green, blue, alpha = 255] = palette[data[at]];
    return [red, green, blue, alpha];
  }
  return Array.from(data.subarray(at * channels, (at + 1) * channels));
}

describe('text and table', () => {
  test.each<[string, () => Tensor, string]>([
    [
      'matrix',
      () =>
        tf.tensor2d([
          [1, 2.5],
          [Number.NaN, -4],
        ]),
      'Tensor float32 [2, 2]  min -4  max 2.5 (1 NaN)\n[[ 1.0,  2.5],\n [ NaN, -4.0]]',
    ],
    ['scalar', () => tf.scalar(0.1), 'Tensor float32 []  min 0.1  max 0.1\n0.1'],
    ['vector', () => tf.tensor1d([1, 2, 3], 'int32'), 'Tensor int32 [3]  min 1  max 3\n[1, 2, 3]'],
    [
      'infinite',
      () => tf.tensor1d([Number.POSITIVE_INFINITY, 1]),
      'Tensor float32 [2]  min 1  max 1 (1 infinite)\n[Infinity, 1]',
    ],
    ['all NaN', () => tf.tensor1d([Number.NaN]), 'Tensor float32 [1]  no finite value (1 NaN)\n[NaN]'],
    [
      'cube',
      () => tf.tensor3d([1, 2, 3, 4], [2, 2, 1]),
      'Tensor float32 [2, 2, 1]  min 1  max 4\n[[[1],\n  [2]],\n [[3],\n  [4]]]',
    ],
    ['stack', () => tf.zeros([3, 64, 64]), 'Tensor float32 [3, 64, 64]  min 0  max 0'],
    ['bool', () => tf.tensor1d([true, false], 'bool'), 'Tensor bool [2]  false and true\n[true, false]'],
    ['string', () => tf.tensor1d(['a', '<b>']), "Tensor string [2]\n['a', '<b>']"],
    [
      'many strings',
      () => tf.fill([200], 'x', 'string'),
      "Tensor string [200]\n'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', …",
    ],
    ['empty', () => tf.zeros([0, 3]), 'Tensor float32 [0, 3] (empty)'],
  ])('%s', async (_, make, text) => {
    expect((await shown(make())).text).toBe(text);
  });

  test('complex numbers', async () => {
    const [real, imaginary] = [tf.tensor1d([1, 2]), tf.tensor1d([3, -4])];
    expect((await shown(tf.complex(real, imaginary))).text).toBe('Tensor complex64 [2]\n[1+3i, 2-4i]');
    tf.dispose([real, imaginary]);
  });

  test('a Variable with its name, escaped', async () => {
    const start = tf.tensor1d([1]);
    const { text, html } = await shown(tf.variable(start, true, '<i>w</i>'));
    start.dispose();
    expect(text).toBe("Variable '<i>w</i>' float32 [1]  min 1  max 1\n[1]");
    expect(html).toContain('&lt;i&gt;w');
    expect(html).not.toContain('<i>');
  });

  test('disposed', async () => {
    const tensor = tf.zeros([2]);
    tensor.dispose();
    expect((await shown(tensor)).text).toBe('Tensor float32 [2] (disposed)');
  });

  test('the table has type, shape, range and memory', async () => {
    const { html } = await shown(tf.zeros([512, 1024]));
    for (const part of ['Tensor float32', '[512, 1024]', '0 … 0', '2.0 MiB']) expect(html).toContain(part);
  });

  test('values of strings are escaped', async () => {
    expect((await shown(tf.tensor1d(['<script>alert(1)</script>']))).html).not.toContain('<script>');
  });
});

describe('thumbnail', () => {
  test('gray from low to high, NaN transparent, one square of pixels a value', async () => {
    const values = new Float32Array(400).map((_, i) => i);
    values[0] = Number.NaN;
    const { png, html } = await shown(tf.tensor2d(values, [20, 20]));
    const image = decode(png!);
    expect([image.height, image.width]).toEqual([160, 160]);
    expect(pixel(png!, 0, 0)[3]).toBe(0);
    expect(pixel(png!, 0, 8)).toEqual([0, 0, 0, 255]);
    expect(pixel(png!, 7, 15)).toEqual([0, 0, 0, 255]);
    expect(pixel(png!, 159, 159)).toEqual([255, 255, 255, 255]);
    // row 10, column 10 holds 210 of 1 … 399
    expect(Math.abs(pixel(png!, 84, 84)[0] - (255 * 209) / 398)).toBeLessThanOrEqual(1.5);
    expect(html).toContain(`data:image/png;base64,${png!.toString('base64')}`);
  });

  test('outliers do not darken the picture', async () => {
    const values = new Float32Array(100 * 100).map((_, i) => (i % 100) / 99);
    values[5050] = 1e6;
    const { png } = await shown(tf.tensor2d(values, [100, 100]));
    expect(pixel(png!, 0, 99)[0]).toBe(255);
    expect(Math.abs(pixel(png!, 0, 50)[0] - 129)).toBeLessThanOrEqual(2);
  });

  test('a large picture is averaged, without its NaN', async () => {
    // columns alternate between 0 and 2, the lower half is higher by 10
    const values = new Float32Array(640 * 800).map((_, i) => 2 * (i % 2) + (i >= 320 * 800 ? 10 : 0));
    values[1] = Number.NaN;
    const { png } = await shown(tf.tensor2d(values, [640, 800]));
    const image = decode(png!);
    expect([image.height, image.width]).toEqual([214, 267]);
    for (const [row, mean] of [
      [50, 1],
      [200, 11],
    ]) {
      const gray = pixel(png!, row, 100)[0];
      // means of three columns: 2/3 or 4/3 above the even one
      expect(Math.abs(gray - (255 * mean) / 12)).toBeLessThan((255 * 0.4) / 12);
    }
    // 4/8 of 12, not 4/9
    expect(pixel(png!, 0, 0)).toEqual([11, 11, 11, 255]);
  });

  test('labels are colored and not averaged', async () => {
    const labels = new Int32Array(1000 * 1000).map((_, i) => (i % 1000 < 500 ? 1 : 4));
    const { png, html } = await shown(tf.tensor2d(labels, [1000, 1000], 'int32'));
    const { width, height } = decode(png!);
    expect([height, width]).toEqual([250, 250]);
    const colors = new Set<string>();
    for (let column = 0; column < width; column++) colors.add(String(pixel(png!, 100, column)));
    expect(colors).toEqual(new Set(['0,114,178,255', '230,159,0,255']));
    expect(html).toContain('2 labels, 1 pixel of 4 × 4');
  });

  test('whole numbers with many values are gray', async () => {
    const counts = new Int32Array(400).map((_, i) => i);
    expect((await shown(tf.tensor2d(counts, [20, 20], 'int32'))).html).toContain('gray from 0 to 399');
  });

  test.each([
    [true, 255],
    [false, 0],
  ])('all %s', async (value, gray) => {
    const { png, text } = await shown(tf.fill([20, 20], value ? 1 : 0, 'bool' as 'int32'));
    expect(text).toBe(`Tensor bool [20, 20]  all ${value}`);
    expect(pixel(png!, 0, 0)).toEqual([gray, gray, gray, 255]);
  });

  test.each<[string, number[], DataType, number[]]>([
    ['0 … 1', [1, 0.5, 0], 'float32', [255, 128, 0, 255]],
    ['0 … 255', [255, 128, 0], 'int32', [255, 128, 0, 255]],
    ['with opacity', [1, 0, 0, 0.2], 'float32', [255, 0, 0, 51]],
    ['NaN', [1, Number.NaN, 0], 'float32', [255, 0, 0, 0]],
  ])('colors %s', async (_, values, dtype, expected) => {
    const one = tf.tensor(values, [1, 1, values.length], dtype);
    const { png } = await shown(tf.tile(one, [12, 12, 1]));
    one.dispose();
    expect(pixel(png!, 3, 3)).toEqual(expected);
  });

  test('equal values, and nothing but NaN, still give a picture', async () => {
    expect((await shown(tf.zeros([16, 16]))).png).toBeDefined();
    expect(pixel((await shown(tf.fill([16, 16], Number.NaN))).png!, 0, 0)[3]).toBe(0);
  });

  test('a thin table is no picture', async () => {
    expect((await shown(tf.zeros([1000, 4]))).png).toBeUndefined();
    expect((await shown(tf.zeros([100_000, 50]))).png).toBeUndefined();
  });
});

describe('very large tensors', () => {
  test('are read in evenly spaced rows', async () => {
    const tensor = tf.tidy(() => tf.tile(tf.range(0, 100).reshape([100, 1]), [1, 50]));
    const sample = await sampleTensor(tensor as never, 50, 10, 1000);
    tensor.dispose();
    expect(sample?.complete).toBe(false);
    expect(sample?.rows).toBe(10);
    expect(Array.from({ length: 10 }, (_, r) => sample?.values[r * 50 + 7])).toEqual([5, 15, 25, 35, 45, 55, 65, 75, 85, 95]);
  });

  test('a picture of them has its true proportions', async () => {
    const { text, png } = await shown(tf.tidy(() => tf.tile(tf.range(0, 4100).reshape([1, 4100]), [16_400, 1])));
    expect(text).toBe('Tensor float32 [16400, 4100]  min 0  max 4099 (from 1,312,000 of 67,240,000 values)');
    const image = decode(png!);
    expect([image.height, image.width]).toEqual([320, 79]);
    expect(pixel(png!, 300, 0)[0]).toBeLessThan(5);
    expect(pixel(png!, 10, 78)[0]).toBeGreaterThan(250);
  });
});
