import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStackWriter, createZarrGroup, openStack, type StackFormat, writeCsv } from '../../src/io/index.js';
import type { PixelArray } from '../../src/stack/types.js';
import { pythonProblem, runPython } from '../fixtures/io/runPython.js';
import { errorOf, tempFolder } from '../fixtures/io/tempFolder.js';

const problem = pythonProblem(['numpy', 'zarr', 'xarray', 'tifffile', 'imagecodecs', 'h5py', 'netCDF4', 'pandas']);
const folder = tempFolder();
const [N, H, W] = [3, 20, 33];

/** The pixels of tests/fixtures/io/interop.py. */
const value = (n: number, i: number): number => 1 + ((1009 * n + 31 * i) % 97);
const frameOf = (n: number): number[] => Array.from({ length: H * W }, (_, i) => value(n, i));

describe.skipIf(problem !== undefined)(`what Python writes (${problem ?? 'with .venv'})`, () => {
  beforeAll(() => {
    mkdirSync(join(folder, 'theirs'));
    runPython('io/interop.py', 'write', join(folder, 'theirs'));
  });

  const types = ['uint8', 'uint16', 'uint32', 'int16', 'int32', 'float32', 'float64'];
  const stacks: [string, object][] = [
    ...types.map((type): [string, object] => [`plain_${type}.tif`, { pixelType: type, format: 'tiff' }]),
    ...['big_endian', 'bigtiff', 'many_strips', 'tiled', 'gray_rgb', 'deflate', 'lzw', 'packbits', 'zstd'].map(
      (name): [string, object] => [`${name}.tif`, { pixelType: 'uint16' }],
    ),
    ...['deflate_uint16', 'lzw_uint8', 'lzw_uint16', 'deflate_uint32', 'deflate_float32'].map((name): [string, object] => [
      `predictor_${name}.tif`,
      { pixelType: name.split('_')[1] },
    ]),
    ['big_endian_deflate.tif', {}],
    ['imagej.tif', { pixelSizeNanometers: 50 }],
    ['imagej_time.tif', { axis: { kind: 'time', unit: 's', values: Float64Array.of(0, 1.5, 3) } }],
    ['ome.ome.tif', { pixelSizeNanometers: 12.5 }],
    ['energies.tif', { axis: { kind: 'energy', unit: 'eV', values: Float64Array.of(1.5, 2, 2.5) }, warnings: [] }],
    ['tiff_folder', { warnings: ["no energies or times found; the axis is the frame's index"] }],
    ...['v3', 'v2', 'chunks'].map((name): [string, object] => [
      `xarray_${name}.zarr`,
      {
        axis: { kind: 'energy', unit: 'eV', values: Float64Array.of(1.5, 2, 2.5) },
        multiplier: Float64Array.of(1, 2, 4),
        pixelSizeNanometers: 2.5,
        attributes: { sample: 'graphene' },
        zeroIsMissing: false,
        warnings: [],
      },
    ]),
    ...['gzip', 'zstd', 'blosc_lz4', 'blosc_zstd', 'none'].flatMap((codec) =>
      ['uint16', 'float32'].map((type): [string, object] => [`bare_${codec}_${type}.zarr`, { pixelType: type, format: 'zarr' }]),
    ),
    ['sharded.zarr', {}],
    ['big_endian.zarr', {}],
    ['transposed.zarr', {}],
    [
      'published.h5',
      {
        axis: { kind: 'energy', unit: 'eV', values: Float64Array.of(1.5, 2, 2.5) },
        multiplier: Float64Array.of(1, 2, 4),
        mcpBiasKilovolts: Float64Array.of(1.1, 1.2, 1.3),
        format: 'hdf5',
      },
    ],
    ['stagescan.h5', { pixelSizeNanometers: 4.5, attributes: { LNS: 'Bright Field' }, multiplier: Float64Array.of(1, 2, 4) }],
    ['other.h5', {}],
    ['netcdf4.nc', { axis: { kind: 'time', unit: 's', values: Float64Array.of(0, 30, 60) } }],
    ...['uint8', 'int32', 'float32', 'float64'].map((type): [string, object] => [`type_${type}.h5`, { pixelType: type }]),
    ['type_uint16_big.h5', { pixelType: 'uint16' }],
  ];

  test.each(stacks)('%s is read with every value', async (name, info) => {
    const stack = await openStack(join(folder, 'theirs', name));
    expect(stack.shape).toEqual([N, H, W]);
    expect(stack.info).toMatchObject(info);
    // out of order and at once: readers keep no place between frames
    const frames = await Promise.all([2, 0, 1].map((n) => stack.frame(n)));
    for (const [i, n] of [2, 0, 1].entries()) expect(Array.from(frames[i])).toEqual(frameOf(n));
    await stack.close();
  });

  test('a Zarr chunk that was never written is its fill value', async () => {
    const stack = await openStack(join(folder, 'theirs', 'fill.zarr'));
    expect(await stack.frame(0)).toEqual(new Uint16Array(H * W).fill(7));
    expect(Array.from(await stack.frame(1))).toEqual(frameOf(1));
  });

  test('colors and files without a stack are refused', async () => {
    const colors = await openStack(join(folder, 'theirs', 'colors.tif'));
    expect((await errorOf(colors.frame(0))).message).toContain(
      'the image has colors (pixel 0: 1, 1, 2), which are no intensities',
    );
    const none = await errorOf(openStack(join(folder, 'theirs', 'no_stack.h5')));
    expect(none.message).toContain('must hold numbers in [frame, row, column], got /table [5]');
    const named = await errorOf(openStack(join(folder, 'theirs', 'other.h5'), { dataset: 'nothing' }));
    expect(named.message).toContain("must hold a dataset 'nothing', got /entry/deep/images, /entry/small, /table");
    const small = await openStack(join(folder, 'theirs', 'other.h5'), { dataset: 'entry/small' });
    expect(small.shape).toEqual([1, 2, 2]);
    await small.close();
  });
});

