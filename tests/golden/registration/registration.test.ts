import { describe, expect, test } from 'vitest';
import { backendInfo, countTensors, eigh, readAll, readOut, tf } from '../../../src/backend/index.js';
import { coarsePeaks } from '../../../src/registration/correlatePairs.js';
import { edgeFilter } from '../../../src/registration/edgeFilter.js';
import { interpolateDrift } from '../../../src/registration/interpolateDrift.js';
import { refinePeaks } from '../../../src/registration/refinePeaks.js';
import { solveDrift } from '../../../src/registration/solveDrift.js';
import { placeFrame } from '../../../src/stack/index.js';
import { pythonProblem, runPython } from '../../fixtures/io/runPython.js';
import { spectraOf } from '../../unit/registration/spectraOf.js';
import { noise, readGolden, waves } from './goldenInputs.js';

const golden = readGolden();

describe('the edge filter is scikit-image’s sobel(gaussian(frame, sigma))', () => {
  const cases = golden.edgeFilter.map(({ height, width, sigma, edges }) => [height, width, sigma, edges] as const);
  const ours = (height: number, width: number, sigma: number): Float32Array => {
    const frame = Float32Array.from(noise(height * width, 7 * height), (value) => 1000 * value);
    return readOut(() => edgeFilter(tf.tensor3d(frame, [1, height, width]), sigma));
  };
  const worst = (got: Float32Array, expected: readonly number[], where: (r: number, c: number) => boolean, width: number) => {
    const range = Math.max(...expected);
    return expected.reduce(
      (most, value, i) => (where(Math.floor(i / width), i % width) ? Math.max(most, Math.abs(got[i] - value) / range) : most),
      0,
    );
  };

  test.each(cases)('inside %i × %i at sigma %f', (height, width, sigma, edges) => {
    const inside = (r: number, c: number): boolean => r > 0 && c > 0 && r < height - 1 && c < width - 1;
    expect(worst(ours(height, width, sigma), edges, inside, width)).toBeLessThan(1e-4);
  });

  test.each(cases)('in the outermost pixels of %i × %i at sigma %f', (height, width, sigma, edges) => {
    const rim = (r: number, c: number): boolean => r === 0 || c === 0 || r === height - 1 || c === width - 1;
    expect(worst(ours(height, width, sigma), edges, rim, width)).toBeLessThan(1e-4);
  });
});

describe('the correlation peak is scikit-image’s phase_cross_correlation, upsampled 2000 times', () => {
  test.each(golden.peaks)('moved by $shift, with $other of other waves', async ({ size, band, shift, other, found }) => {
    const before = countTensors();
    const others = waves(size, band, 77);
    const images = [waves(size, band, 5), waves(size, band, 5, shift).map((value, i) => value + other * others[i])];
    // one more than the highest wave: the Nyquist frequency itself is not kept
    const spectra = spectraOf(images, size, band + 1);
    const [rows, columns] = [
      { start: 0, stop: 1 },
      { start: 1, stop: 2 },
    ];
    const coarse = coarsePeaks(spectra, rows, columns, () => true);
    const fine = await refinePeaks(spectra, rows, columns, coarse, Uint8Array.of(1));
    const grid = size / (2 * (band + 1));
    expect(Math.hypot(coarse.shiftRow[0] - found[0], coarse.shiftColumn[0] - found[1])).toBeLessThan(0.3 * grid);
    // its grid of 1/2000 pixel, and as much of the polynomial's
    expect(Math.abs(fine.shiftRow[0] - found[0])).toBeLessThan(1e-3);
    expect(Math.abs(fine.shiftColumn[0] - found[1])).toBeLessThan(1e-3);
    expect(countTensors()).toBe(before);
  });
});

