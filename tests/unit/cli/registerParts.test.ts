import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashInputs, inputIdentity } from '../../../src/cli/inputIdentity.js';
import { interpolatedWarning } from '../../../src/cli/interpolatedWarning.js';
import { openPairStore, pairStoreFingerprint } from '../../../src/cli/pairStore.js';
import { ReportImageSums } from '../../../src/cli/ReportImageSums.js';
import { assertMemory, planRegistration } from '../../../src/cli/registrationPlan.js';
import { prepareRunFolder } from '../../../src/cli/runFolder.js';
import { isLeemError, type LeemError } from '../../../src/errors.js';
import { openZarrGroup } from '../../../src/io/index.js';
import { PAIR_BLOCK, type PairBlock, planShift } from '../../../src/registration/index.js';
import { ImageStack, type StackInfo } from '../../../src/stack/index.js';
import { Random } from '../../../src/synthetic/index.js';
import { namesIn } from './registerHelpers.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leem-parts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const refusal = async (work: () => unknown): Promise<LeemError> => {
  try {
    await work();
  } catch (error) {
    if (isLeemError(error)) return error;
    throw error;
  }
  throw new Error('not refused');
};

describe('the plan', () => {
  const info = (frames: number, height: number, width: number): StackInfo => ({
    ...ImageStack.fromFrames([new Uint16Array(1)], [1, 1]).info,
    frames,
    height,
    width,
  });
  const options = { sigma: 3, stride: 1, pairs: 'all', pattern: true } as const;

  test('counts frames, pairs and bytes', () => {
    const plan = planRegistration(info(700, 1024, 1280), options);
    expect(plan).toMatchObject({ frames: 700, compared: 700, pairs: 244650, inputBytes: 700 * 1024 * 1280 * 2 });
    expect(planRegistration(info(700, 1024, 1280), { ...options, stride: 5 })).toMatchObject({ compared: 140, pairs: 9730 });
    expect(planRegistration(info(700, 64, 64), { ...options, pairs: { band: 2 } }).pairs).toBe(1397);
    expect(planRegistration(info(1, 64, 64), options)).toMatchObject({ compared: 1, pairs: 0 });
  });

  test('takes longer for more frames, more pairs, and on a slower machine', () => {
    const seconds = (frames: number, more: object = {}): number =>
      planRegistration(info(frames, 512, 512), { ...options, ...more }).seconds;
    expect(seconds(200)).toBeGreaterThan(seconds(100));
    expect(seconds(200, { pairs: { band: 5 } })).toBeLessThan(seconds(200));
    expect(seconds(200, { pattern: false })).toBeLessThan(seconds(200));
    expect(seconds(200, { stride: 4 })).toBeLessThan(seconds(200));
    expect(seconds(200, { slowness: 3 })).toBeCloseTo(3 * seconds(200), 9);
  });

  test('a full series fits into the default of 2 GiB, and grows with its frames', () => {
    const big = planRegistration(info(700, 1024, 1280), options).memoryBytes;
    expect(big).toBeLessThan(2 * 2 ** 30);
    expect(big).toBeGreaterThan(planRegistration(info(100, 1024, 1280), options).memoryBytes);
    expect(planRegistration(info(4000, 1024, 1280), options).memoryBytes).toBeGreaterThan(2 * 2 ** 30);
  });

  test('too little memory is refused with what is needed and what to do', async () => {
    const plan = planRegistration(info(700, 1024, 1280), options);
    assertMemory(plan, plan.memoryBytes);
    const error = await refusal(() => assertMemory(plan, plan.memoryBytes - 1));
    expect(error.tag).toBe('OptionError');
    expect(error.message).toMatch(
      /^--memory must be at least [\d.]+ [MG]iB for 700 compared frames, got .*: allow more, compare fewer frames \(--stride\), or take a smaller --window$/,
    );
  });
});

