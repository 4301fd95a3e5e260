import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { simulateSeriesTo } from '../../../src/cli/simulateSeries.js';
import { openStack } from '../../../src/io/index.js';
import { type ImageStack, placeFrame } from '../../../src/stack/index.js';
import { pythonProblem, runPython } from '../../fixtures/io/runPython.js';
import { leem, namesIn, type Outcome, RESULT_NAMES, readNumbers, workFolder } from './registerHelpers.js';

const folder = workFolder();
const SERIES = { frames: 18, height: 128, width: 144, driftPixels: 6, energies: [5, 6.5], noise: 0.02, seed: 4 } as const;
const COLUMNS = ['frame', 'axis', 'drift_row', 'drift_col', 'sigma_row', 'sigma_col', 'weight', 'used'];
const problem = pythonProblem(['numpy', 'pandas', 'zarr', 'xarray', 'tifffile', 'h5py']);

/** What tests/fixtures/readRegistered.py prints. */
interface Described {
  readonly drift: { columns: string[]; dtypes: Record<string, string>; values: Record<string, (number | string | null)[]> };
  readonly stack: Record<string, unknown> & { shape: [number, number, number] };
  readonly pairs: Record<string, unknown> & { row: number[]; col: number[]; weight: number[]; diagonal: number[][] };
}

function describeRun(out: string, pixels: string): { found: Described; pixels: Uint16Array } {
  const found = JSON.parse(runPython('readRegistered.py', out, pixels)) as Described;
  const bytes = readFileSync(pixels);
  return { found, pixels: new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) };
}

let series = '';
let truth = '';
let input: ImageStack;
beforeAll(async () => {
  ({ series, truth } = await simulateSeriesTo(join(folder, 'sim'), SERIES));
  input = await openStack(series);
});

