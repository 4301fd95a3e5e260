import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.js';
import { runLeem } from '../../../src/cli/runCommand.js';
import { simulateSeriesTo } from '../../../src/cli/simulateSeries.js';
import { isLeemError } from '../../../src/errors.js';
import { openStack, readCsv } from '../../../src/io/index.js';
import { simulateGrapheneSeries } from '../../../src/synthetic/index.js';

const SMALL = {
  frames: 4,
  height: 48,
  width: 64,
  energies: [-1, 2],
  driftPixels: 3,
  seed: 6,
  pixelSizeNanometers: 12.5,
} as const;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leem-simulate-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function leem(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (part: string): void => {
      text[name] += part;
    },
  });
  const code = await runLeem(argv, {
    stdout: stream('out'),
    stderr: stream('err'),
    signal: new AbortController().signal,
    debug: false,
    commands: COMMANDS,
  });
  return { code, ...text };
}

describe('simulateSeriesTo', () => {
  test.each(['zarr', 'dat'] as const)('%s: the reader gets the frames, energies and pixel size back', async (format) => {
    const { series } = await simulateSeriesTo(folder, { ...SMALL, format });
    const expected = simulateGrapheneSeries(SMALL);
    const stack = await openStack(series);
    expect(stack.shape).toEqual([4, 48, 64]);
    for (const n of [0, 3]) expect((await stack.frame(n)).join()).toBe(expected.frame(n).join());
    for (const [n, energy] of [-1, 0, 1, 2].entries()) expect(stack.info.axis.values[n]).toBeCloseTo(energy, 6);
    expect(stack.info.axis.kind).toBe('energy');
    expect(stack.info.pixelSizeNanometers).toBeCloseTo(12.5, 6);
    expect(stack.info.zeroIsMissing).toBe(false);
    expect(stack.info.warnings).toEqual([]);
    await stack.close();
  });

  test('writes the truth beside the series', async () => {
    await simulateSeriesTo(folder, SMALL);
    const { truth, info } = simulateGrapheneSeries(SMALL);
    const table = await readCsv(join(folder, 'truth.csv'));
    expect(Object.keys(table)).toEqual(['frame', 'axis', 'drift_row', 'drift_col', 'contrast']);
    for (let n = 0; n < 4; n++) {
      expect([table.frame[n], table.axis[n]]).toEqual([n, info.axis.values[n]]);
      expect(table.drift_row[n]).toBeCloseTo(truth.drift[2 * n], 10);
      expect(table.drift_col[n]).toBeCloseTo(truth.drift[2 * n + 1], 10);
      expect(table.contrast[n]).toBeCloseTo(truth.contrast[n], 10);
    }
    const { parameters } = JSON.parse(await readFile(join(folder, 'simulation.json'), 'utf8'));
    expect(simulateGrapheneSeries(parameters).frame(2)).toEqual(simulateGrapheneSeries(SMALL).frame(2));
    const layers = decode(await readFile(join(folder, 'truth', 'layers.png')));
    expect([layers.height, layers.width, layers.data.join()]).toEqual([48, 64, truth.layers.join()]);
  });

  test.each(['zarr', 'dat'] as const)('%s: a stopped run leaves nothing behind', async (format) => {
    const controller = new AbortController();
    const run = simulateSeriesTo(folder, {
      ...SMALL,
      format,
      signal: controller.signal,
      onProgress: (done) => done === 2 && controller.abort(),
    });
    await expect(run).rejects.toSatisfy((error) => isLeemError(error, 'AbortedError'));
    expect(await readdir(folder)).toEqual([]);
  });

  test.each(['zarr', 'dat'] as const)('%s: a series that stands there is kept unless it may be overwritten', async (format) => {
    await simulateSeriesTo(folder, { ...SMALL, format });
    const again = simulateSeriesTo(folder, { ...SMALL, seed: 7, format });
    await expect(again).rejects.toSatisfy((error) => isLeemError(error, 'OutputError'));
    const { series } = await simulateSeriesTo(folder, { ...SMALL, seed: 7, format, overwrite: true });
    const stack = await openStack(series);
    expect((await stack.frame(1)).join()).toBe(
      simulateGrapheneSeries({ ...SMALL, seed: 7 })
        .frame(1)
        .join(),
    );
    await stack.close();
  });

  test('a file in place of the folder is one clear error', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'x');
    await expect(simulateSeriesTo(path, SMALL)).rejects.toSatisfy((error) => isLeemError(error, 'OutputError'));
    expect(await readFile(path, 'utf8')).toBe('x');
  });
});

describe('leem simulate', () => {
  test('series: one JSON object on stdout, the options reach the simulation', async () => {
    const out = join(folder, 'sim');
    const options =
      '--frames 3 --size 32,40 --energies 1:2 --drift 2 --noise 0.1 --pattern 0 --aperture 0.9 --seed 3 --format dat';
    const { code, out: text } = await leem('simulate', 'series', '--out', out, ...options.split(' '), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ frames: 3, format: 'dat', series: join(out, 'series'), warnings: [] });
    const { parameters } = JSON.parse(await readFile(join(out, 'simulation.json'), 'utf8'));
    expect(parameters).toMatchObject({
      frames: 3,
      height: 32,
      width: 40,
      energies: [1, 2],
      driftPixels: 2,
      jumpPixels: 0.5,
      noise: 0.1,
      fixedPattern: 0,
      aperture: 0.9,
      seed: 3,
    });
  });

  test.each([
    [['scan', '--out', 'x'], 1, "'scan' is not in this version"],
    [['sweep', '--out', 'x'], 1, "'sweep' is not in this version"],
    [['movie', '--out', 'x'], 2, "what to simulate must be one of series, scan, sweep, got 'movie'"],
    [['series'], 2, '--out DIR is missing'],
    [
      ['series', '--out', 'x', '--size', '5 by 5'],
      2,
      "--size must be rows and columns 'H,W' (for example 600,592), got '5 by 5'",
    ],
    [['series', '--out', 'x', '--energies', '3:'], 2, "--energies must give both ends 'a:b' in eV, got '3:'"],
    [['series', '--out', 'x', '--frames', '0'], 2, '--frames must be a whole number of at least 1'],
    [['series', '--out', 'x', '--format', 'gif'], 2, '--format must be one of zarr, tiff, hdf5, dat'],
  ])('%o is refused', async (argv, code, words) => {
    const result = await leem('simulate', ...argv);
    expect(result.err).toContain(words);
    expect(result.code).toBe(code);
  });
});
