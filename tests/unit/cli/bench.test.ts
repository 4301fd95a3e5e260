import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { countTensors } from '../../../src/backend/index.js';
import { timeBareTransforms } from '../../../src/cli/bareTransforms.js';
import { findPeer, runPeer } from '../../../src/cli/benchPeer.js';
import { driftErrorNumbers } from '../../../src/cli/driftErrorNumbers.js';
import { runLeem } from '../../../src/cli/runCommand.js';
import { isLeemError } from '../../../src/errors.js';

const PYTHON = resolve(import.meta.dirname, '../../../.venv/bin/python');

// Stands for the reference's Python: checks the hand-over with NumPy itself, and answers in the driver's words.
const STAND_IN = `
import json, sys
import numpy as np
job = json.load(open(sys.argv[2]))
frames = np.load(job["frames"])
count = len(frames)
for one in job["jobs"]:
    rows = [float(frame[0, 1]) for frame in frames]
    columns = [float(frame[-1, 0]) for frame in frames]
    seconds = dict(filter=1.0, correlate=4.0, solve=1.0, total=6.0)
    print(json.dumps(dict(row=rows, column=columns, seconds=seconds)), flush=True)
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leem-bench-test-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function fakePeer(script: string): Promise<{ checkout: string; python: string }> {
  await mkdir(join(folder, 'registration'));
  await writeFile(join(folder, 'registration', 'registration.py'), '');
  await writeFile(join(folder, 'stand-in.py'), script);
  const python = join(folder, 'python');
  await writeFile(python, `#!/bin/sh\nexec '${PYTHON}' '${join(folder, 'stand-in.py')}' "$@"\n`);
  await chmod(python, 0o755);
  return { checkout: folder, python };
}

async function leem(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: '', err: '' };
  const stream = (name: 'out' | 'err') => ({
    write: (part: string): void => {
      text[name] += part;
    },
  });
  const signal = new AbortController().signal;
  const code = await runLeem(argv, { stdout: stream('out'), stderr: stream('err'), signal, debug: false });
  return { code, ...text };
}

describe('driftErrorNumbers', () => {
  const truth = Float64Array.from([0, 0, 1, 2, 2, 4, 3, 6]);

  test('a constant does not count', () => {
    const found = { row: [5, 6, 7, 8], column: [-1, 1, 3, 5] };
    for (const center of ['mean', 'median'] as const) {
      expect(driftErrorNumbers(found, truth, center)).toMatchObject({
        median: 0,
        max: 0,
        rows: { mean: 0 },
        columns: { max: 0 },
      });
    }
  });

  test('one bad frame: the median leaves it alone, the mean shares it', () => {
    const found = { row: [0, 1, 2, 3], column: [0, 2, 4, 14] };
    const robust = driftErrorNumbers(found, truth, 'median');
    expect(robust).toMatchObject({ median: 0, max: 8, rows: { max: 0 }, columns: { mean: 2, max: 8 } });
    // linear between the values 0, 0, 0, 8 at 2.85
    expect(robust.percentile95).toBeCloseTo(0.85 * 8, 10);
    expect(driftErrorNumbers(found, truth, 'mean').columns).toEqual({ mean: 3, max: 6 });
  });
});

describe('timeBareTransforms', () => {
  test('does them all and leaves no tensor behind', async () => {
    const before = countTensors();
    expect(await timeBareTransforms(70, 16)).toBeGreaterThan(0);
    expect(countTensors()).toBe(before);
  });

  test('stops at its signal', async () => {
    const run = timeBareTransforms(1000, 16, AbortSignal.abort());
    await expect(run).rejects.toSatisfy((error) => isLeemError(error, 'AbortedError'));
  });
});

