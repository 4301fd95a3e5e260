import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStack } from '../../../src/io/index.js';
import { concat, elmitecFile, startVoltage, testPixels } from '../../fixtures/io/elmitecFile.js';
import { errorOf, tempFolder, writeFiles } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
let count = 0;

const dat = (n: number, energy?: number, time?: number, [height, width] = [3, 4]): Uint8Array => {
  const tags = energy === undefined ? [] : [startVoltage(energy)];
  return elmitecFile({
    height,
    width,
    images: [{ pixels: testPixels(height, width, n), tags, ...(time === undefined ? {} : { time }) }],
  });
};

/** A folder with these files. */
const folderOf = (files: Record<string, Uint8Array | string>): string => writeFiles(join(folder, `case${count++}`), files);

/** A small gray TIFF of one strip, little-endian, 16 bits. */
function tiff(n: number, [height, width] = [3, 4]): Uint8Array {
  const pixels = new Uint8Array(testPixels(height, width, n).buffer);
  const entries = [
    [256, 3, 1, width],
    [257, 3, 1, height],
    [258, 3, 1, 16],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [273, 4, 1, 8],
    [279, 4, 1, pixels.length],
  ];
  const header = new DataView(new ArrayBuffer(8));
  header.setUint32(0, 0x002a4949, true);
  header.setUint32(4, 8 + pixels.length, true);
  const directory = new DataView(new ArrayBuffer(2 + entries.length * 12 + 4));
  directory.setUint16(0, entries.length, true);
  for (const [i, [tag, type, values, value]] of entries.entries()) {
    directory.setUint16(2 + i * 12, tag, true);
    directory.setUint16(4 + i * 12, type, true);
    directory.setUint32(6 + i * 12, values, true);
    directory.setUint32(10 + i * 12, value, true);
  }
  return concat([new Uint8Array(header.buffer), pixels, new Uint8Array(directory.buffer)]);
}

