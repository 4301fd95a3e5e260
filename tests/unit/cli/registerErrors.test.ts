import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { beforeAll, describe, expect, test } from 'vitest';
import { simulateSeriesTo } from '../../../src/cli/simulateSeries.js';
import { createStackWriter, openStack } from '../../../src/io/index.js';
import type { PixelArray, StackInfo } from '../../../src/stack/index.js';
import { knownSeries } from '../registration/simulated.js';
import { filesUnder, leem, namesIn, type Outcome, RESULT_NAMES, readNumbers, workFolder } from './registerHelpers.js';

const folder = workFolder();
const SMALL = { frames: 6, height: 64, width: 72, driftPixels: 2, energies: [5, 6], seed: 4 } as const;
let series = '';
let truth = '';
let dats = '';
beforeAll(async () => {
  ({ series, truth } = await simulateSeriesTo(join(folder, 'sim'), SMALL));
  ({ series: dats } = await simulateSeriesTo(join(folder, 'dats'), { ...SMALL, format: 'dat' }));
});

/** One line of an error, nothing of a stack, and no result under a final name. */
function expectFailure(run: Outcome, code: number, words: string | RegExp, out: string): void {
  expect(run.stderr).toMatch(words);
  expect(run.code).toBe(code);
  expect(run.stdout).toBe('');
  const errors = run.stderr.split('\n').filter((line) => line.startsWith('leem register: ') && !line.includes('warning'));
  expect(errors).toHaveLength(1);
  expect(run.stderr).not.toContain('not foreseen');
  expect(run.stderr).not.toMatch(/\n {4}at /);
  for (const name of ['drift.csv', 'registered.zarr', 'report.html', 'provenance.json']) expect(namesIn(out)).not.toContain(name);
}

async function writeStack(path: string, frames: readonly PixelArray[], info: Partial<StackInfo> = {}): Promise<string> {
  const pixelType = frames[0].constructor.name.replace('Array', '').toLowerCase() as StackInfo['pixelType'];
  const axis = { kind: 'energy', unit: 'eV', values: Float64Array.from(frames, (_, n) => n) } as const;
  const sink = await createStackWriter(path, path.endsWith('.tif') ? 'tiff' : 'zarr', {
    frames: frames.length,
    height: 64,
    width: 64,
    pixelType,
    zeroIsMissing: false,
    axis,
    ...info,
  });
  for (const [n, pixels] of frames.entries()) await sink.writeFrame(n, pixels);
  await sink.finish();
  return path;
}

describe('wrong use ends with 2', () => {
  const out = join(folder, 'unused');
  test.each<[string[], string | RegExp]>([
    [[], /--out DIR is needed/],
    [['--out', out, '--refine', 'joint'], "--refine must be none in this version, got 'joint'"],
    [['--out', out, '--window', '98'], /'windowSize' must be even, at least 16, without prime factors above 5, got 98/],
    [['--out', out, '--window', '12.5'], /--window must be/],
    [['--out', out, '--sigma', '-1'], /--sigma must be/],
    [['--out', out, '--min-weight', '2'], /--min-weight must be/],
    [['--out', out, '--min-weight', 'some'], /--min-weight must be/],
    [['--out', out, '--pairs', 'band:0'], /--pairs must be/],
    [['--out', out, '--pairs', 'some'], /--pairs must be/],
    [['--out', out, '--solver', 'magic'], /--solver must be/],
    [['--out', out, '--format', 'png'], /--format must be/],
    [['--out', out, '--stride', '0'], /--stride must be/],
    [['--out', out, '--start', '6'], '--start must be below the number of frames (6), got 6'],
    [['--out', out, '--start', '4', '--stop', '3'], '--stop must be above --start (4), got 3'],
    [['--out', out, '--overwrite', '--resume'], '--overwrite and --resume exclude each other'],
    [
      ['--out', out, '--memory', '100MiB'],
      /--memory must be at least [\d.]+ [MG]iB for 6 compared frames, got 100(\.0)? MiB: allow more/,
    ],
  ])('%j', async (args, words) => {
    const run = await leem('register', series, ...args);
    expectFailure(run, 2, words, out);
    // nothing was started: not even the folder's contents
    expect(namesIn(out)).toEqual([]);
  });

  test('--json: the error as an object, the exit code too', async () => {
    const run = await leem('register', series, '--json');
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { tag: 'OptionError' } });
  });
});

describe('images that do not fit', () => {
  test.each(['mask', 'flat', 'dark', 'pattern'])('a --%s of another size', async (name) => {
    const other = join(folder, `other-${name}.tif`);
    await writeStack(other, [new Uint16Array(64 * 64).fill(1)]);
    const out = join(folder, `unused-${name}`);
    const run = await leem('register', series, '--out', out, `--${name}`, other);
    expectFailure(run, 1, `--${name} must be 64 × 72 pixels like the frames, got 64 × 64 in ${other}`, out);
  });

  test('a truth without its columns, or of too few frames', async () => {
    const bad = join(folder, 'bad.csv');
    writeFileSync(bad, 'frame,drift_row\n0,1\n');
    const out = join(folder, 'unused-truth');
    expectFailure(await leem('register', series, '--out', out, '--truth', bad), 2, /--truth must have/, out);
    writeFileSync(bad, 'frame,drift_row,drift_col\n0,1,2\n');
    expectFailure(
      await leem('register', series, '--out', out, '--truth', bad),
      2,
      `--truth must have a row for each of 6 frames, got 1 in ${bad}`,
      out,
    );
  });
});

