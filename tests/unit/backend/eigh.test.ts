import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backendInfo, countTensors, eigh, readAll, tf } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';

describe.each(backendInfo.name === 'tensorflow' ? ['tensorflow', 'cpu'] : ['cpu'])('eigh on %s', (backend) => {
  let before = 0;
  beforeEach(() => {
    tf.setBackend(backend);
    before = countTensors();
  });
  afterEach(() => {
    expect(countTensors(), 'tensors left behind').toBe(before);
    tf.setBackend(backendInfo.name);
  });

  const decompose = (matrix: Float32Array, size: number): [Float32Array, Float32Array] =>
    readAll(() => {
      const { values, vectors } = eigh(tf.tensor2d(matrix, [size, size]));
      return [values, vectors];
    }) as [Float32Array, Float32Array];

  test('gives ascending values and orthonormal vectors in columns that make the matrix again', () => {
    const matrices = fc
      .integer({ min: 1, max: 8 })
      .chain((size) => fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size * size, maxLength: size * size }));
    fc.assert(
      fc.property(matrices, (numbers) => {
        const size = Math.sqrt(numbers.length);
        const matrix = Float32Array.from(numbers, (value, i) => value + numbers[(i % size) * size + Math.floor(i / size)]);
        const [values, vectors] = decompose(matrix, size);
        for (let i = 0; i < size; i++) {
          if (i > 0) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1]);
          for (let j = 0; j < size; j++) {
            let made = 0;
            let product = 0;
            for (let k = 0; k < size; k++) {
              made += vectors[i * size + k] * values[k] * vectors[j * size + k];
              product += vectors[k * size + i] * vectors[k * size + j];
            }
            expect(made).toBeCloseTo(matrix[i * size + j], 4);
            expect(product).toBeCloseTo(i === j ? 1 : 0, 4);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('equal and zero eigenvalues', () => {
    expect(Array.from(decompose(new Float32Array(9), 3)[0])).toEqual([0, 0, 0]);
    const identity = Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 2 : 0));
    for (const value of decompose(identity, 4)[0]) expect(value).toBeCloseTo(2, 6);
    // all ones: rank 1
    const [values] = decompose(new Float32Array(25).fill(1), 5);
    expect(values[4]).toBeCloseTo(5, 5);
    for (const value of values.subarray(0, 4)) expect(value).toBeCloseTo(0, 5);
  });

  test('refuses what is not square', () => {
    tf.tidy(() => {
      for (const wrong of [tf.zeros([2, 3]), tf.zeros([4]), tf.zeros([2, 2, 2])]) {
        try {
          eigh(wrong as never);
          expect.unreachable();
        } catch (error) {
          expect(isLeemError(error, 'ShapeError'), String(error)).toBe(true);
          expect((error as Error).message).toBe(`eigh(): 'matrix' must be [n, n], got [${wrong.shape}]`);
        }
      }
    });
  });
});