describe('prepareRunFolder', () => {
  const neither = { overwrite: false, resume: false };
  const out = (): string => join(folder, 'a', 'b');
  const store = (path: string, fingerprint: string) => openPairStore(join(path, 'pairs.zarr'), fingerprint, [0, 1]);

  test('makes a new folder, with its parents', async () => {
    expect(await prepareRunFolder(out(), 'x', neither)).toEqual({ resumed: false });
    expect(await prepareRunFolder(out(), 'x', { overwrite: false, resume: true })).toEqual({ resumed: false });
    expect(namesIn(out())).toEqual([]);
  });

  test('an unfinished run of the same fingerprint goes on; a finished one only when asked to', async () => {
    await prepareRunFolder(out(), 'x', neither);
    await store(out(), 'x');
    expect(await pairStoreFingerprint(join(out(), 'pairs.zarr'))).toBe('x');
    expect(await prepareRunFolder(out(), 'x', neither)).toEqual({ resumed: true });
    writeFileSync(join(out(), 'provenance.json'), '{}');
    const finished = await refusal(() => prepareRunFolder(out(), 'x', neither));
    expect(finished.tag).toBe('OptionError');
    expect(finished.message).toBe(
      `--out ${out()} holds this run already, finished (pairs.zarr, provenance.json): --resume writes them again from its pairs, ` +
        '--overwrite computes everything anew, or give another --out',
    );
    expect(await prepareRunFolder(out(), 'x', { overwrite: false, resume: true })).toEqual({ resumed: true });
  });

  test('another run is refused, replaced with --overwrite, and never resumed', async () => {
    await prepareRunFolder(out(), 'x', neither);
    await store(out(), 'x');
    writeFileSync(join(out(), 'drift.csv'), '');
    writeFileSync(join(out(), 'notes.txt'), 'mine');
    const other = await refusal(() => prepareRunFolder(out(), 'y', neither));
    expect(other.message).toContain(
      'holds the results of another run (drift.csv, pairs.zarr): --overwrite replaces it, --resume',
    );
    const resumed = await refusal(() => prepareRunFolder(out(), 'y', { overwrite: false, resume: true }));
    expect(resumed.message).toContain('holds a run of another input or other options, which cannot be resumed: use --overwrite');
    expect(namesIn(out())).toEqual(['drift.csv', 'notes.txt', 'pairs.zarr']);
    expect(await prepareRunFolder(out(), 'y', { overwrite: true, resume: false })).toEqual({ resumed: false });
    expect(namesIn(out())).toEqual(['notes.txt']);
  });

  test('what a killed run left under temporary names is cleared away, nothing else', async () => {
    mkdirSync(join(out(), '.registered.zarr.part'), { recursive: true });
    writeFileSync(join(out(), '.registered.tif.part'), '');
    writeFileSync(join(out(), '.hidden'), 'mine');
    await prepareRunFolder(out(), 'x', neither);
    expect(namesIn(out())).toEqual(['.hidden']);
  });

  test('refuses both wishes at once, and a file', async () => {
    const both = await refusal(() => prepareRunFolder(out(), 'x', { overwrite: true, resume: true }));
    expect([both.tag, both.message]).toEqual(['OptionError', '--overwrite and --resume exclude each other']);
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const wrong = await refusal(() => prepareRunFolder(file, 'x', neither));
    expect([wrong.tag, wrong.message]).toEqual([
      'OutputError',
      `${file}: is a file, the output needs a folder: give another --out`,
    ]);
    const below = await refusal(() => prepareRunFolder(join(file, 'out'), 'x', neither));
    expect(below.tag).toBe('OutputError');
    expect(below.message).toBe(`${join(file, 'out')}: cannot be written: a part of the path is a file, not a folder`);
  });
});

describe('the warning of interpolated frames', () => {
  // frames 0, 2, 4 … were compared
  const found = (solved: readonly number[], used: readonly number[]) => ({
    frames: solved.map((_, m) => 2 * m),
    solution: { solved: Uint8Array.from(solved) },
    drift: { used: Uint8Array.from(used) },
  });

  test('names those that had a drift of their own, by their place in the input', () => {
    expect(interpolatedWarning(found([1, 1, 0, 1], [1, 0, 0, 0, 0, 0, 1]), 10)).toBe(
      "drift of frame 12 interpolated: the frames around tell it better than the frame's own image",
    );
    expect(interpolatedWarning(found([1, 0, 1], [1, 0, 0, 0, 1]), 0)).toBeUndefined();
  });

  test('many are counted', () => {
    const solved = new Array(20).fill(1);
    expect(interpolatedWarning(found(solved, new Array(40).fill(0)), 0)).toMatch(
      /^drift of frames 0, 2, .*, 22 and 8 more interpolated: .* the frames' own images$/,
    );
  });
});