describe.skipIf(!existsSync(PYTHON))('the peer (needs .venv: npm run setup)', () => {
  const frames = (type: 'uint16' | 'float32') => ({
    count: 3,
    height: 4,
    width: 5,
    type,
    frame: (n: number) => {
      const pixels = type === 'uint16' ? new Uint16Array(20) : new Float32Array(20);
      pixels[1] = 1000 * n + (type === 'uint16' ? 0 : 0.5);
      pixels[15] = 60000 + n;
      return pixels;
    },
  });

  test.each(['uint16', 'float32'] as const)('NumPy reads the %s frames that are handed over', async (type) => {
    const peer = await fakePeer(STAND_IN);
    const job = { sigma: 3, windowSize: 4, minWeight: 0 };
    const results = await runPeer(peer, frames(type), [job, { ...job, sigma: 5 }]);
    expect(results).toHaveLength(2);
    const half = type === 'uint16' ? 0 : 0.5;
    expect(results[1]).toMatchObject({ row: [half, 1000 + half, 2000 + half], column: [60000, 60001, 60002] });
  });

  test('what fails in Python is said in one line with the remedy, and the temporary folder goes', async () => {
    const peer = await fakePeer("raise ImportError('no module called dask')");
    const before = (await readdir(tmpdir())).filter((name) => /^leem-bench-(?!test)/.test(name)).length;
    const run = runPeer(peer, frames('uint16'), [{ sigma: 3, windowSize: 4, minWeight: 0 }]);
    await expect(run).rejects.toThrow(
      'bench: the peer did not run: ImportError: no module called dask; --peer-python must be a Python with the requirements',
    );
    await expect(run).rejects.toSatisfy((error) => isLeemError(error, 'UnsupportedError'));
    expect((await readdir(tmpdir())).filter((name) => /^leem-bench-(?!test)/.test(name)).length).toBe(before);
  });

  test('a Python that does not exist', async () => {
    const { checkout } = await fakePeer('');
    const run = runPeer(findPeer(checkout, join(folder, 'nowhere')), frames('uint16'), [
      { sigma: 3, windowSize: 4, minWeight: 0 },
    ]);
    await expect(run).rejects.toThrow('the peer did not run: spawn');
  });

  test('is stopped by the signal', async () => {
    const peer = await fakePeer('import time\ntime.sleep(60)');
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    const run = runPeer(peer, frames('uint16'), [{ sigma: 3, windowSize: 4, minWeight: 0 }], { signal: controller.signal });
    await expect(run).rejects.toSatisfy((error) => isLeemError(error, 'AbortedError'));
  });

  test('leem bench registration: both, their ratio, and what is extrapolated', async () => {
    const { checkout, python } = await fakePeer(STAND_IN);
    const options = ['--frames', '8', '--window', '128', '--peer', checkout, '--peer-python', python, '--peer-frames', '4'];
    const { code, out } = await leem('bench', 'registration', ...options, '--pattern', 'none', '--json');
    expect(code).toBe(0);
    const { own, peer, windowSize, frameSize } = JSON.parse(out);
    expect([windowSize, frameSize]).toEqual([128, [192, 192]]);
    expect([own.frames, own.pairs, peer.own.frames, peer.own.pairs]).toEqual([8, 28, 4, 6]);
    const parts = ['survey', 'pattern', 'read', 'filter', 'correlate', 'refine', 'solve'];
    const sum = parts.reduce((total, part) => total + own.seconds[part], 0);
    expect(sum).toBeLessThanOrEqual(own.seconds.total * 1.001);
    expect(own.seconds.toDrift).toBeLessThanOrEqual(own.seconds.total);
    expect(own.pairStepRatio).toBeCloseTo(own.pairStep.all / own.pairStep.transform, 6);
    expect(own.pairStepRatioTensorflow).toBeCloseTo(own.pairStep.all / own.bareSeconds, 6);
    expect(peer.ratio).toBeCloseTo(6 / peer.own.seconds.total, 6);
    // filter doubles, the rest is four times as long
    expect(peer.extrapolated).toMatchObject({ frames: 8, seconds: 22 });
    expect(peer.extrapolated.ratio).toBeCloseTo(22 / own.seconds.total, 6);
  });
});

describe('leem bench', () => {
  test('registration finds the simulated drift and prints the phases apart', async () => {
    const { code, out } = await leem('bench', 'registration', '--frames', '8', '--window', '128', '--pattern', 'none');
    expect(code).toBe(0);
    for (const phase of [
      'filter',
      'correlate',
      'peak search',
      'refinement',
      'solve',
      'total',
      'bare inverse FFTs',
      'error median',
    ]) {
      expect(out).toMatch(new RegExp(`^ +${phase}`, 'm'));
    }
    expect(out).toContain('8 simulated frames of 192 × 192, window 128, sigma 3, 28 pairs');
  });

  test('accuracy: errors for each amplitude and sigma, and the best sigma', async () => {
    const { code, out } = await leem(
      'bench',
      'accuracy',
      '--frames',
      '6',
      '--window',
      '216',
      '--noise',
      '0,1',
      '--sigma',
      '3,6',
      '--json',
    );
    expect(code).toBe(0);
    const { rows, best, size } = JSON.parse(out);
    expect(size).toBe(228);
    expect(rows.map(({ noise, sigma }: { noise: number; sigma: number }) => [noise, sigma])).toEqual([
      [0, 3],
      [0, 6],
      [1, 3],
      [1, 6],
    ]);
    for (const { noise, own } of rows) {
      for (const axis of [own.rows, own.columns]) {
        expect(axis.mean).toBeLessThan(noise === 0 ? 0.01 : 0.5);
        expect(axis.mean).toBeGreaterThan(0);
      }
    }
    const mean = ({ own }: { own: { rows: { mean: number }; columns: { mean: number } } }): number =>
      own.rows.mean + own.columns.mean;
    expect(mean(best[1].own)).toBe(Math.min(mean(rows[2]), mean(rows[3])));
  });

  test.each([
    [['speed'], "what to measure must be one of registration, accuracy, got 'speed'"],
    [['registration', '--sigma', '3,5'], "--sigma must be one number, got '3,5'"],
    [['registration', '--peer-python', 'python3'], '--peer-python needs --peer DIR'],
    [['registration', '--peer', 'nowhere'], '--peer must be a checkout of TAdeJong/LEEM-analysis'],
    [['accuracy', '--noise', '0,x'], "--noise must be a number of at least 0, got 'x'"],
  ])('%o is refused', async (argv, words) => {
    const { code, err } = await leem('bench', ...argv);
    expect(err).toContain(words);
    expect(code).toBe(2);
  });
});
