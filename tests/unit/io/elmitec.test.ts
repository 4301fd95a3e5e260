import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openStack } from '../../../src/io/index.js';
import {
  elmitecFile,
  exposure,
  fieldOfView,
  floats,
  gauge,
  namedTag,
  startVoltage,
  testPixels,
  title,
  twoBytes,
} from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder, writeFiles } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const DATA = '../shared/data/uview_singles';

const pixels = testPixels(3, 4);
/** One image of 3 × 4 pixels. */
const single = (tags: readonly (readonly number[])[] = [], more: object = {}): Uint8Array =>
  elmitecFile({ height: 3, width: 4, images: [{ pixels, tags, ...more }] });

async function openBytes(name: string, bytes: Uint8Array): ReturnType<typeof openStack> {
  writeFiles(folder, { [name]: bytes });
  return openStack(join(folder, name));
}

describe('Elmitec .dat', () => {
  test.each([
    ['tags in the header', {}],
    ['tags in a block of their own', { longData: true }],
    ['a markup block', { markup: 14 }],
    ['a markup block of 128 bytes', { markup: 128 }],
    ['markup and a long block', { markup: 300, longData: true }],
  ])('finds the pixels behind %s', async (_, more) => {
    const stack = await openBytes('one.dat', single([startVoltage(4.5)], more));
    expect(stack.shape).toEqual([1, 3, 4]);
    expect(await stack.frame(0)).toEqual(pixels);
    expect(stack.info.axis).toEqual({ kind: 'energy', unit: 'eV', values: Float64Array.of(4.5) });
    expect(stack.info.format).toBe('elmitec-dat');
    expect(stack.info.zeroIsMissing).toBe(false);
  });

  test('reads every tag with its unit', async () => {
    const tags = [
      startVoltage(-3.5),
      namedTag(128 + 11, 'Objective2', 1712.5),
      namedTag(39, 'Sample Temp.4', 78.5),
      namedTag(3, 'Wehnelt', 2),
      namedTag(41, 'Bomb. Voltage1', 99999.9),
      floats(100, -1.5, 1.25),
      exposure(0.25, 8, 1),
      title('island µ'),
      gauge(106, 'MCH', 'mBar', 2 ** -30),
      fieldOfView('40µm\tLEEM', 463.5),
      floats(111, 0.5, 0.75),
      twoBytes(112, 3, 4),
      [255, 255],
      floats(113, 9),
      twoBytes(114, 1, 0),
      floats(115, 4.5),
      floats(116, 1.375),
      namedTag(20, 'Bias2', 1028.5),
    ];
    const stack = await openBytes('tags.dat', single(tags, { longData: true, time: 1414085422.5 }));
    expect(await stack.metadata(0)).toEqual({
      'Acquisition time': { value: '2014-10-23T17:30:22.500Z', unit: 'UTC' },
      'File version': { value: 8, unit: '' },
      'Image version': { value: 6, unit: '' },
      'Bits per pixel': { value: 16, unit: '' },
      'Camera bits': { value: 14, unit: '' },
      'MCP diameter': { value: 463, unit: 'px' },
      Binning: { value: [2, 2], unit: '' },
      'Color scale': { value: [83, 1099], unit: '' },
      'Mask shift': { value: [0, 0], unit: 'px' },
      'Start Voltage': { value: -3.5, unit: 'V' },
      Objective: { value: 1712.5, unit: 'mA' },
      'Sample Temp.': { value: 78.5, unit: '°C' },
      Wehnelt: { value: 2, unit: '' },
      'Bomb. Voltage': { value: null, unit: 'V' },
      'Micrometer x, y': { value: [-1.5, 1.25], unit: '' },
      Exposure: { value: 0.25, unit: 's' },
      Averaging: { value: [8, 1], unit: '' },
      Title: { value: 'island µ', unit: '' },
      MCH: { value: 2 ** -30, unit: 'mBar' },
      'Field of view': { value: '40µm\tLEEM', unit: '' },
      'Field of view calibration': { value: 463.5, unit: '' },
      'Phi, theta': { value: [0.5, 0.75], unit: '' },
      Spin: { value: [3, 4], unit: '' },
      'Field of view rotation': { value: 9, unit: '°' },
      'Mirror state': { value: [1, 0], unit: '' },
      'MCP screen': { value: 4.5, unit: 'kV' },
      'MCP channel plate': { value: 1.375, unit: 'kV' },
      Bias: { value: 1028.5, unit: 'mA' },
    });
    expect(stack.info.pixelSizeNanometers).toBe(40000 / 4);
    expect(stack.info.mcpBiasKilovolts).toEqual(Float64Array.of(1.375));
    expect(stack.info.attributes.field_of_view).toBe('40µm LEEM');
  });

  test('stops at a tag that it does not know, and says so', async () => {
    const stack = await openBytes('unknown.dat', single([startVoltage(1), [120, 1, 2, 3]], { longData: true }));
    expect(stack.info.axis.values[0]).toBe(1);
    expect((await stack.metadata(0))['unread bytes']).toEqual({ value: 4, unit: '' });
  });

  test.each([
    ['none', undefined],
    ['10 µm', 2500],
    ['0µm', undefined],
    ['800nm', 200],
    ['5,5µm', 1375],
  ])('takes the field of view "%s" as %s nm a pixel', async (text, size) => {
    const stack = await openBytes('view.dat', single([fieldOfView(text)]));
    expect(stack.info.pixelSizeNanometers).toBe(size);
  });

  test('skips a recipe block', async () => {
    const bytes = elmitecFile({ height: 3, width: 4, recipe: 40, images: [{ pixels }] });
    expect(await (await openBytes('recipe.dat', bytes)).frame(0)).toEqual(pixels);
  });

  test('says which byte of a header is wrong', async () => {
    const wrong = (offset: number, value: number): Uint8Array => {
      const bytes = single([startVoltage(1)]);
      new DataView(bytes.buffer).setInt16(offset, value, true);
      return bytes;
    };
    for (const [offset, value, at, words] of [
      [20, 96, 20, 'the U-View file header must say that it has 104 bytes, got 96'],
      [40, 0, 40, 'the U-View file header must give a positive width, got 0'],
      [42, -3, 42, 'the U-View file header must give a positive height, got -3'],
      [
        40,
        40,
        392,
        'the headers promise 3 × 40 pixels (rows × columns) of 2 bytes from byte 392 on, up to byte 632, but the file has 416 bytes',
      ],
      [
        42,
        2,
        408,
        'the headers say that the file ends here, but it has 8 more bytes (2 × 4 pixels from byte 392 on); its header is wrong',
      ],
      [104, 280, 104, 'the U-View image header must say that it has 288 bytes, got 280'],
      [126, 5, 416, 'from byte 520 on, up to byte 544, but the file has 416 bytes'],
      [44, 5, 44, 'the file header must give the number of images, got 5 where the file holds 1'],
    ] as const) {
      const error = await errorOf(openBytes('wrong.dat', wrong(offset, value)));
      expect(error.tag).toBe('DataFormatError');
      expect(error.message).toContain(words);
      expect(error.message.startsWith(join(folder, 'wrong.dat'))).toBe(true);
      expect(error.offset, words).toBe(at);
    }
    const error = await errorOf(openBytes('wrong.dat', wrong(24, 8)));
    expect(error.tag).toBe('UnsupportedError');
    expect(error.message).toContain('(byte 24): U-View images of 8 bits per pixel are not supported, only of 16');
  });

  test('refuses a file that is cut off anywhere, and one with more behind it', async () => {
    const whole = single([startVoltage(1), fieldOfView('5µm')], { markup: 10 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length + 300 }), async (length) => {
        fc.pre(length !== whole.length);
        const bytes = new Uint8Array(length);
        bytes.set(whole.subarray(0, Math.min(length, whole.length)));
        const error = await errorOf(openBytes('cut.dat', bytes));
        expect(error.tag).toBe('DataFormatError');
        expect(error.offset).toBeLessThanOrEqual(length);
      }),
      { numRuns: 60 },
    );
  });

  test.skipIf(!existsSync(DATA)).each([
    ['Alba2014', 1024, -1, 10000 / 1024],
    ['Elettra2013', 464, -5, undefined],
    ['Maxlab2015', 1200, -5, 10000 / 1200],
    ['maxpeem_MIT/LEEM', 1024, 5.080014705657959, 10000 / 1024],
  ])('reads %s of another instrument (skipped without ../shared/data)', async (name, size, energy, pixelSize) => {
    const stack = await openStack(`${DATA}/${name}.dat`);
    expect(stack.shape).toEqual([1, size, size]);
    expect(stack.info.axis.values[0]).toBe(energy);
    expect(stack.info.pixelSizeNanometers).toBe(pixelSize);
    const frame = await stack.frame(0);
    // a wrong start of the pixels would put bytes of the header in front, and swapped bytes everywhere
    expect(Math.max(...frame.subarray(0, 50))).toBeLessThan(5000);
    expect(await stack.metadata(0)).not.toHaveProperty('unread bytes');
  });
});

describe('Elmitec .dav', () => {
  const images = [0, 1, 2].map((n) => ({
    pixels: testPixels(3, 4, n),
    tags: [startVoltage(n / 2), namedTag(11, 'Objective2', 1700 + n)],
    markup: n * 100,
    longData: n === 2,
    time: 1.6e9 + n,
  }));

  test('reads the images one after another, each with its own headers', async () => {
    const stack = await openBytes('three.dav', elmitecFile({ height: 3, width: 4, images }));
    expect(stack.info.format).toBe('elmitec-dav');
    expect(stack.info.axis.values).toEqual(Float64Array.of(0, 0.5, 1));
    for (const n of [2, 0, 1]) {
      expect(await stack.frame(n)).toEqual(images[n].pixels);
      expect((await stack.metadata(n)).Objective).toEqual({ value: 1700 + n, unit: 'mA' });
    }
  });

  test('says which number of images the file holds where the header says another', async () => {
    const error = await errorOf(openBytes('two.dav', elmitecFile({ height: 3, width: 4, images, count: 2 })));
    expect(error.message).toContain('(byte 44): the file header must give the number of images, got 2 where the file holds 3');
  });
});