describe('inputIdentity', () => {
  test('is the same for a relative and a full path, another for other contents', async () => {
    const file = join(folder, 'a.dat');
    writeFileSync(file, 'one');
    const full = await inputIdentity([file]);
    expect(await inputIdentity([relative(process.cwd(), file)])).toBe(full);
    writeFileSync(file, 'more');
    expect(await inputIdentity([file])).not.toBe(full);
  });
});

describe("the report's images", () => {
  const frames = Array.from({ length: 5 }, (_, n) => Float32Array.from({ length: 16 * 16 }, (_, i) => 100 * (n + 1) + i));
  const drift = { row: Float64Array.of(0, 1, 2, 3, 4), column: new Float64Array(5) };

  test('are the first, the last and the mean of the registered frames, before and after', async () => {
    const stack = ImageStack.fromFrames(
      frames.map((frame) => Uint16Array.from(frame)),
      [16, 16],
    );
    const plan = await planShift(stack, drift, { least: 100 });
    const sums = new ReportImageSums(plan, Uint8Array.of(0, 1, 1, 1, 0));
    for (const n of frames.keys()) sums.take(n, await stack.frame(n));
    const { before, after, meanOf } = sums.images();
    expect(meanOf).toBe(3);
    expect([before.first.pixels[0], before.last.pixels[0], before.mean.pixels[0]]).toEqual([200, 400, 300]);
    expect([before.mean.height, after.mean.height]).toEqual([16, 20]);
    // row 4 of the canvas is the reference's first: frame n shows its own row n there
    const at = 4 * after.first.width;
    expect([after.first.pixels[at], after.last.pixels[at]]).toEqual([200 + 16, 400 + 48]);
    expect(after.mean.pixels[at]).toBeCloseTo(300 + 32, 3);
    // what no frame reaches was not measured
    expect(after.mean.pixels[after.mean.pixels.length - 1]).toBeNaN();
  });

  test('without a registered frame the first stands for all', async () => {
    const stack = ImageStack.fromFrames(frames.slice(0, 2), [16, 16]);
    const still = { row: new Float64Array(2), column: new Float64Array(2) };
    const sums = new ReportImageSums(await planShift(stack, still), new Uint8Array(2));
    for (const n of [0, 1]) sums.take(n, await stack.frame(n));
    const { after } = sums.images();
    expect(after.first).toBe(after.last);
    expect(Math.abs(after.first.pixels[7] - frames[0][7])).toBeLessThan(0.01);
  });
});

