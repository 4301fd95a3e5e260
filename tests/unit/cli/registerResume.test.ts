import { cpSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { simulateSeriesTo } from '../../../src/cli/simulateSeries.js';
import { openZarrGroup } from '../../../src/io/index.js';
import { PAIR_BLOCK } from '../../../src/registration/index.js';
import { filesUnder, leem, namesIn, RESULT_NAMES, start, workFolder } from './registerHelpers.js';

const folder = workFolder();
/** Three blocks of frames, six of pairs; at this window and sigma each takes some tenths of a second. */
const LONG = { frames: 2 * PAIR_BLOCK + 8, height: 128, width: 128, driftPixels: 5, energies: [5, 7], seed: 2 } as const;
const SLOW = ['--sigma', '1', '--pattern', 'none'];
let series = '';
let whole = '';
beforeAll(async () => {
  ({ series } = await simulateSeriesTo(join(folder, 'sim'), LONG));
  whole = join(folder, 'whole');
  const { code, stderr } = await leem('register', series, '--out', whole, ...SLOW);
  expect(code, stderr).toBe(0);
});

const weights = (out: string): string[] =>
  filesUnder(join(out, 'pairs.zarr', 'weight')).filter((name) => /^c\/\d+\/\d+$/.test(name));

/** All values of two pair stores are the same, bit for bit. */
async function expectSamePairs(out: string): Promise<void> {
  const [a, b] = [await openZarrGroup(join(whole, 'pairs.zarr')), await openZarrGroup(join(out, 'pairs.zarr'))];
  for (const name of ['frame', 'shift_row', 'shift_col', 'weight']) {
    expect((await b.readArray(name)).data).toEqual((await a.readArray(name)).data);
  }
}

function expectSameResults(out: string): void {
  expect(namesIn(out)).toEqual(RESULT_NAMES);
  expect(readFileSync(join(out, 'drift.csv'), 'utf8')).toBe(readFileSync(join(whole, 'drift.csv'), 'utf8'));
  const files = filesUnder(join(whole, 'registered.zarr'));
  expect(filesUnder(join(out, 'registered.zarr'))).toEqual(files);
  for (const file of files) {
    expect(
      readFileSync(join(out, 'registered.zarr', file)).equals(readFileSync(join(whole, 'registered.zarr', file))),
      file,
    ).toBe(true);
  }
}

describe('a run that is stopped while pairs are compared', () => {
  test.each(['SIGINT', 'SIGKILL'] as const)('by %s goes on with the same command, to the same result', async (signal) => {
    const out = join(folder, signal);
    const args = ['register', series, '--out', out, ...SLOW];
    const run = start(...args);
    await run.sees(join(out, 'pairs.zarr', 'weight', 'c', '0', '0'));
    run.child.kill(signal);
    const { code, stdout, stderr } = await run.ended;
    if (signal !== 'SIGKILL') {
      expect(code).toBe(130);
      // it ended by itself: what does not stop within 0.9 s is ended without a word
      expect(stderr).toMatch(/leem register: stopped\n$/);
      expect(filesUnder(out).filter((name) => name.includes('.part'))).toEqual([]);
    }
    expect(stdout).toBe('');
    expect(namesIn(out)).toEqual(['pairs.zarr']);
    const done = weights(out);
    expect(done.length).toBeGreaterThan(0);
    expect(done.length, 'the run was over before it could be stopped').toBeLessThan(9);
    const before = done.map((name) => statSync(join(out, 'pairs.zarr', 'weight', name)).mtimeMs);

    const again = await leem(...args);
    expect(again.stderr).toContain(`going on from the pairs in ${join(out, 'pairs.zarr')}`);
    expect(again.code).toBe(0);
    // finished blocks were not computed again
    expect(done.map((name) => statSync(join(out, 'pairs.zarr', 'weight', name)).mtimeMs)).toEqual(before);
    expect(weights(out)).toHaveLength(9);
    expectSameResults(out);
    await expectSamePairs(out);
  });

  test('under --json the one object says so', async () => {
    const out = join(folder, 'json');
    const run = start('register', series, '--out', out, '--json', ...SLOW);
    await run.sees(join(out, 'pairs.zarr', 'weight', 'c', '0', '0'));
    run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toEqual({ error: { tag: 'AbortedError', message: 'stopped' } });
  });

  test.each([
    ['an array was not yet there', ['weight']],
    ['some chunks were not', ['shift_col/c/1/2', 'weight/c/0/2']],
  ])('in a moment when %s, it goes on too', async (_name, lost) => {
    const out = join(folder, `lost-${lost.length}`);
    cpSync(join(whole, 'pairs.zarr'), join(out, 'pairs.zarr'), { recursive: true });
    for (const name of lost) rmSync(join(out, 'pairs.zarr', name), { recursive: true });
    const again = await leem('register', series, '--out', out, ...SLOW);
    expect(again.code, again.stderr).toBe(0);
    await expectSamePairs(out);
  });
});

describe('a run that is stopped while frames are written', () => {
  test('leaves no stack; the next one writes it from the finished pairs', async () => {
    const out = join(folder, 'writing');
    const args = ['register', series, '--out', out, ...SLOW];
    const run = start(...args);
    await run.sees(join(out, '.registered.zarr.part', 'intensity', 'c', '0'));
    run.child.kill('SIGINT');
    const { code } = await run.ended;
    expect(code).toBe(130);
    expect(namesIn(out)).toEqual(['pairs.zarr']);
    expect(weights(out)).toHaveLength(9);
    expect((await leem(...args)).code).toBe(0);
    expectSameResults(out);
  });
});

describe('a folder that holds a run', () => {
  const refused = async (args: readonly string[], words: RegExp): Promise<void> => {
    const before = filesUnder(whole).map((name) => [name, statSync(join(whole, name)).mtimeMs]);
    const run = await leem('register', series, '--out', whole, ...args);
    expect(run.code).toBe(2);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(words);
    expect(filesUnder(whole).map((name) => [name, statSync(join(whole, name)).mtimeMs])).toEqual(before);
  };

  test('finished: the same command is refused, names both ways, and touches nothing', async () => {
    await refused(
      SLOW,
      /holds this run already, finished \(drift\.csv, pairs\.zarr, .*registered\.zarr\): --resume writes them again from its pairs, --overwrite computes everything anew, or give another --out/,
    );
  });

  test('of other options or another input: refused, also with --resume', async () => {
    const words =
      /holds the results of another run \(.*\): --overwrite replaces it, --resume goes on with the same input and options, or give another --out/;
    await refused(['--sigma', '2', '--pattern', 'none'], words);
    await refused([...SLOW, '--window', '100'], words);
    await refused([...SLOW, '--stop', '100'], words);
    await refused(
      ['--sigma', '2', '--pattern', 'none', '--resume'],
      /holds a run of another input or other options, which cannot be resumed: use --overwrite to replace it, or another --out/,
    );
    const { series: other } = await simulateSeriesTo(join(folder, 'other'), { ...LONG, frames: 4 });
    const run = await leem('register', other, '--out', whole, ...SLOW);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(words);
  });

  test('a finished run of things of the user is left alone', async () => {
    const out = join(folder, 'mine');
    await simulateSeriesTo(out, { ...LONG, frames: 3 });
    const mine = filesUnder(out);
    const { code } = await leem('register', series, '--out', out, '--stop', '4', '--pattern', 'none');
    expect(code).toBe(0);
    expect(filesUnder(out)).toEqual(expect.arrayContaining(mine));
  });
});

describe('--resume and --overwrite', () => {
  const SHORT = ['--stride', '10'];

  test('--resume of a finished run writes it again from its pairs, also in another format', async () => {
    // with a fixed pattern, which has a file of its own
    const { series: still } = await simulateSeriesTo(join(folder, 'still'), {
      ...LONG,
      frames: 30,
      driftPixels: 14,
      fixedPattern: 0.1,
    });
    const out = join(folder, 'again');
    const first = await leem('register', still, '--out', out);
    expect(first.code).toBe(0);
    expect(namesIn(out), first.stdout).toContain('pattern.zarr');
    const chunk = join(out, 'pairs.zarr', 'weight', 'c', '0', '0');
    const before = statSync(chunk).mtimeMs;
    const csv = readFileSync(join(out, 'drift.csv'), 'utf8');
    const run = await leem('register', still, '--out', out, '--resume', '--format', 'tiff');
    expect(run.code, run.stderr).toBe(0);
    expect(statSync(chunk).mtimeMs).toBe(before);
    expect(readFileSync(join(out, 'drift.csv'), 'utf8')).toBe(csv);
    expect(namesIn(out)).toContain('registered.tif');
  });

  test('--resume with a lower bound on the weights gives what a new run gives', async () => {
    const [out, fresh] = [join(folder, 'bound'), join(folder, 'bound-fresh')];
    // without a Gaussian many pairs are weak
    const args = [...SHORT, '--pattern', 'none', '--sigma', '0'];
    expect((await leem('register', series, '--out', out, ...args, '--min-weight', '0.9')).code).toBe(0);
    const resumed = await leem('register', series, '--out', out, ...args, '--min-weight', '0.1', '--resume');
    expect((await leem('register', series, '--out', fresh, ...args, '--min-weight', '0.1')).code).toBe(0);
    // either it goes on to the same result, or it says that it cannot
    if (resumed.code === 2) expect(resumed.stderr).toContain('cannot be resumed');
    else expect(readFileSync(join(out, 'drift.csv'), 'utf8')).toBe(readFileSync(join(fresh, 'drift.csv'), 'utf8'));
  });

  test('--overwrite replaces all results of the earlier run, and nothing else', async () => {
    const out = join(folder, 'replaced');
    expect((await leem('register', series, '--out', out, ...SHORT)).code).toBe(0);
    const { code, stderr } = await leem('register', series, '--out', out, '--stop', '9', '--pattern', 'none', '--overwrite');
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain('going on');
    // the first run's pattern is gone with it
    expect(namesIn(out)).toEqual(RESULT_NAMES);
    expect(readFileSync(join(out, 'drift.csv'), 'utf8').trim().split('\n')).toHaveLength(10);
    expect((await openZarrGroup(join(out, 'pairs.zarr')).then((group) => group.readArray('frame'))).data).toHaveLength(9);
  });
});