describe('a folder of frames', () => {
  test('comes in the order of its numbers, whatever the names, and side files are passed over', async () => {
    const path = folderOf({
      'x_10.dat': dat(10, 1),
      'x_9.dat': dat(9, 0.5),
      'x_11.DAT': dat(11, 1.5),
      'Experiment.yaml': 'Type: LEEM',
      'notes.txt': '',
      '.x_8.dat.swp': 'hidden',
    });
    const stack = await openStack(path);
    expect(stack.shape).toEqual([3, 3, 4]);
    expect(stack.info.axis.values).toEqual(Float64Array.of(0.5, 1, 1.5));
    for (const n of [0, 1, 2]) expect(await stack.frame(n)).toEqual(testPixels(3, 4, 9 + n));
    expect(stack.info.paths.map((file) => file.slice(path.length + 1))).toEqual(['x_9.dat', 'x_10.dat', 'x_11.DAT']);
    expect(stack.info.warnings).toEqual([]);
  });

  test('is told by its contents: TIFF images under the name of a text', async () => {
    const stack = await openStack(folderOf({ '1.txt': tiff(1), '2.dat': tiff(2), 'notes.txt': 'none' }));
    expect(stack.info.format).toBe('tiff');
    expect(await stack.frame(1)).toEqual(testPixels(3, 4, 2));
  });

  test('reads overlap', async () => {
    const path = folderOf(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`f${n}.dat`, dat(n, n)])));
    const stack = await openStack(path);
    const frames = await Promise.all(Array.from({ length: 30 }, (_, n) => stack.frame(29 - n)));
    for (const [n, frame] of frames.entries()) expect(frame).toEqual(testPixels(3, 4, 29 - n));
  });

  test('with a lost file gives a warning that names its number', async () => {
    const stack = await openStack(
      folderOf({ 'a_1.dat': dat(1, 1), 'a_2.dat': dat(2, 2), 'a_3.dat': dat(3, 3), 'a_5.dat': dat(5, 5) }),
    );
    expect(stack.info.warnings).toEqual(['file number 4 is missing in the series; its frame is taken as lost']);
  });

  test('without energies gives a warning, and has the time or the index as its axis', async () => {
    const timed = await openStack(folderOf({ '1.dat': dat(1, undefined, 1e9), '2.dat': dat(2, undefined, 1e9 + 2.5) }));
    expect(timed.info.axis).toEqual({ kind: 'time', unit: 's', values: Float64Array.of(0, 2.5) });
    expect(timed.info.warnings).toEqual(['2 of 2 frames have no energy (no Start Voltage in the header); the axis is the time']);
    const bare = await openStack(folderOf({ '1.dat': dat(1, 3), '2.dat': dat(2) }));
    expect(bare.info.axis).toEqual({ kind: 'frame', unit: '', values: Float64Array.of(0, 1) });
    expect(bare.info.warnings[0]).toContain(
      "1 of 2 frames have no energy (no Start Voltage in the header); the axis is the frame's index",
    );
  });

  test('at one energy has the time as its axis and keeps the energy', async () => {
    const stack = await openStack(
      folderOf({ '1.dat': dat(1, 3, 1e9), '2.dat': dat(2, 3, 1e9 + 1), '3.dat': dat(3, 3, 1e9 + 4) }),
    );
    expect(stack.info.axis).toEqual({ kind: 'time', unit: 's', values: Float64Array.of(0, 1, 4) });
    expect(stack.info.attributes.energy).toBe(3);
    expect(stack.info.warnings).toEqual([]);
  });

  test('takes energies as they are, repeated and not in order', async () => {
    const stack = await openStack(folderOf({ '1.dat': dat(1, 3), '2.dat': dat(2, 1), '3.dat': dat(3, 3) }));
    expect(stack.info.axis.values).toEqual(Float64Array.of(3, 1, 3));
  });

  test('that leem wrote opens its result', async () => {
    const path = folderOf({ 'registered.tif': tiff(4), 'report.html': '', 'drift.csv': 'frame' });
    expect(await (await openStack(path)).frame(0)).toEqual(testPixels(3, 4, 4));
  });
});

describe('files, lists and globs', () => {
  const path = folderOf({
    'a_1.dat': dat(1, 1),
    'a_10.dat': dat(10, 10),
    'a_9.dat': dat(9, 9),
    'b_1.dat': dat(1, 1),
    'c/d/e_7.dat': dat(7, 7),
  });
  const energies = async (input: string | string[]): Promise<number[]> => [...(await openStack(input)).info.axis.values];

  test('a glob comes in the order of its numbers', async () => {
    expect(await energies(join(path, 'a_*.dat'))).toEqual([1, 9, 10]);
    expect(await energies(join(path, 'a_?.dat'))).toEqual([1, 9]);
    expect(await energies(join(path, 'a_{9,10}.dat'))).toEqual([9, 10]);
    expect(await energies(join(path, '[!b]_[0-9].dat'))).toEqual([1, 9]);
    expect(await energies(join(path, '**', 'e_*.dat'))).toEqual([7]);
  });

  test('a list as a shell makes it comes in the order of its numbers, any other as it is', async () => {
    const files = ['a_1.dat', 'a_10.dat', 'a_9.dat'].map((name) => join(path, name));
    expect(await energies(files)).toEqual([1, 9, 10]);
    expect(await energies([files[1], files[2], files[0]])).toEqual([10, 9, 1]);
  });

  test('a glob or a list without files is an error', async () => {
    expect((await errorOf(openStack(join(path, 'z*.dat')))).message).toContain('no file matches this pattern');
    expect((await errorOf(openStack([]))).message).toContain("'input' must name at least one file, got an empty list");
    expect((await errorOf(openStack([path, join(path, 'a_1.dat')]))).message).toContain('is a folder in a list of files');
  });
});

