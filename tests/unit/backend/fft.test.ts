import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendInfo, countTensors, irfft2d, readOut, rfft2d, tf } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';

/** The definition of the transform, term by term. */
function directTransform(x: Float32Array, rows: number, columns: number): { re: number[]; im: number[] } {
  const re: number[] = [];
  const im: number[] = [];
  for (let k = 0; k < rows; k++) {
    for (let l = 0; l <= columns / 2; l++) {
      let a = 0;
      let b = 0;
      for (let r = 0; r < rows; r++) {
        for (let c = 0; c < columns; c++) {
          const phase = -2 * Math.PI * ((k * r) / rows + (l * c) / columns);
          a += x[r * columns + c] * Math.cos(phase);
          b += x[r * columns + c] * Math.sin(phase);
        }
      }
      re.push(a);
      im.push(b);
    }
  }
  return { re, im };
}

describe.each(backendInfo.name === 'tensorflow' ? ['tensorflow', 'cpu'] : ['cpu'])('2-D real FFT on %s', (backend) => {
  let before = 0;
  beforeEach(() => {
    tf.setBackend(backend);
    before = countTensors();
  });
  afterEach(() => {
    expect(countTensors(), 'tensors left behind').toBe(before);
    tf.setBackend(backendInfo.name);
  });

  test.each([
    [4, 6],
    [8, 10],
    [12, 4],
  ])('agrees with its definition at %i × %i', (rows, columns) => {
    const x = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i + 1));
    const expected = directTransform(x, rows, columns);
    const re = readOut(() => tf.real(rfft2d(tf.tensor(x, [rows, columns]))));
    const im = readOut(() => tf.imag(rfft2d(tf.tensor(x, [rows, columns]))));
    for (const [i, value] of expected.re.entries()) {
      expect(re[i]).toBeCloseTo(value, 4);
      expect(im[i]).toBeCloseTo(expected.im[i], 4);
    }
  });

  test('the inverse gives the batch back', () => {
    const x = Float32Array.from({ length: 3 * 16 * 20 }, (_, i) => Math.cos(i * 1.7) * 100);
    const back = readOut(() => irfft2d(rfft2d(tf.tensor(x, [3, 16, 20]))));
    for (const [i, value] of x.entries()) expect(back[i]).toBeCloseTo(value, 3);
  });

  test('refuses odd sizes and real spectra with the rule and the value', () => {
    tf.tidy(() => {
      const odd = tf.zeros([5, 4]);
      expect(() => rfft2d(odd)).toThrow("rfft2d(): 'x' must be [..., rows, columns] with even sizes, got [5,4]");
      try {
        irfft2d(odd);
        expect.unreachable();
      } catch (error) {
        expect(isLeemError(error, 'ShapeError')).toBe(true);
      }
    });
  });
});
