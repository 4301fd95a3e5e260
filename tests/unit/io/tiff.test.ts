import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createStackWriter, openStack } from '../../../src/io/index.js';
import { writeTiffDescription } from '../../../src/io/tiffDescription.js';
import { tiffHeader } from '../../../src/io/tiffHeader.js';
import { readTiffPages } from '../../../src/io/tiffPages.js';
import { testPixels } from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const axis = { kind: 'frame', unit: '', values: Float64Array.of(0, 1, 2) } as const;

/** A stack of three frames of 5 × 4 pixels. */
async function writeStack(name: string): Promise<string> {
  const path = join(folder, name);
  const sink = await createStackWriter(path, 'tiff', { frames: 3, height: 5, width: 4, axis }, { overwrite: true });
  for (const n of [0, 1, 2]) await sink.writeFrame(n, testPixels(5, 4, n));
  await sink.finish();
  return path;
}

describe('TIFF files', () => {
  test('that are cut off anywhere, or whose bytes are wrong, end with one error', async () => {
    const whole = readFileSync(await writeStack('whole.tif'));
    const path = join(folder, 'cut.tif');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        writeFileSync(path, whole.subarray(0, length));
        const error = await errorOf(openStack(path));
        expect(error.tag).toBe('DataFormatError');
        expect(error.path).toBe(path);
        expect(error.offset).toBeLessThanOrEqual(length);
      }),
      { numRuns: 60 },
    );
    // any damage of the directories gives an error or a stack, never another exception
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 4, max: 900 }), fc.integer({ min: 0, max: 255 }), async (at, byte) => {
        const damaged = Buffer.from(whole);
        damaged[at] = byte;
        writeFileSync(path, damaged);
        const result = await openStack(path).then((stack) => stack.frame(0).then(() => 'read', errorTag), errorTag);
        expect(['read', 'DataFormatError', 'UnsupportedError']).toContain(result);
      }),
      { numRuns: 200 },
    );
  });

  test('say which page is too short', async () => {
    const path = await writeStack('short.tif');
    const bytes = readFileSync(path);
    const cut = bytes.length - 8;
    writeFileSync(path, bytes.subarray(0, cut));
    const error = await errorOf(openStack(path));
    expect(error.message).toContain(
      `page 3: 40 bytes of pixels must stand at byte ${bytes.length - 40}, but the file has ${cut} bytes; it is truncated`,
    );
    expect(error.offset).toBe(bytes.length - 40);
  });

  test('may not go round in circles', async () => {
    const path = await writeStack('loop.tif');
    const bytes = readFileSync(path);
    const { pages } = await readTiffPages(path);
    // the pointer after the last directory's 11 entries leads back to the first
    bytes.writeUInt32LE(pages[0].offset, pages[2].offset + 2 + 11 * 12);
    writeFileSync(path, bytes);
    expect((await errorOf(openStack(path))).message).toContain('the TIFF directories form a loop');
  });

  test('with color tables or of odd types are named as unsupported', async () => {
    const path = await writeStack('types.tif');
    const bytes = readFileSync(path);
    const [{ offset }] = (await readTiffPages(path)).pages;
    const setTag = (tag: number, value: number): Buffer => {
      const changed = Buffer.from(bytes);
      for (let at = offset + 2; at < offset + 2 + 12 * 12; at += 12) {
        if (changed.readUInt16LE(at) === tag) changed.writeUInt16LE(value, at + 8);
      }
      return changed;
    };
    for (const [tag, value, words] of [
      [262, 3, 'a TIFF image with a color table has no intensities; save it as gray'],
      [258, 12, 'TIFF pixels of 12 bits (sample format 1) are not supported, only uint8, uint16'],
    ] as const) {
      writeFileSync(path, setTag(tag, value));
      const error = await errorOf(openStack(path));
      expect(error.tag).toBe('UnsupportedError');
      expect(error.message).toContain(`${path} (byte ${offset}): ${words}`);
    }
    writeFileSync(path, setTag(256, 3));
    expect((await errorOf(openStack(path))).message).toContain('page 2 has 5 × 4 pixels (rows × columns), but page 1 has 5 × 3');
    writeFileSync(path, setTag(256, 6));
    expect((await errorOf(openStack(path))).message).toContain(
      'page 1: the strips must hold 60 bytes for 5 × 6 pixels (rows × columns), got 40',
    );
  });

  test("ImageJ's stacks beyond 4 GiB, with one directory for all frames, are read to their end", async () => {
    const [frames, height, width] = [1700, 1024, 1280];
    const bytes = height * width * 2;
    const { header, pixelOffset } = tiffHeader({
      frames: 1,
      height,
      width,
      bits: 16,
      sampleFormat: 1,
      description: `ImageJ=1.54f\nimages=${frames}\nslices=${frames}\nunit=micron\n`,
      pixelsPerUnit: 200,
    });
    const path = join(folder, 'large.tif');
    const file = openSync(path, 'w');
    writeSync(file, header, 0, header.length, 0);
    // a file with holes: only the last frame's first pixels are written
    writeSync(file, Uint8Array.of(1, 2, 3, 4), 0, 4, pixelOffset + (frames - 1) * bytes);
    ftruncateSync(file, pixelOffset + frames * bytes);
    closeSync(file);
    const stack = await openStack(path);
    expect(stack.shape).toEqual([frames, height, width]);
    expect(stack.info.pixelSizeNanometers).toBeCloseTo(5, 6);
    expect((await stack.frame(frames - 1)).subarray(0, 3)).toEqual(Uint16Array.of(0x0201, 0x0403, 0));
    const short = openSync(path, 'r+');
    ftruncateSync(short, pixelOffset + frames * bytes - 1);
    closeSync(short);
    expect((await errorOf(openStack(path))).message).toContain(
      `ImageJ's description promises ${frames} images of ${bytes} bytes`,
    );
  });
});

async function errorTag(error: { tag?: string }): Promise<string> {
  return error.tag ?? String(error);
}

describe('the header of a TIFF stack', () => {
  const layout = { height: 1024, width: 1280, bits: 16, sampleFormat: 1, description: 'd', pixelsPerUnit: undefined };

  test('is BigTIFF only where 4 GiB do not suffice', () => {
    expect(tiffHeader({ ...layout, frames: 1600 }).header[2]).toBe(42);
    const big = tiffHeader({ ...layout, frames: 1700 });
    expect(big.header[2]).toBe(43);
    expect(big.pixelOffset % 4096).toBe(0);
  });

  test('of BigTIFF says where every frame stands', async () => {
    const { header, pixelOffset } = tiffHeader({ ...layout, frames: 1700 });
    const path = join(folder, 'big.tif');
    const file = openSync(path, 'w');
    writeSync(file, header, 0, header.length, 0);
    ftruncateSync(file, pixelOffset + 1700 * 1280 * 1024 * 2);
    closeSync(file);
    const { pages } = await readTiffPages(path);
    expect(pages).toHaveLength(1700);
    expect(pages.every((page, n) => page.parts[0].offset === pixelOffset + n * 1280 * 1024 * 2)).toBe(true);
  });

  test('keeps its texts ASCII', () => {
    const text = writeTiffDescription(1, { axis: { kind: 'frame', values: [0] }, attributes: { sample: 'µ\n–' } });
    expect(text).toMatch(/^[\n -~]+$/);
  });
});