describe('bad input', () => {
  const good = dat(1, 1);
  const cases: [string, Record<string, Uint8Array | string>, string, string, number | undefined][] = [
    ['an empty folder', {}, '', 'the folder is empty', undefined],
    ['a folder of other files', { 'a.txt': 'x', 'b.csv': '1' }, '', 'the folder holds no images (2 other files)', undefined],
    [
      'a folder of folders',
      { 'in/1.dat': good },
      '',
      'the folder holds no images (1 folder); give one of its folders, such as in',
      undefined,
    ],
    ['an empty file', { '1.dat': good, '2.dat': '' }, '2.dat', 'the file is empty', 0],
    ['a renamed file', { '1.dat': good, '2.dat': 'not an image' }, '2.dat', 'the file starts with 6e 6f 74 20 61 6e 20 69', 0],
    ['a truncated file', { '1.dat': good, '2.dat': good.subarray(0, 400) }, '2.dat', 'it is truncated', 392],
    [
      'two formats',
      { '1.dat': good, '2.dat': good, '3.tif': tiff(3) },
      '3.tif',
      'is a TIFF file among Elmitec U-View files such as 1.dat; a stack must have one format',
      0,
    ],
    [
      'two sizes of frame',
      { '1.dat': good, '2.dat': dat(2, 2, undefined, [4, 4]) },
      '2.dat',
      'the frame has 4 × 4 pixels (rows × columns), but 1.dat has 3 × 4; all frames of a stack must have one size',
      40,
    ],
    [
      'a movie among frames',
      {
        '1.dat': good,
        '2.dav': elmitecFile({ height: 3, width: 4, images: [{ pixels: testPixels(3, 4) }, { pixels: testPixels(3, 4) }] }),
      },
      '2.dav',
      'holds 2 frames, but a series of files must hold one frame each; open this file alone',
      undefined,
    ],
  ];

  test.each(cases)('%s is one clear error', async (_, files, where, words, offset) => {
    const path = folderOf(files);
    if (!existsSync(path)) writeFiles(folder, { [`${path.slice(folder.length + 1)}/.keep`]: '' });
    const error = await errorOf(openStack(path));
    expect(error.tag).toBe('DataFormatError');
    expect(error.message).toContain(words);
    expect(error.path).toBe(where === '' ? path : join(path, where));
    expect(error.offset).toBe(offset);
  });

  test('a path where nothing is, and a scheme that is none of ours', async () => {
    expect((await errorOf(openStack(join(folder, 'none')))).message).toContain('does not exist; check the path');
    const error = await errorOf(openStack('ftp://host/x.zarr'));
    expect(error.tag).toBe('UnsupportedError');
    expect(error.message).toContain("'input' must be a path or a http(s) URL, got ftp://host/x.zarr");
  });

  test('a stopped signal ends the work', async () => {
    const path = folderOf({ '1.dat': good, '2.dat': dat(2, 2) });
    const stopped = AbortSignal.abort();
    expect((await errorOf(openStack(path, { signal: stopped }))).tag).toBe('AbortedError');
    expect((await errorOf((await openStack(path)).frame(0, stopped))).tag).toBe('AbortedError');
  });
});

describe.skipIf(!existsSync('../shared/data/xmcdpy_peem'))('real data (skipped without ../shared/data)', () => {
  test('the NLP4 frame of ESCHER', async () => {
    const stack = await openStack('../shared/data/escher_nlp');
    expect(stack.shape).toEqual([1, 1024, 1280]);
    expect(stack.info.axis).toEqual({ kind: 'energy', unit: 'eV', values: Float64Array.of(-22) });
    expect(stack.info.pixelSizeNanometers).toBe(4.453125);
    expect(stack.info.mcpBiasKilovolts).toEqual(Float64Array.of(1.356137));
    const frame = Float64Array.from(await stack.frame(0));
    expect([frame.reduce((a, b) => Math.min(a, b)), frame.reduce((a, b) => Math.max(a, b)), frame.at(-1)]).toEqual([
      922, 48959, 1163,
    ]);
    expect((await stack.metadata(0)).EGY).toEqual({ value: -22, unit: 'eV' });
  });
});