describe('bad input ends with 1 and names the file', () => {
  const broken = (name: string): string => {
    const copy = join(folder, name);
    mkdirSync(copy);
    for (const file of readdirSync(dats)) copyFileSync(join(dats, file), join(copy, file));
    return copy;
  };

  test('a truncated .dat in the folder', async () => {
    const copy = broken('truncated');
    const victim = join(copy, namesIn(copy)[3]);
    truncateSync(victim, 5000);
    const out = join(folder, 'out-truncated');
    expectFailure(await leem('register', copy, '--out', out), 1, new RegExp(`${namesIn(copy)[3]}.*byte`), out);
  });

  test('an empty .dat', async () => {
    const copy = broken('empty');
    truncateSync(join(copy, namesIn(copy)[0]), 0);
    const out = join(folder, 'out-empty');
    expectFailure(await leem('register', copy, '--out', out), 1, namesIn(copy)[0], out);
  });

  test('two sizes of frame in a folder', async () => {
    const copy = broken('mixed');
    const { series: others } = await simulateSeriesTo(join(folder, 'others'), { ...SMALL, frames: 1, height: 48, format: 'dat' });
    copyFileSync(join(others, namesIn(others)[0]), join(copy, 'zzz.dat'));
    const out = join(folder, 'out-mixed');
    expectFailure(await leem('register', copy, '--out', out), 1, /zzz\.dat.*48/, out);
  });

  test('a folder with nothing in it, and an input that is not there', async () => {
    mkdirSync(join(folder, 'nothing'));
    const out = join(folder, 'out-nothing');
    expectFailure(await leem('register', join(folder, 'nothing'), '--out', out), 1, /nothing/, out);
    expectFailure(await leem('register', join(folder, 'absent'), '--out', out), 1, /absent/, out);
    expect(existsSync(out)).toBe(false);
  });

  test('NaN only', async () => {
    const path = await writeStack(join(folder, 'nan.zarr'), new Array(3).fill(new Float32Array(64 * 64).fill(Number.NaN)));
    const out = join(folder, 'out-nan');
    expectFailure(await leem('register', path, '--out', out), 1, /must hold measured pixels, got only NaN/, out);
  });

  test('frames smaller than a window', async () => {
    const out = join(folder, 'out-window');
    const run = await leem('register', series, '--out', out, '--window', '128');
    expectFailure(run, 1, /must fit into the frames of 64 × 72 pixels, got 128; leave it out to take the largest that fits/, out);
  });
});

