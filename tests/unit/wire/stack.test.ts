import { describe, expect, test } from 'vitest';
import { parseStackBundle, type StackBundle } from '../../../src/wire/index.js';

const bundle: StackBundle = {
  version: 1,
  path: '../data/registered.zarr',
  array: 'intensity',
  shape: [2, 592, 600],
  dataType: 'uint16',
  axis: { name: 'energy', unit: 'eV', values: [-4, 19.9] },
  pixelSizeNanometers: 2.5,
  zeroIsMissing: true,
  contrast: { low: 120, high: 900 },
};

describe('parseStackBundle()', () => {
  test('gives back what is right, also after JSON, without unknown fields', () => {
    expect(parseStackBundle({ ...JSON.parse(JSON.stringify(bundle)), more: 1 })).toEqual(bundle);
    const { pixelSizeNanometers: _, ...without } = bundle;
    expect(parseStackBundle(without)).toEqual(without);
    expect(parseStackBundle({ ...bundle, array: '', axis: { ...bundle.axis, values: [] } })).toMatchObject({ array: '' });
  });

  test.each([
    ['/etc/passwd'],
    [''],
    ['file:///etc/passwd'],
    ['https://example.org/a.zarr'],
    ['C:/a.zarr'],
    ['a\\b.zarr'],
    ['a\0.zarr'],
    ['a\n.zarr'],
    ['x'.repeat(5000)],
    [7],
  ])('refuses the path %j', (path) => {
    expect(() => parseStackBundle({ ...bundle, path })).toThrow(/'path' must be a/);
  });

  test.each([
    [null, "'bundle' must be an object"],
    [{ ...bundle, version: '1' }, "'version' must be 1"],
    [{ ...bundle, array: '/x' }, "'array' must be a relative path"],
    [{ ...bundle, shape: [2, 592] }, "'shape' must be an array of 3 to 3 values"],
    [{ ...bundle, shape: [2, 592, 1e9] }, "'shape[2]' must be a whole number from 1 to 1000000"],
    [{ ...bundle, shape: [2.5, 592, 600] }, "'shape[0]' must be a whole number"],
    [{ ...bundle, dataType: 'int64' }, "'dataType' must be"],
    [{ ...bundle, axis: { ...bundle.axis, values: [1] } }, "'axis.values' must be none or 2 values"],
    [{ ...bundle, axis: { ...bundle.axis, values: Array(10_001).fill(1) } }, "'axis.values' must be an array of 0 to 10000"],
    [{ ...bundle, axis: { ...bundle.axis, values: [1, null] } }, "'axis.values[1]' must be a finite number"],
    [{ ...bundle, axis: { ...bundle.axis, unit: 'keV' } }, "'axis.unit' must be"],
    [{ ...bundle, pixelSizeNanometers: 0 }, "'pixelSizeNanometers' must be above 0"],
    [{ ...bundle, contrast: { low: 1, high: 1 } }, "'contrast.high' must be above 'contrast.low' (1), got 1"],
    [{ ...bundle, zeroIsMissing: 'no' }, "'zeroIsMissing' must be true or false"],
  ])('refuses %#', (value, words) => {
    expect(() => parseStackBundle(value)).toThrow(words as string);
  });
});