interface Described {
  readonly [name: string]: Record<string, unknown> & { readonly pixels: { shape: number[]; dtype: string; values: number[] } };
}

describe.skipIf(problem !== undefined)(`what Python reads of ours (${problem ?? 'with .venv'})`, () => {
  let found: Described;
  const info = {
    frames: N,
    height: H,
    width: W,
    axis: { kind: 'energy', unit: 'eV', values: Float64Array.of(-1.5, 0, 20.25) },
    pixelSizeNanometers: 2.5,
    multiplier: Float64Array.of(1, 2, 0.1),
    mcpBiasKilovolts: Float64Array.of(1.1, 1.2, 1.3),
    pedestal: 64,
    attributes: { sample: 'Ru(0001) µ', provenance: { steps: [1, 2] } },
  } as const;
  const allValues = [0, 1, 2].flatMap(frameOf);

  beforeAll(async () => {
    const ours = join(folder, 'ours');
    const formats: [string, StackFormat][] = [
      ['stack.tif', 'tiff'],
      ['stack.h5', 'hdf5'],
      ['stack.zarr', 'zarr'],
    ];
    for (const [name, format] of formats) {
      const sink = await createStackWriter(join(ours, name), format, info);
      for (const n of [1, 2, 0]) await sink.writeFrame(n, Uint16Array.from(frameOf(n)));
      await sink.finish();
    }
    const pairs = await createZarrGroup(join(ours, 'pairs.zarr'), { attributes: { run: 7 } });
    await pairs.createArray('weight', {
      shape: [3, 3],
      chunks: [2, 2],
      dtype: 'float32',
      fillValue: Number.NaN,
      dimensionNames: ['first', 'second'],
    });
    await pairs.writeChunk('weight', [0, 0], Float32Array.of(1, 2, 3, 4));
    await pairs.writeChunk('weight', [0, 1], Float32Array.of(5, 0, 6, 0));
    await pairs.writeArray('frame', Int32Array.of(3, 5, 9), { dimensionNames: ['first'] });
    await pairs.writeArray(
      'fine',
      Float64Array.from({ length: 20000 }, (_, n) => Math.sqrt(n)),
    );
    await writeCsv(join(ours, 'table.csv'), {
      frame: [0, 1, 2],
      drift_row: [0.1, Number.NaN, Number.POSITIVE_INFINITY],
      'a, "b"': ['x,y', 'say "no"', 'line\nbreak'],
    });
    found = JSON.parse(runPython('io/interop.py', 'read', ours).replaceAll('NaN', '"nan"'));
  });

  test('tifffile reads the TIFF stack, and finds the pixel size and the pages that ImageJ looks for', () => {
    const { pixels, ...rest } = found['stack.tif'];
    expect(pixels).toEqual({ shape: [N, H, W], dtype: 'uint16', values: allValues });
    expect(rest).toMatchObject({ pages: 3, imagej: { images: 3, slices: 3, unit: 'nm' }, contiguous: [N, H, W] });
    expect((rest.resolution as number[])[0]).toBeCloseTo(1 / 2.5, 8);
  });

  test('h5py and netCDF read the HDF5 file in the published layout', () => {
    const { pixels, ...rest } = found['stack.h5'];
    expect(pixels).toEqual({ shape: [N, H, W], dtype: 'uint16', values: allValues });
    expect(rest).toEqual({
      chunks: [1, H, W],
      compression: 'gzip',
      series: { Energy_set: [-1.5, 0, 20.25], multiplier: [1, 2, 0.1], MCP_bias: [1.1, 1.2, 1.3] },
      dimensions: ['time', 'x', 'y'],
      attributes: {
        pedestal: 64,
        pixel_size_nm: 2.5,
        zero_is_missing: 1,
        sample: 'Ru(0001) µ',
        provenance: '{"steps":[1,2]}',
      },
    });
  });

  test('zarr and xarray read the Zarr store, without a warning', () => {
    const { arrays, attributes, coordinates, mean } = found['stack.zarr'];
    expect(arrays).toEqual({
      intensity: { shape: [N, H, W], dtype: 'uint16', values: allValues, dimensions: ['frame', 'row', 'column'] },
      energy: { shape: [N], dtype: 'float64', values: [-1.5, 0, 20.25], dimensions: ['frame'] },
      multiplier: { shape: [N], dtype: 'float64', values: [1, 2, 0.1], dimensions: ['frame'] },
      mcp_bias: { shape: [N], dtype: 'float64', values: [1.1, 1.2, 1.3], dimensions: ['frame'] },
    });
    expect(attributes).toEqual({ ...info.attributes, pedestal: 64, pixel_size_nm: 2.5, zero_is_missing: true });
    expect(coordinates).toEqual({
      energy: [['frame'], [-1.5, 0, 20.25], 'eV'],
      multiplier: [['frame'], [1, 2, 0.1], null],
      mcp_bias: [['frame'], [1.1, 1.2, 1.3], 'kV'],
    });
    expect(mean).toBeCloseTo(allValues.reduce((a, b) => a + b, 0) / allValues.length, 9);
  });

  test('zarr reads a checkpoint of which some chunks are missing', () => {
    const { arrays, attributes } = found['pairs.zarr'] as unknown as {
      arrays: Record<string, { values: (number | string)[]; dimensions: unknown }>;
      attributes: unknown;
    };
    expect(attributes).toEqual({ run: 7 });
    expect(arrays.weight.values).toEqual([1, 2, 5, 3, 4, 6, 'nan', 'nan', 'nan']);
    expect(arrays.weight.dimensions).toEqual(['first', 'second']);
    expect(arrays.frame.values).toEqual([3, 5, 9]);
    expect(arrays.fine.values).toEqual(Array.from({ length: 20000 }, (_, n) => Math.sqrt(n)));
  });

  test('pandas reads the table', () => {
    expect(found['table.csv']).toEqual({
      frame: ['0', '1', '2'],
      drift_row: ['0.1', 'nan', 'inf'],
      'a, "b"': ['x,y', 'say "no"', 'line\nbreak'],
    });
  });

  test('we read what we wrote', async () => {
    for (const name of ['stack.tif', 'stack.h5', 'stack.zarr']) {
      const stack = await openStack(join(folder, 'ours', name));
      expect(stack.info).toMatchObject({ ...info, zeroIsMissing: true });
      const frames: PixelArray[] = await Promise.all([0, 1, 2].map((n) => stack.frame(n)));
      expect(frames.flatMap((frame) => Array.from(frame))).toEqual(allValues);
      await stack.close();
    }
  });
});
