import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStackWriter, type OutputInfo, openStack, type StackFormat } from '../../../src/io/index.js';
import { PIXEL_ARRAYS } from '../../../src/stack/pixels.js';
import { placeFrame } from '../../../src/stack/placeFrame.js';
import type { FramePlacement, PixelType } from '../../../src/stack/types.js';
import { testPixels } from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
let count = 0;
const newPath = (format: string): string => join(folder, `${count++}`, `result.${format}`);

const axis = (frames: number): OutputInfo['axis'] => ({
  kind: 'energy',
  unit: 'eV',
  values: Float64Array.from({ length: frames }, (_, n) => n / 8 - 1),
});

const info: OutputInfo = {
  frames: 4,
  height: 5,
  width: 7,
  axis: axis(4),
  pixelSizeNanometers: 2.5,
  multiplier: Float64Array.of(1, 2, 4, 0.5),
  pedestal: 100,
  mcpBiasKilovolts: Float64Array.of(1, 1.125, 1.25, 1.5),
  attributes: { sample: 'graphene µ' },
};

const FORMATS: StackFormat[] = ['zarr', 'tiff', 'hdf5'];

describe.each(FORMATS)('a stack written as %s', (format) => {
  test('comes back whole: pixels, axis, multiplier, pedestal, pixel size, bias, attributes', async () => {
    const path = newPath(format);
    const sink = await createStackWriter(path, format, info, { attributes: { provenance: { version: '1', list: [1, 2] } } });
    for (const n of [2, 0, 3, 1]) await sink.writeFrame(n, testPixels(5, 7, n));
    expect(existsSync(path)).toBe(false);
    await sink.finish();
    const stack = await openStack(path);
    expect(stack.shape).toEqual([4, 5, 7]);
    for (const n of [3, 0, 1, 2]) expect(await stack.frame(n)).toEqual(testPixels(5, 7, n));
    expect(stack.info).toMatchObject({
      pixelType: 'uint16',
      axis: info.axis,
      multiplier: info.multiplier,
      pedestal: 100,
      pixelSizeNanometers: 2.5,
      mcpBiasKilovolts: info.mcpBiasKilovolts,
      zeroIsMissing: true,
      attributes: { sample: 'graphene µ', provenance: { version: '1', list: [1, 2] } },
      warnings: [],
    });
    expect(readdirSync(join(path, '..'))).toEqual([`result.${format}`]);
    await stack.close();
  });

  test('holds any shape and type, with a time or index as its axis', async () => {
    const types: PixelType[] = ['uint8', 'uint16', 'uint32', 'int16', 'int32', 'float32'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('time' as const, 'frame' as const),
        async (pixelType, frames, height, width, kind) => {
          const path = newPath(format);
          const values = Float64Array.from({ length: frames }, (_, n) => n * 3);
          const shape = {
            frames,
            height,
            width,
            pixelType,
            axis: { kind, unit: kind === 'time' ? ('s' as const) : ('' as const), values },
          };
          const sink = await createStackWriter(path, format, { ...shape, zeroIsMissing: false }, { threads: 0 });
          const pixels = Array.from({ length: frames }, (_, n) => {
            const frame = new PIXEL_ARRAYS[pixelType](height * width);
            for (let i = 0; i < frame.length; i++) frame[i] = (n * 17 + i * 29) % 120;
            return frame;
          });
          for (const [n, frame] of pixels.entries()) await sink.writeFrame(n, frame);
          await sink.finish();
          const stack = await openStack(path);
          expect(stack.info).toMatchObject({ ...shape, zeroIsMissing: false });
          for (const [n, frame] of pixels.entries()) expect(await stack.frame(n)).toEqual(frame);
          await stack.close();
        },
      ),
      { numRuns: 12 },
    );
  });

  test.each([0, 2])('places frames on the canvas with %i threads', async (threads) => {
    const path = newPath(format);
    const sink = await createStackWriter(path, format, info, { threads });
    const placement = (n: number): FramePlacement => ({
      shift: [n / 3, 1 - n / 4],
      height: 4,
      width: 6,
      outHeight: 5,
      outWidth: 7,
      scale: 0.5,
      offset: 3,
      zeroIsMissing: false,
    });
    for (let n = 0; n < 4; n++) await sink.writePlaced(n, testPixels(4, 6, n), placement(n));
    await sink.finish();
    const stack = await openStack(path);
    for (let n = 0; n < 4; n++) expect(await stack.frame(n)).toEqual(placeFrame(testPixels(4, 6, n), placement(n)));
    await stack.close();
  });

  test('leaves nothing behind when it is aborted, also twice', async () => {
    const path = newPath(format);
    const sink = await createStackWriter(path, format, info);
    await sink.writeFrame(0, testPixels(5, 7));
    await sink.abort();
    await sink.abort();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  test('does not touch a result that stands there, and replaces it only when told to and complete', async () => {
    const path = newPath(format);
    const write = async (start: number, overwrite: boolean): Promise<void> => {
      const sink = await createStackWriter(path, format, info, { overwrite });
      for (let n = 0; n < 4; n++) await sink.writeFrame(n, testPixels(5, 7, start + n));
      await sink.finish();
    };
    await write(0, false);
    const error = await errorOf(write(10, false));
    expect(error.tag).toBe('OutputError');
    expect(error.message).toBe(`${path}: exists already; choose another name, or let it be overwritten`);
    const given = await createStackWriter(path, format, info, { overwrite: true });
    await given.writeFrame(0, testPixels(5, 7, 10));
    await given.abort();
    const old = await openStack(path);
    expect(await old.frame(0)).toEqual(testPixels(5, 7, 0));
    await old.close();
    await write(10, true);
    const stack = await openStack(path);
    expect(await stack.frame(0)).toEqual(testPixels(5, 7, 10));
    await stack.close();
    expect(readdirSync(join(path, '..'))).toEqual([`result.${format}`]);
  });

  test('must be complete', async () => {
    const path = newPath(format);
    const sink = await createStackWriter(path, format, info);
    await sink.writeFrame(1, testPixels(5, 7));
    const error = await errorOf(sink.finish());
    expect(error.message).toBe('finish(): all 4 frames must be written first, got none for 0, 2, 3');
    await sink.abort();
  });

  test('refuses frames that do not fit', async () => {
    const sink = await createStackWriter(newPath(format), format, info);
    await sink.writeFrame(1, testPixels(5, 7));
    for (const [work, words] of [
      [() => sink.writeFrame(1, testPixels(5, 7)), "writeFrame(): 'index' must be new, got 1 a second time"],
      [() => sink.writeFrame(4, testPixels(5, 7)), "writeFrame(): 'index' must be from 0 to 3, got 4"],
      [
        () => sink.writeFrame(2, testPixels(5, 6)),
        "writeFrame(): 'pixels' must hold 5 × 7 uint16 values, got 30 in a Uint16Array",
      ],
      [() => sink.writeFrame(2, new Float32Array(35)), 'got 35 in a Float32Array'],
    ] as const) {
      expect((await errorOf(work())).message).toContain(words);
    }
    await sink.abort();
  });

  test('a folder that cannot be written is one error with its path', async () => {
    const path = newPath(format);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(join(path, '..', 'file'), '');
    const inside = join(path, '..', 'file', `result.${format}`);
    const error = await errorOf(createStackWriter(inside, format, info));
    expect(error.tag).toBe('OutputError');
    expect(error.path).toBe(inside);
    expect(error.message).toContain('a part of the path is a file, not a folder');
    expect(readdirSync(join(path, '..'))).toEqual(['file']);
  });

  test('a stopped signal ends the work', async () => {
    const path = newPath(format);
    const controller = new AbortController();
    const sink = await createStackWriter(path, format, info, { signal: controller.signal });
    await sink.writeFrame(0, testPixels(5, 7));
    controller.abort();
    expect((await errorOf(sink.writeFrame(1, testPixels(5, 7)))).tag).toBe('AbortedError');
    expect((await errorOf(sink.finish())).tag).toBe('AbortedError');
    await sink.abort();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });
});

describe('a Zarr stack', () => {
  test.each([0, 2])('whose disk fails in the middle ends with the path, and has no result (%i threads)', async (threads) => {
    const path = newPath('zarr');
    const sink = await createStackWriter(path, 'zarr', info, { threads });
    // the folder of frame 2 cannot be made: a file has its name
    mkdirSync(join(path, '..', '.result.zarr.part', 'intensity', 'c'), { recursive: true });
    writeFileSync(join(path, '..', '.result.zarr.part', 'intensity', 'c', '2'), '');
    const work = async (): Promise<void> => {
      for (let n = 0; n < 4; n++) await sink.writeFrame(n, testPixels(5, 7, n));
      await sink.finish();
    };
    const error = await errorOf(work());
    expect(error.tag).toBe('OutputError');
    expect(error.path).toBe(path);
    expect(error.message).toContain('cannot be written');
    await sink.abort();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  test('takes the place of what a killed run left', async () => {
    const path = newPath('zarr');
    mkdirSync(join(path, '..', '.result.zarr.part', 'intensity'), { recursive: true });
    writeFileSync(join(path, '..', '.result.zarr.part', 'zarr.json'), 'half');
    const sink = await createStackWriter(path, 'zarr', info);
    for (let n = 0; n < 4; n++) await sink.writeFrame(n, testPixels(5, 7, n));
    await sink.finish();
    expect((await openStack(path)).shape).toEqual([4, 5, 7]);
  });

  test('has one blosc frame a chunk, and its metadata say bitshuffle', async () => {
    const path = newPath('zarr');
    const sink = await createStackWriter(path, 'zarr', info);
    for (let n = 0; n < 4; n++) await sink.writeFrame(n, testPixels(5, 7, n));
    await sink.finish();
    const document = JSON.parse(readFileSync(join(path, 'intensity', 'zarr.json'), 'utf8'));
    expect(document).toMatchObject({
      shape: [4, 5, 7],
      data_type: 'uint16',
      fill_value: 0,
      chunk_grid: { configuration: { chunk_shape: [1, 5, 7] } },
      dimension_names: ['frame', 'row', 'column'],
      codecs: [{ name: 'bytes' }, { name: 'blosc', configuration: { cname: 'zstd', clevel: 1, shuffle: 'bitshuffle' } }],
    });
    const chunk = readFileSync(join(path, 'intensity', 'c', '3', '0', '0'));
    expect(chunk.readUInt32LE(4)).toBe(70);
    expect(chunk.readUInt32LE(12)).toBe(chunk.length);
  });

  test('is not for placed frames where 0 is a count', async () => {
    const path = newPath('zarr');
    const sink = await createStackWriter(path, 'zarr', { ...info, zeroIsMissing: false });
    const placement = {
      shift: [0, 0],
      height: 5,
      width: 7,
      outHeight: 5,
      outWidth: 7,
      scale: 1,
      offset: 0,
      zeroIsMissing: false,
    } as const;
    const error = await errorOf(sink.writePlaced(0, testPixels(5, 7), placement));
    expect(error.message).toContain("with 'zeroIsMissing' true, because 0 marks what is not measured, got uint16 with false");
    await sink.abort();
    const other = await createStackWriter(path, 'zarr', info);
    const wrong = await errorOf(other.writePlaced(0, testPixels(5, 7), { ...placement, outWidth: 8 }));
    expect(wrong.message).toContain('must put 35 pixels on 5 × 7, got 5 × 7 on 5 × 8');
    await other.abort();
  });

  test('needs as many values a frame as frames', async () => {
    const error = await errorOf(createStackWriter(newPath('zarr'), 'zarr', { ...info, multiplier: Float64Array.of(1) }));
    expect(error.message).toBe("createStackWriter(): 'info.multiplier' must hold 4 values, got 1");
    const none = await errorOf(createStackWriter(newPath('zarr'), 'zarr', { ...info, frames: 0 }));
    expect(none.message).toBe("createStackWriter(): 'info.frames' must be a whole number from 1, got 0");
  });
});
