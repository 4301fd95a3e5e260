import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AbortedError } from '../../../src/errors.js';
import { DISPLAY, type MimeBundle } from '../../../src/host.js';
import { createStackWriter, openStack } from '../../../src/io/index.js';
import { ImageStack, type StackInfo } from '../../../src/stack/index.js';
import { parseStackBundle, STACK_MIME_TYPE } from '../../../src/wire/index.js';

const SHAPE = [20, 30] as const;
const COUNT = 7;
const frames = Array.from({ length: COUNT }, (_, n) => Uint16Array.from({ length: 600 }, (_, i) => 100 * (n + 1) + (i % 30)));
const info: Partial<StackInfo> = {
  axis: { kind: 'energy', unit: 'eV', values: Float64Array.from(frames, (_, n) => -4 + 0.1 * n) },
  pixelSizeNanometers: 66.6667,
};
const stack = ImageStack.fromFrames(frames, SHAPE, info);

const folder = mkdtempSync(join(tmpdir(), 'leemlab-show-'));
const before = process.cwd();
beforeAll(async () => {
  process.chdir(folder);
  const sink = await createStackWriter('data/seen.zarr', 'zarr', { ...stack.info, zeroIsMissing: true });
  for (const [n, pixels] of frames.entries()) await sink.writeFrame(n, pixels);
  await sink.finish();
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** Size and palette entries of a PNG as this library writes it. */
function readPng(png: Uint8Array): { width: number; height: number; at: (row: number, column: number) => number } {
  const bytes = Buffer.from(png);
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const start = bytes.indexOf('IDAT') + 4;
  const rows = inflateSync(bytes.subarray(start, start + bytes.readUInt32BE(start - 8)));
  return { width, height, at: (row, column) => rows[row * (width + 1) + 1 + column] };
}

test('a stack shows what it is, and its first, middle and last frame', async () => {
  const { data } = await (stack as unknown as { [DISPLAY](): Promise<MimeBundle> })[DISPLAY]();
  expect(data['text/plain']).toBe('ImageStack 7 frames of 20 × 30 uint16, −4.0 … −3.4 eV, 66.7 nm a pixel, memory');
  expect(Object.keys(data)).toEqual(['text/html', 'image/png', 'text/plain']);
  const png = readPng(data['image/png'] as Uint8Array);
  expect([png.width, png.height]).toEqual([3 * 30 + 2 * 4, 20]);
  // each from its darkest to its brightest column, a gap between them that is transparent
  for (const left of [0, 34, 68]) expect([png.at(3, left), png.at(3, left + 29)]).toEqual([1, 255]);
  expect(png.at(3, 31)).toBe(0);
});

test('large frames are made smaller, a single one stands alone', async () => {
  const { data } = await ImageStack.fromFrames([new Float32Array(900 * 700)], [900, 700]).preview();
  expect(data['text/plain']).toBe('ImageStack 1 frame of 900 × 700 float32, memory');
  const png = readPng(data['image/png'] as Uint8Array);
  expect([png.width, png.height]).toEqual([175, 225]);
});

test('a whole stack of a Zarr store tells a viewer where it lies, relative to the working folder', async () => {
  const opened = await openStack('data/seen.zarr');
  const { data } = await opened.preview();
  const bundle = parseStackBundle(JSON.parse(JSON.stringify(data[STACK_MIME_TYPE])));
  expect(bundle).toEqual({
    version: 1,
    path: 'data/seen.zarr',
    array: 'intensity',
    shape: [7, 20, 30],
    dataType: 'uint16',
    axis: { name: 'energy', unit: 'eV', values: [-4, -3.9, -3.8, -3.7, -3.6, -3.5, -3.4] },
    pixelSizeNanometers: 66.6667,
    zeroIsMissing: true,
    contrast: { low: 100, high: 729 },
  });
  process.chdir(join(folder, 'data'));
  const elsewhere = await (await openStack(join(folder, 'data', 'seen.zarr'))).preview();
  expect(elsewhere.data[STACK_MIME_TYPE]).toMatchObject({ path: 'seen.zarr' });
  process.chdir(folder);
});

test.each<[string, (stack: ImageStack) => ImageStack]>([
  ['a slice', (whole) => whole.slice(1)],
  ['every second frame', (whole) => whole.slice(0, 7, 2)],
  ['a crop', (whole) => whole.crop({ row: 1, column: 0, height: 10, width: 30 })],
  ['a coarsened one', (whole) => whole.coarsen(2)],
])('%s is shown, but lies nowhere as such', async (_name, part) => {
  const { data } = await part(await openStack('data/seen.zarr')).preview();
  expect(Object.keys(data)).toEqual(['text/html', 'image/png', 'text/plain']);
});

test('a stack whose frames cannot be read any more is a line of text; a stop is a stop', async () => {
  const failing = (error: Error): ImageStack =>
    new ImageStack({
      info: stack.info,
      readFrame: async () => {
        throw error;
      },
      close: async () => {},
    });
  expect(Object.keys((await failing(new Error('gone')).preview()).data)).toEqual(['text/plain']);
  await expect(failing(new AbortedError('stopped')).preview()).rejects.toThrow('stopped');
});