describe('pairs.zarr', () => {
  const COUNT = PAIR_BLOCK + 5;
  const block = (rows: number, columns: number, seed: number): PairBlock => {
    const random = new Random(seed);
    const values = (): Float32Array => Float32Array.from({ length: rows * columns }, () => random.normal());
    const weight = Float32Array.from({ length: rows * columns }, () => random.uniform());
    weight[3] = Number.NaN; // a pair that was not chosen
    return { shiftRow: values(), shiftColumn: values(), weight };
  };
  const frames = Array.from({ length: COUNT }, (_, m) => 10 + 2 * m);

  test('gives a block back as it was, also to the next run, and knows which are missing', async () => {
    const path = join(folder, 'pairs.zarr');
    const store = await openPairStore(path, 'f', frames);
    expect(await store.read(0, 1)).toBeUndefined();
    const corner = block(PAIR_BLOCK, 5, 1);
    await store.write(0, 1, corner);
    const again = await openPairStore(path, 'f', frames);
    const found = (await again.read(0, 1)) as PairBlock;
    expect(await again.read(0, 0)).toBeUndefined();
    expect(found.weight).toEqual(corner.weight);
    for (const name of ['shiftRow', 'shiftColumn'] as const) {
      for (const [p, value] of corner[name].entries()) expect(found[name][p]).toBe(p === 3 ? Number.NaN : value);
    }
  });

  test('holds both triangles: shifts antisymmetric, weights symmetric, 0 and 1 on the diagonal', async () => {
    const path = join(folder, 'pairs.zarr');
    const store = await openPairStore(path, 'f', frames);
    const [diagonal, corner] = [block(PAIR_BLOCK, PAIR_BLOCK, 2), block(PAIR_BLOCK, 5, 3)];
    await store.write(0, 0, diagonal);
    await store.write(0, 1, corner);
    const group = await openZarrGroup(path);
    const read = async (name: string): Promise<Float32Array> => (await group.readArray(name)).data as Float32Array;
    const [row, weight] = [await read('shift_row'), await read('weight')];
    expect(Array.from((await group.readArray('frame')).data)).toEqual(frames);
    for (let i = 0; i < PAIR_BLOCK; i++) {
      expect([row[i * COUNT + i], weight[i * COUNT + i]]).toEqual([0, 1]);
      for (let j = i + 1; j < COUNT; j++) {
        const [up, down] = [i * COUNT + j, j * COUNT + i];
        const inCorner = j >= PAIR_BLOCK;
        const from = inCorner ? corner : diagonal;
        const p = inCorner ? i * 5 + (j - PAIR_BLOCK) : i * PAIR_BLOCK + j;
        if (Number.isNaN(from.weight[p])) {
          expect([row[up], row[down], weight[up], weight[down]]).toEqual(new Array(4).fill(Number.NaN));
          continue;
        }
        expect([row[up], row[down]]).toEqual([from.shiftRow[p], -from.shiftRow[p]]);
        expect([weight[up], weight[down]]).toEqual([from.weight[p], from.weight[p]]);
      }
    }
    // the last block was not written
    expect(weight[COUNT * COUNT - 1]).toBeNaN();
  });

  test('a block whose weights were not written is not there', async () => {
    const path = join(folder, 'pairs.zarr');
    const store = await openPairStore(path, 'f', frames);
    await store.write(0, 1, block(PAIR_BLOCK, 5, 1));
    rmSync(join(path, 'weight', 'c', '0', '1'));
    expect(await store.read(0, 1)).toBeUndefined();
  });

  test('no store, or something else, has no fingerprint', async () => {
    expect(await pairStoreFingerprint(join(folder, 'absent'))).toBeUndefined();
    mkdirSync(join(folder, 'odd'));
    writeFileSync(join(folder, 'odd', 'zarr.json'), '{"zarr_format":3,"node_type":"group","attributes":{"fingerprint":7}}');
    expect(await pairStoreFingerprint(join(folder, 'odd'))).toBeUndefined();
  });
});

describe('inputs', () => {
  const never = new AbortController().signal;

  test('the identity changes with name, size and time of change, not with reading', async () => {
    const [a, b] = [join(folder, 'a.dat'), join(folder, 'b.dat')];
    writeFileSync(a, 'one');
    writeFileSync(b, 'two');
    const first = await inputIdentity([a, b]);
    expect(await inputIdentity([a, b])).toBe(first);
    expect(await inputIdentity([b, a])).not.toBe(first);
    expect(await inputIdentity([a])).not.toBe(first);
    utimesSync(b, 1000, 1000);
    const touched = await inputIdentity([a, b]);
    expect(touched).not.toBe(first);
    writeFileSync(b, 'twoo');
    utimesSync(b, 1000, 1000);
    expect(await inputIdentity([a, b])).not.toBe(touched);
    expect(await inputIdentity(['https://host.example/x.zarr'])).not.toBe(await inputIdentity(['https://host.example/y.zarr']));
  });

  test('hashes are SHA-256 of the contents; of a folder, over all its files and their names', async () => {
    const file = join(folder, 'a.dat');
    writeFileSync(file, 'abc');
    const [found] = await hashInputs([file], never);
    expect(found).toEqual({
      path: file,
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    });
    const store = join(folder, 'store');
    mkdirSync(join(store, 'c'), { recursive: true });
    writeFileSync(join(store, 'zarr.json'), '{}');
    writeFileSync(join(store, 'c', '0'), 'pixels');
    const [whole] = await hashInputs([store], never);
    expect(whole.bytes).toBe(8);
    const moved = join(folder, 'moved');
    symlinkSync(store, moved);
    expect((await hashInputs([moved], never))[0].sha256).toBe(whole.sha256);
    writeFileSync(join(store, 'c', '0'), 'pixelz');
    expect((await hashInputs([store], never))[0].sha256).not.toBe(whole.sha256);
  });

  test('stops between two files', async () => {
    const file = join(folder, 'a.dat');
    writeFileSync(file, 'abc');
    const error = await refusal(() => hashInputs([file], AbortSignal.abort()));
    expect([error.tag, error.message]).toEqual(['AbortedError', 'Hashing the input was stopped']);
  });
});
