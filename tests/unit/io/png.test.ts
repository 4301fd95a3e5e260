import { join } from 'node:path';
import { encode } from 'fast-png';
import { expect, test } from 'vitest';
import { openStack } from '../../../src/io/index.js';
import { testPixels } from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder, writeFiles } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();

test('a folder of PNG images is a stack: gray of 8 or 16 bits, or equal colors', async () => {
  const [gray16, gray8] = [testPixels(3, 5), Uint8Array.from(testPixels(3, 5, 1))];
  writeFiles(join(folder, 'deep'), { '1.png': encode({ width: 5, height: 3, data: gray16, depth: 16, channels: 1 }) });
  const deep = await openStack(join(folder, 'deep'));
  expect(deep.info).toMatchObject({ pixelType: 'uint16', format: 'png', height: 3, width: 5 });
  expect(await deep.frame(0)).toEqual(gray16);
  const rgba = Uint8Array.from({ length: 60 }, (_, i) => (i % 4 === 3 ? 200 + i : gray8[i >> 2]));
  writeFiles(join(folder, 'gray'), {
    '1.png': encode({ width: 5, height: 3, data: gray8, depth: 8, channels: 1 }),
    '2.png': encode({ width: 5, height: 3, data: rgba, depth: 8, channels: 4 }),
  });
  const stack = await openStack(join(folder, 'gray'));
  expect(await stack.frame(0)).toEqual(gray8);
  expect(await stack.frame(1)).toEqual(gray8);
});

test('colors, and a cut-off file, are refused', async () => {
  const data = Uint8Array.from({ length: 45 }, (_, i) => i);
  const colors = encode({ width: 5, height: 3, data, depth: 8, channels: 3 });
  writeFiles(folder, { 'colors.png': colors, 'cut.png': colors.subarray(0, 20), 'short.png': colors.subarray(0, 45) });
  const error = await errorOf((await openStack(join(folder, 'colors.png'))).frame(0));
  expect(error.message).toContain('the image has colors (pixel 0: 0, 1, 2), which are no intensities; save it as gray');
  const cut = await errorOf(openStack(join(folder, 'cut.png')));
  expect(cut.message).toContain('(byte 20): the file ends inside the PNG header; it is truncated');
  const short = await errorOf((await openStack(join(folder, 'short.png'))).frame(0));
  expect(short.message).toContain('the PNG image cannot be read');
});
