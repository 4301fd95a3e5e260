import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openStack } from '../../../src/io/index.js';
import { testPixels } from '../../fixtures/io/elmitecFile.js';
import { nlpFile } from '../../fixtures/io/nlpFile.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const path = join(folder, 'test.nlp');

async function openBytes(bytes: Uint8Array): ReturnType<typeof openStack> {
  writeFileSync(path, bytes);
  return openStack(path);
}

const images = [0, 1, 2].map((n) => ({ pixels: testPixels(4, 6, n), energy: n / 2 - 1, clock: 100 + n, compressed: n === 1 }));

describe('NLP4 files', () => {
  test('are read frame by frame, plain and compressed, with all texts', async () => {
    const stack = await openBytes(nlpFile(4, 6, images));
    expect(stack.shape).toEqual([3, 4, 6]);
    expect(stack.info).toMatchObject({
      pixelType: 'uint16',
      axis: { kind: 'energy', unit: 'eV', values: Float64Array.of(-1, -0.5, 0) },
      pixelSizeNanometers: 4.5,
      mcpBiasKilovolts: Float64Array.of(1.25, 1.25, 1.25),
      attributes: { recorded: 'Sat Feb 23 18:56:51 2019' },
      warnings: [],
    });
    for (const n of [2, 1, 0]) expect(await stack.frame(n)).toEqual(images[n].pixels);
    expect(await stack.metadata(2)).toMatchObject({
      EGY: { value: 0, unit: 'eV' },
      CLK: { value: 102, unit: 's' },
      LNS: { value: 'Bright Field / 5.7 um low', unit: '' },
      COM: { value: '', unit: '' },
    });
  });

  test('of 8 bits are read, plain and compressed', async () => {
    const bytes = images.map(({ pixels, ...rest }) => ({ ...rest, pixels: Uint8Array.from(pixels) }));
    const stack = await openBytes(nlpFile(4, 6, bytes));
    expect(stack.info.pixelType).toBe('uint8');
    for (const n of [0, 1]) expect(await stack.frame(n)).toEqual(bytes[n].pixels);
  });

  test('that are cut off anywhere end with one error', async () => {
    const whole = nlpFile(4, 6, images);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        const error = await errorOf(openBytes(whole.subarray(0, length)));
        expect(error.tag).toBe('DataFormatError');
        expect(error.offset).toBeLessThanOrEqual(Math.max(length, 4096));
      }),
      { numRuns: 60 },
    );
  });

  test('say which check failed at which byte', async () => {
    const whole = nlpFile(4, 6, images);
    const changed = (at: number, ...bytes: number[]): Uint8Array => {
      const copy = whole.slice();
      copy.set(bytes, at);
      return copy;
    };
    const fields = 4096 + 13 + new DataView(whole.buffer).getUint32(4096 + 9, true);
    for (const [bytes, offset, words] of [
      [changed(4100, 0x58), 4100, 'a block IMG00 must stand here, got "XMG00"'],
      [
        changed(5, ...Array.from('            ', (c) => c.charCodeAt(0))),
        5,
        'the NLP4 header must give its size in bytes, got ""',
      ],
      [changed(54, 0x78), 43, 'the NLP4 header must give a positive number of frames'],
      [changed(fields + 12, 7), fields + 71, 'must give as many bytes as 4 × 7 pixels of 16 bits take (56), got 48'],
    ] as const) {
      const error = await errorOf(openBytes(bytes));
      expect(error.message).toContain(words);
      expect(error.offset).toBe(offset);
    }
    expect((await errorOf(openBytes(changed(fields + 20, 12)))).message).toContain(
      `(byte ${fields + 20}): NLP4 images of 12 bits per pixel are not supported, only of 8 and 16`,
    );
  });

  test('with damaged compression end with the byte of the pixels', async () => {
    const [, only] = images;
    const whole = nlpFile(4, 6, [only]);
    const texts = new DataView(whole.buffer).getUint32(4096 + 9, true);
    const pixelOffset = 4096 + 13 + texts + 75;
    whole.fill(0x55, pixelOffset, pixelOffset + 6);
    const error = await errorOf((await openBytes(whole)).frame(0));
    expect(error.message).toContain('the compressed pixels cannot be read; the file is damaged');
    expect(error.offset).toBe(pixelOffset);
  });
});