describe('odd but usable input', () => {
  test('no energies: a warning, and the axis is the frame’s index', async () => {
    const path = join(folder, 'plain');
    mkdirSync(path);
    for (let n = 0; n < 5; n++) {
      const data = Uint8Array.from({ length: 64 * 64 }, (_, i) => {
        const [r, c] = [Math.floor(i / 64), (i % 64) - n / 2];
        return 100 + 60 * Math.sin(c / 4) * Math.cos(r / 5) + 30 * Math.sin((r * c) / 90);
      });
      writeFileSync(join(path, `${n}.png`), encode({ width: 64, height: 64, data, channels: 1, depth: 8 }));
    }
    const out = join(folder, 'out-plain');
    const run = await leem('register', path, '--out', out, '--json', '--start', '1');
    expect(run.code).toBe(0);
    const { warnings } = JSON.parse(run.stdout);
    expect(warnings).toContain("no energies or times found; the axis is the frame's index");
    const table = await readNumbers(join(out, 'drift.csv'));
    expect(Array.from(table.axis)).toEqual([1, 2, 3, 4]);
    expect(Array.from(table.frame)).toEqual([1, 2, 3, 4]);
  });

  test('warnings name frames by their index in the input, as drift.csv does', async () => {
    const { frames } = knownSeries({ frames: 14, height: 64, width: 64, driftPixels: 0, jumpPixels: 0, seed: 6 });
    // frame 9 stands apart from all others by 6 pixels
    const moved = frames.map((pixels, n) => pixels.map((_, i) => pixels[n === 9 ? (i + 6) % pixels.length : i]));
    const path = await writeStack(join(folder, 'apart.zarr'), moved);
    const out = join(folder, 'out-apart');
    const run = await leem('register', path, '--out', out, '--json', '--start', '4', '--pattern', 'none');
    const table = await readNumbers(join(out, 'drift.csv'));
    const largest = Array.from(table.drift_col, (value) => Math.abs(Number(value)));
    expect(table.frame[largest.indexOf(Math.max(...largest))]).toBe(9);
    expect(JSON.parse(run.stdout).warnings).toContain('doubtful drift in frame 9');
  });

  test('energies that repeat and go down are taken as they are', async () => {
    const frames = Array.from({ length: 4 }, (_, n) =>
      Uint16Array.from({ length: 64 * 64 }, (_v, i) => 500 + ((i * (n + 7)) % 300)),
    );
    const values = Float64Array.of(3, 3, -1, 2);
    const path = await writeStack(join(folder, 'repeat.zarr'), frames, { axis: { kind: 'energy', unit: 'eV', values } });
    const out = join(folder, 'out-repeat');
    expect((await leem('register', path, '--out', out)).code).toBe(0);
    expect(Array.from((await readNumbers(join(out, 'drift.csv'))).axis)).toEqual([3, 3, -1, 2]);
  });

  test('all-equal frames: done, with a warning, drift 0 and infinite errors', async () => {
    const path = await writeStack(join(folder, 'equal.zarr'), new Array(13).fill(new Uint16Array(64 * 64).fill(700)));
    const out = join(folder, 'out-equal');
    const run = await leem('register', path, '--out', out, '--json');
    expect(run.stderr).not.toContain('not foreseen');
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout).warnings.join()).toContain('no two frames have an edge in common');
    expect(readFileSync(join(out, 'drift.csv'), 'utf8').split('\n')[1]).toBe('0,0,0,0,inf,inf,0,0');
    expect(namesIn(out)).toEqual(RESULT_NAMES);
  });

  test('one frame', async () => {
    const out = join(folder, 'out-one');
    const run = await leem('register', series, '--out', out, '--stop', '1', '--json');
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ frames: 1, pairs: 0 });
    expect(namesIn(out)).toEqual(RESULT_NAMES);
  });

  test('a count of 0 only in frames that the stride leaves out keeps its value', async () => {
    const frames = Array.from({ length: 5 }, (_, n) =>
      Uint16Array.from({ length: 64 * 64 }, (_v, i) =>
        n === 1 && i < 640 ? 0 : 900 + 500 * Math.sin(i / 7) * Math.cos(i / 640),
      ),
    );
    const path = await writeStack(join(folder, 'zeros.zarr'), frames);
    const out = join(folder, 'out-zeros');
    expect((await leem('register', path, '--out', out, '--stride', '2', '--window', '48')).code).toBe(0);
    const stack = await openStack(join(out, 'registered.zarr'));
    const { pedestal = 0 } = stack.info;
    const stored = await stack.frame(1);
    await stack.close();
    // the lowest value that was measured is the 0 itself
    const measured = Array.from(stored).filter((value) => value > 0);
    expect(Math.min(...measured) - pedestal).toBe(0);
  });
});

describe('an output that cannot be written ends with 1', () => {
  test('a file stands there, or a part of the path is a file', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    expectFailure(
      await leem('register', series, '--out', file),
      1,
      `${file}: is a file, the output needs a folder: give another --out`,
      `${file}x`,
    );
    expectFailure(await leem('register', series, '--out', join(file, 'out')), 1, /cannot be written/, join(folder, 'x'));
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });

  /** Mounts a small file system; false where this machine does not allow it. */
  const mount = (path: string, options: string): boolean => {
    mkdirSync(path, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  const unmount = (path: string): void => {
    execFileSync('umount', [path], { stdio: 'ignore' });
  };

  test('a read-only disk', async ({ skip }) => {
    const disk = join(folder, 'readonly');
    if (!mount(disk, 'size=1m,ro')) skip('mounting needs root');
    try {
      const out = join(disk, 'out');
      expectFailure(await leem('register', series, '--out', out), 1, new RegExp(`${out}.*cannot be written`), out);
    } finally {
      unmount(disk);
    }
  });

  test('a full disk: nothing under a final name, and the same command finishes when there is room', async ({ skip }) => {
    const disk = join(folder, 'disk');
    // room for the pairs, not for the frames
    if (!mount(disk, 'size=112k')) skip('mounting needs root');
    try {
      const out = join(disk, 'out');
      const args = ['register', series, '--out', out, '--pattern', 'none'];
      const run = await leem(...args);
      expectFailure(run, 1, /the disk is full/, out);
      expect(filesUnder(out).filter((name) => name.includes('.part'))).toEqual([]);
      expect(namesIn(out)).toEqual(['pairs.zarr']);
      execFileSync('mount', ['-o', 'remount,size=50m', disk], { stdio: 'ignore' });
      const again = await leem(...args);
      expect(again.stderr).toContain(`going on from the pairs in ${join(out, 'pairs.zarr')}`);
      expect(again.code).toBe(0);
      expect(namesIn(out)).toEqual(RESULT_NAMES);
    } finally {
      unmount(disk);
    }
  });

  test('truth is read before anything is computed', async () => {
    const out = join(folder, 'unused-order');
    const run = await leem('register', series, '--out', out, '--truth', join(folder, 'absent.csv'));
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('absent.csv');
    expect(namesIn(out)).toEqual([]);
    expect(truth).toContain('truth.csv');
  });
});
