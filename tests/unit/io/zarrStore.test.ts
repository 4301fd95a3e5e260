import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createZarrGroup, openStack, openZarrGroup } from '../../../src/io/index.js';
import { PIXEL_ARRAYS } from '../../../src/stack/pixels.js';
import type { PixelType } from '../../../src/stack/types.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
let count = 0;
const newPath = (): string => join(folder, `store${count++}.zarr`);

describe('a Zarr group', () => {
  test('gives back what was written, of any type, shape and chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(PIXEL_ARRAYS) as PixelType[])),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('blosc' as const, 'none' as const),
        async (dtype, axes, codec) => {
          const group = await createZarrGroup(newPath());
          const shape = axes.map(([size]) => size);
          const chunks = axes.map(([, size]) => size);
          await group.createArray('a', { shape, chunks, dtype, codec });
          const expected = new PIXEL_ARRAYS[dtype](shape.reduce((a, b) => a * b, 1));
          // every element tells its place, and chunks are cut out of that by their definition
          for (let i = 0; i < expected.length; i++) expected[i] = (i * 37) % 101;
          const counts = shape.map((size, axis) => Math.ceil(size / chunks[axis]));
          const all = (sizes: readonly number[]): number[][] =>
            sizes.reduce<number[][]>((rows, n) => rows.flatMap((r) => Array.from({ length: n }, (_, i) => [...r, i])), [[]]);
          for (const at of all(counts)) {
            const chunk = new PIXEL_ARRAYS[dtype](chunks.reduce((a, b) => a * b, 1));
            for (const [k, inside] of all(chunks).entries()) {
              const place = inside.map((i, axis) => i + at[axis] * chunks[axis]);
              if (place.every((p, axis) => p < shape[axis]))
                chunk[k] = expected[place.reduce((sum, p, axis) => sum * shape[axis] + p, 0)];
            }
            await group.writeChunk('a', at, chunk);
          }
          const again = await (await openZarrGroup(group.path)).readArray('a');
          expect(again).toEqual({ shape, data: expected });
        },
      ),
      { numRuns: 40 },
    );
  });

  test('is a checkpoint: it says which chunks stand, and goes on from them', async () => {
    const path = newPath();
    const first = await createZarrGroup(path, { attributes: { run: 'abc' } });
    await first.createArray('weight', { shape: [5, 5], chunks: [2, 2], dtype: 'float32', fillValue: Number.NaN });
    await first.writeChunk('weight', [1, 2], Float32Array.of(1, 2, 3, 4));
    const second = await openZarrGroup(path);
    expect(second.attributes).toEqual({ run: 'abc' });
    expect(await second.hasArray('weight')).toBe(true);
    expect(await second.hasArray('other')).toBe(false);
    expect(await second.hasChunk('weight', 1, 2)).toBe(true);
    expect(await second.hasChunk('weight', 2, 1)).toBe(false);
    expect(await second.readChunk('weight', 1, 2)).toEqual(Float32Array.of(1, 2, 3, 4));
    expect(await second.readChunk('weight', 2, 1)).toEqual(new Float32Array(4).fill(Number.NaN));
    await second.writeChunk('weight', [0, 0], Float32Array.of(5, 6, 7, 8));
    const { data } = await second.readArray('weight');
    expect([data[0], data[1], data[5], data[6], data[2 * 5 + 4], data[3 * 5 + 4]]).toEqual([5, 6, 7, 8, 1, 3]);
    expect(Array.from(data).filter(Number.isNaN)).toHaveLength(25 - 4 - 2);
  });

  test('leaves no temporary files', async () => {
    const group = await createZarrGroup(newPath());
    await group.createArray('a', { shape: [4], chunks: [1], dtype: 'uint8' });
    await Promise.all([0, 1, 2, 3].map((n) => group.writeChunk('a', [n], Uint8Array.of(n))));
    await group.consolidate();
    const names = readdirSync(group.path, { recursive: true }).map(String).sort();
    expect(names).toEqual(['a', 'a/c', 'a/c/0', 'a/c/1', 'a/c/2', 'a/c/3', 'a/zarr.json', 'zarr.json']);
    const document = JSON.parse(readFileSync(join(group.path, 'zarr.json'), 'utf8'));
    expect(Object.keys(document.consolidated_metadata.metadata)).toEqual(['a']);
  });

  test('refuses what does not fit, with the rule and the value', async () => {
    const group = await createZarrGroup(newPath());
    await group.createArray('a', { shape: [4, 4], chunks: [2, 2], dtype: 'float32' });
    const wrongSize = await errorOf(group.writeChunk('a', [0, 0], new Float32Array(3)));
    expect(wrongSize.tag).toBe('ShapeError');
    expect(wrongSize.message).toBe("writeChunk(): 'data' must hold 4 float32 values for a chunk of 'a', got 3 in a Float32Array");
    expect((await errorOf(group.writeChunk('a', [0, 0], new Float64Array(4)))).message).toContain('got 4 in a Float64Array');
    const chunks = await errorOf(group.createArray('b', { shape: [4], chunks: [0], dtype: 'uint8' }));
    expect(chunks.message).toBe("createArray(): 'chunks' must be 1 whole numbers from 1, got [0]");
    const again = await errorOf(createZarrGroup(group.path));
    expect(again.tag).toBe('OutputError');
    expect(again.message).toBe(`${group.path}: holds a Zarr store already; open it, remove it, or choose another name`);
    expect((await errorOf(openZarrGroup(folder))).message).toContain('zarr.json: does not exist');
  });

  test.each(['blosc', 'none'] as const)('a truncated chunk (%s) is an error with its byte', async (codec) => {
    const group = await createZarrGroup(newPath());
    await group.createArray('intensity', { shape: [2, 8, 8], chunks: [1, 8, 8], dtype: 'uint16', codec });
    await group.writeChunk(
      'intensity',
      [1, 0, 0],
      new Uint16Array(64).map((_, i) => i * i),
    );
    const path = group.chunkPath('intensity', [1, 0, 0]);
    const stack = await openStack(group.path);
    for (const size of [readFileSync(path).length - 1, 10, 0]) {
      truncateSync(path, size);
      for (const work of [() => group.readChunk('intensity', 1, 0, 0), () => stack.frame(1)]) {
        const error = await errorOf(work());
        expect(error.tag).toBe('DataFormatError');
        expect(error.path).toBe(path);
        expect(error.offset).toBeGreaterThanOrEqual(0);
        expect(error.message).toContain('truncated');
      }
    }
    // a frame that was never written is a frame of fill values
    expect(await stack.frame(0)).toEqual(new Uint16Array(64));
  });

  test('damaged metadata are an error with the rule', async () => {
    const group = await createZarrGroup(newPath());
    await group.createArray('intensity', { shape: [2, 8, 8], dtype: 'uint16' });
    const file = join(group.path, 'intensity', 'zarr.json');
    const good = readFileSync(file, 'utf8');
    for (const [text, words] of [
      ['{"shape": [2,', 'the file must hold JSON; it is damaged'],
      [good.replace('"uint16"', '"complex64"'), `'data_type' must be one of uint8, uint16`],
      [good.replace('"regular"', '"rectilinear"'), "'chunk_grid' must be regular with 3 sizes"],
    ]) {
      writeFileSync(file, text);
      const error = await errorOf((await openZarrGroup(group.path)).array('intensity'));
      expect(error.tag).toBe('DataFormatError');
      expect(error.path).toBe(file);
      expect(error.message).toContain(words);
    }
  });
});