test.each(golden.shifts)('a frame placed by $shift is scipy.ndimage.shift of order 1', ({ shift, values }) => {
  const pixels = Uint16Array.from(noise(63, 3), (value) => Math.floor(60000 * value));
  const placement = { height: 7, width: 9, outHeight: 13, outWidth: 15, scale: 1, offset: 1, zeroIsMissing: false };
  const placed = placeFrame(pixels, { ...placement, shift: [3 + shift[0], 2 + shift[1]] });
  const expected = values.map((value) => (value === null ? 0 : Math.floor(value + 1.5)));
  // a value that lies on a half may go either way in the last bit
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(placed[i] - value), `row ${Math.floor(i / 15)}, column ${i % 15}`).toBeLessThanOrEqual(value === 0 ? 0 : 1);
    const exact = values[i];
    if (exact !== null) expect(Math.abs(placed[i] - 1 - exact)).toBeLessThanOrEqual(0.5001 + 1e-6 * exact);
  }
});

test('interpolated drifts are scipy’s interp1d', () => {
  const { known, values, count, expected } = golden.interpolation;
  const found = interpolateDrift(known, values, count);
  expect(found).toHaveLength(count);
  for (const [n, value] of expected.entries()) expect(found[n]).toBeCloseTo(value, 5);
});

describe.each(backendInfo.name === 'tensorflow' ? ['tensorflow', 'cpu'] : ['cpu'])('eigh on %s is numpy’s', (backend) => {
  test.each(golden.eigen)('of size $size', ({ size, values, vectors }) => {
    tf.setBackend(backend);
    try {
      const before = countTensors();
      const numbers = noise(size * size, 100 + size).map((value) => value - 0.5);
      const matrix = Float32Array.from(numbers, (value, i) => value + numbers[(i % size) * size + Math.floor(i / size)]);
      const [gotValues, gotVectors] = readAll(() => {
        const found = eigh(tf.tensor2d(matrix, [size, size]));
        return [found.values, found.vectors];
      });
      expect(countTensors()).toBe(before);
      for (let k = 0; k < size; k++) {
        expect(gotValues[k]).toBeCloseTo(values[k], 5);
        // an eigenvector is known but for its sign
        let product = 0;
        for (let i = 0; i < size; i++) product += gotVectors[i * size + k] * vectors[i * size + k];
        expect(Math.abs(product)).toBeCloseTo(1, 5);
      }
    } finally {
      tf.setBackend(backendInfo.name);
    }
  });
});

test.each(golden.drifts)('the drift of $count frames at weight power $power is numpy’s lstsq', ({ count, power, drift }) => {
  const pairs = (count * (count - 1)) / 2;
  const numbers = noise(2 * pairs, 31 * count);
  const table = {
    count,
    shiftRow: new Float32Array(count * count),
    shiftColumn: new Float32Array(count * count),
    weight: new Float32Array(count * count).fill(Number.NaN),
  };
  let p = 0;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++, p++) {
      table.shiftRow[i * count + j] = 10 * numbers[p] - 5;
      table.shiftColumn[i * count + j] = -2 * table.shiftRow[i * count + j];
      table.weight[i * count + j] = 0.3 + 0.7 * numbers[pairs + p];
    }
  }
  const found = solveDrift(table, { weightPower: power });
  for (const [n, value] of drift.entries()) {
    expect(Math.abs(found.row[n] - value)).toBeLessThan(1e-9);
    expect(Math.abs(found.column[n] + 2 * value)).toBeLessThan(1e-9);
  }
});

const problem = pythonProblem(['numpy', 'scipy', 'skimage']);
test.skipIf(problem !== undefined)(`the packages still give the stored values (${problem ?? 'with .venv'})`, () => {
  const flat = (value: unknown): unknown[] =>
    value !== null && typeof value === 'object' ? Object.values(value).flatMap(flat) : [value];
  const now = flat(JSON.parse(runPython('generateRegistration.py', 'check')));
  const stored = flat(golden);
  expect(now).toHaveLength(stored.length);
  for (const [i, value] of stored.entries()) {
    if (typeof value !== 'number') expect(now[i]).toBe(value);
    // an eigenvector's sign is free
    else expect(Math.abs(Math.abs(now[i] as number) - Math.abs(value))).toBeLessThanOrEqual(1e-5 * Math.abs(value) + 1e-6);
  }
});