describe('leem register', () => {
  const out = join(folder, 'out');
  let run: Outcome;
  beforeAll(async () => {
    run = await leem(
      'register',
      series,
      '--out',
      out,
      '--start',
      '2',
      '--stop',
      '16',
      '--truth',
      truth,
      '--json',
      '--pattern',
      'none',
    );
  });

  test('ends with 0 and one JSON object on stdout, as the design gives it', () => {
    expect(run.stderr).toContain('14 frames of 128 × 144 pixels (zarr), 91 pairs, ');
    expect(run.code).toBe(0);
    expect(run.stdout.trim().split('\n')).toHaveLength(1);
    const json = JSON.parse(run.stdout);
    expect(Object.keys(json)).toEqual(['frames', 'pairs', 'seconds', 'peakRssBytes', 'out', 'warnings', 'error']);
    expect(json).toMatchObject({ frames: 14, pairs: 91, out });
    expect(Object.keys(json.seconds)).toEqual(
      expect.arrayContaining(['read', 'filter', 'correlate', 'refine', 'solve', 'shift', 'write', 'total']),
    );
    for (const value of Object.values(json.seconds)) expect(value).toBeGreaterThanOrEqual(0);
    const { total, ...parts } = json.seconds as Record<string, number>;
    expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBeLessThan(1.02 * total + 0.01);
    expect(json.peakRssBytes).toBeGreaterThan(1e8);
    expect(json.error.max).toBeLessThan(0.6);
    expect(json.error.median).toBeLessThanOrEqual(json.error.p95);
  });

  test('says before it starts what it will take, and in the end where the results are', () => {
    expect(run.stderr).toMatch(/memory [\d.]+ [KMG]iB of [\d.]+ [KMG]iB; about /);
    expect(run.stderr).toMatch(/Registered 14 of 14 frames; drift of the last one -?[\d.]+ px down, -?[\d.]+ px right\./);
    expect(run.stderr).toMatch(/Standard error of a frame: [\d.]+ px in the median\./);
    expect(run.stderr).toMatch(/Distance from the true drift: [\d.]+ px in the median/);
    expect(run.stderr).toContain(`Report: ${join(out, 'report.html')}`);
  });

  test('leaves the folder of the design and nothing else', () => {
    expect(namesIn(out)).toEqual(RESULT_NAMES);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    const names = namesIn(join(out, 'figures'));
    expect(names.some((name) => name.endsWith('.svg')) && names.some((name) => name.endsWith('.png'))).toBe(true);
  });

  test('drift.csv: one row for each frame from start to stop, near the truth', async () => {
    const table = await readNumbers(join(out, 'drift.csv'));
    expect(Object.keys(table)).toEqual(COLUMNS);
    expect(Array.from(table.frame)).toEqual(Array.from({ length: 14 }, (_, n) => n + 2));
    const known = await readNumbers(truth);
    for (let k = 0; k < 14; k++) {
      expect(table.axis[k]).toBeCloseTo(Number(known.axis[k + 2]), 5);
      for (const axis of ['drift_row', 'drift_col']) {
        const expected = Number(known[axis][k + 2]) - Number(known[axis][2]);
        expect(Math.abs(Number(table[axis][k]) - expected)).toBeLessThan(0.6);
      }
      expect([0, 1]).toContain(table.used[k]);
    }
    for (const name of ['drift_row', 'drift_col', 'sigma_row', 'sigma_col']) expect(table[name][0]).toBe(0);
  });

  test('provenance.json: parameters, versions, inputs with hashes, timings', () => {
    const found = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8'));
    expect(found).toMatchObject({
      command: 'register',
      parameters: {
        input: series,
        windowSize: 128,
        sigma: 3,
        start: 2,
        stop: 16,
        pattern: 'none',
        pairs: 'all',
        minWeight: 0.15,
      },
      versions: { leemlab: '0.1.0', node: process.versions.node },
      frames: 14,
      pairs: 91,
    });
    expect(found.inputs).toHaveLength(1);
    expect(found.inputs[0]).toMatchObject({ path: series, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(found.inputs[0].bytes).toBeGreaterThan(18 * 1000);
    expect(found.seconds.total).toBeGreaterThan(0);
    expect(Number.isNaN(Date.parse(found.finished))).toBe(false);
  });

  test.skipIf(problem !== undefined)(`Python reads it all (${problem ?? 'with .venv'})`, async () => {
    const { found, pixels } = describeRun(out, join(folder, 'pixels'));
    const [count, height, width] = found.stack.shape;
    expect(found.drift.columns).toEqual(COLUMNS);
    for (const name of ['frame', 'used']) expect(found.drift.dtypes[name]).toBe('int64');
    for (const name of ['drift_row', 'sigma_row', 'weight']) expect(found.drift.dtypes[name]).toBe('float64');
    expect(found.stack).toMatchObject({
      arrays: ['energy', 'intensity', 'multiplier'],
      dtype: 'uint16',
      chunks: [1, height, width],
      dimension_names: ['frame', 'row', 'column'],
      variables: ['intensity'],
      same: true,
      attributes: { pixel_size_nm: 5, registration: { sigma: 3, first_frame: 2 } },
    });
    expect(JSON.stringify(found.stack.codecs)).toMatch(/"blosc".*"zstd"/);
    expect(JSON.stringify(found.stack.codecs)).toContain('"bitshuffle"');
    const { energy, multiplier } = found.stack.coords as Record<string, { values: number[]; dims: string[]; units: string }>;
    expect(energy).toMatchObject({ dims: ['frame'], units: 'eV' });
    expect(energy.values).toEqual(Array.from(input.info.axis.values.subarray(2, 16)));
    expect(multiplier.values).toEqual(new Array(14).fill(1));
    expect(count).toBe(14);
    // every pixel is the input's, moved by −drift
    const { pedestal, registration } = found.stack.attributes as { pedestal: number; registration: { origin: [number, number] } };
    for (const k of [0, 5, 13]) {
      const drift = [found.drift.values.drift_row[k] as number, found.drift.values.drift_col[k] as number];
      const expected = placeFrame(await input.frame(k + 2), {
        shift: [registration.origin[0] - drift[0], registration.origin[1] - drift[1]],
        height: 128,
        width: 144,
        outHeight: height,
        outWidth: width,
        scale: 1,
        offset: pedestal,
        zeroIsMissing: false,
      });
      expect(pixels.subarray(k * height * width, (k + 1) * height * width)).toEqual(expected);
    }
    expect(found.pairs).toMatchObject({
      arrays: ['frame', 'shift_col', 'shift_row', 'weight'],
      frame: Array.from({ length: 14 }, (_, m) => m + 2),
      shape: [14, 14],
      dtype: 'float32',
      antisymmetric: true,
      symmetric: true,
      same_missing: true,
      missing: 0,
    });
    expect(found.pairs.frame_dtype).toMatch(/^u?int/);
    expect(found.pairs.diagonal).toEqual([new Array(14).fill(0), new Array(14).fill(1)]);
    // pairShift[i, j] = drift[j] − drift[i]
    for (let m = 1; m < 14; m++) {
      expect(Math.abs(found.pairs.col[m] - Number(found.drift.values.drift_col[m]))).toBeLessThan(0.6);
      expect(found.pairs.weight[m]).toBeGreaterThan(0.15);
    }
  });

  test('its output is an input: registered once more it does not move', async () => {
    const again = join(folder, 'again');
    const { code } = await leem('register', join(out, 'registered.zarr'), '--out', again, '--pattern', 'none', '--window', '100');
    expect(code).toBe(0);
    const table = await readNumbers(join(again, 'drift.csv'));
    for (const name of ['drift_row', 'drift_col'])
      for (const value of table[name]) expect(Math.abs(Number(value))).toBeLessThan(0.5);
    const stack = await openStack(join(again, 'registered.zarr'));
    expect(stack.info.axis.kind).toBe('energy');
    expect(stack.info.zeroIsMissing).toBe(true);
    await stack.close();
  });
});

describe('formats', () => {
  test.each(['tiff', 'hdf5'] as const)('--format %s', async (format) => {
    const out = join(folder, format);
    const run = await leem('register', series, '--out', out, '--format', format, '--pattern', 'none', '--pairs', 'band:5');
    expect(run.stderr).not.toContain('unforeseen');
    expect(run.code).toBe(0);
    const name = format === 'tiff' ? 'registered.tif' : 'registered.h5';
    expect(namesIn(out)).toEqual(RESULT_NAMES.map((one) => (one === 'registered.zarr' ? name : one)).sort());
    expect(run.stdout).toContain(`Stack:  ${join(out, name)}`);
    const stack = await openStack(join(out, name));
    expect(stack.shape[0]).toBe(18);
    expect(Array.from(stack.info.axis.values)).toEqual(Array.from(input.info.axis.values));
    await stack.close();
    if (problem !== undefined) return;
    const { found, pixels } = describeRun(out, join(folder, `pixels-${format}`));
    expect(found.stack).toMatchObject({ shape: stack.shape, dtype: 'uint16' });
    expect(pixels.includes(0)).toBe(true);
    // only frames at most 5 apart were compared
    expect(found.pairs.missing).toBe(18 * 18 - 18 - 2 * (17 + 16 + 15 + 14 + 13));
    expect(found.pairs).toMatchObject({ antisymmetric: true, symmetric: true, same_missing: true });
  });
});

describe('options reach the registration', () => {
  test('stride, window, sigma, solver and an automatic bound', async () => {
    const out = join(folder, 'options');
    const words = '--stride 2 --window 96 --sigma 2 --solver robust --min-weight auto --weight-power 3 --aperture none';
    const { code, stdout } = await leem('register', series, '--out', out, '--json', '--pattern', 'none', ...words.split(' '));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ frames: 18, pairs: 36 });
    const { parameters } = JSON.parse(readFileSync(join(out, 'provenance.json'), 'utf8'));
    expect(parameters).toMatchObject({
      stride: 2,
      windowSize: 96,
      sigma: 2,
      solver: 'robust',
      weightPower: 3,
      aperture: false,
    });
    const table = await readNumbers(join(out, 'drift.csv'));
    expect(Array.from(table.used)).toEqual(Array.from({ length: 18 }, (_, n) => (n % 2 === 0 ? 1 : 0)));
    expect(Array.from(table.frame)).toHaveLength(18);
  });

  test('several files, and the pattern of an earlier run', async () => {
    const { series: dats } = await simulateSeriesTo(join(folder, 'dats'), {
      ...SERIES,
      frames: 24,
      driftPixels: 14,
      fixedPattern: 0.1,
      format: 'dat',
    });
    const files = namesIn(dats).map((name) => join(dats, name));
    const first = join(folder, 'files');
    const run = await leem('register', ...files, '--out', first);
    expect(run.stderr).not.toMatch(/Error/);
    expect(run.code).toBe(0);
    const { inputs } = JSON.parse(readFileSync(join(first, 'provenance.json'), 'utf8'));
    expect(inputs.map(({ path }: { path: string }) => path)).toEqual(files);
    expect(namesIn(first), run.stdout).toContain('pattern.zarr');
    const second = join(folder, 'given');
    const given = await leem('register', dats, '--out', second, '--pattern', join(first, 'pattern.zarr'));
    expect(given.stderr).not.toMatch(/[Ee]rror/);
    expect(given.code).toBe(0);
    expect(given.stdout).toContain('Fixed pattern: given, taken out for the registration.');
    const [a, b] = [await readNumbers(join(first, 'drift.csv')), await readNumbers(join(second, 'drift.csv'))];
    for (let n = 0; n < 24; n++) expect(Number(b.drift_row[n])).toBeCloseTo(Number(a.drift_row[n]), 3);
  });
});
