import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { countTensors } from '../../src/backend/index.js';
import { isLeemError } from '../../src/errors.js';
import * as leem from '../../src/index.js';
import { type FakeHost, installHost, removeHost } from './fakeHost.js';
import { knownSeries } from './registration/simulated.js';

// What a notebook relies on: no operation that lasts is left alone by the host, neither its signal nor its one bar.

const { stack } = knownSeries({ frames: 24, height: 120, width: 130, fixedPattern: 0.03 });
const folder = mkdtempSync(join(tmpdir(), 'leemlab-host-'));
let host: FakeHost;
beforeEach(() => {
  host = installHost();
});
afterAll(() => {
  removeHost();
  rmSync(folder, { recursive: true, force: true });
});

/** Frames that take their time, one after the other, so that bars are drawn. */
let reading: Promise<void> = Promise.resolve();
const slow = new leem.ImageStack({
  info: stack.info,
  readFrame: async (index, signal) => {
    reading = reading.then(() => new Promise((resolve) => setTimeout(resolve, 20)));
    await reading;
    leem.throwIfAborted(signal, 'Reading');
    return stack.frame(index);
  },
  close: async () => {},
});

const steady = { row: new Float64Array(24), column: new Float64Array(24) };
const sink = (): Promise<leem.ChunkSink> =>
  leem.createStackWriter(join(folder, 'out.zarr'), 'zarr', { ...stack.info, zeroIsMissing: true }, { overwrite: true });

test('a registration shows one bar in percent, which names the stages one after the other', async () => {
  await leem.registerStack(slow);
  expect(host.bars).toHaveLength(1);
  const [bar] = host.bars;
  expect(bar).toMatchObject({ total: 100, unit: '%', ended: true });
  const labels = [...new Set(bar.updates.map(({ label }) => label))];
  expect(labels.map((label) => label?.replace('Registering: ', ''))).toEqual([
    'survey',
    'pattern',
    'filter',
    'correlate',
    'solve',
    'Registering',
  ]);
  const done = bar.updates.map((update) => update.done);
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(done.at(-1)).toBe(100);
});

test('who watches gets no bar', async () => {
  const stages: string[] = [];
  await leem.registerStack(slow, { pattern: 'none', onProgress: (stage) => stages.push(stage) });
  expect(host.bars).toEqual([]);
  expect([...new Set(stages)]).toEqual(['survey', 'filter', 'correlate', 'solve']);
});

test('reading and shifting show how many frames are done', async () => {
  (await slow.tensor()).dispose();
  const to = await sink();
  await leem.shiftStack(slow, await leem.planShift(slow, steady), to);
  await to.finish();
  expect(host.bars).toMatchObject([
    { label: 'Reading frames', total: 24, unit: 'frames', ended: true },
    { label: 'Shifting frames', total: 24, unit: 'frames', ended: true },
  ]);
});

describe('the host stops', () => {
  const window = { row: 0, column: 0, size: 100 };
  const gather = () => leem.gatherSpectra(stack, { window, sigma: 3, correction: {} });
  test.each<[string, () => Promise<unknown>]>([
    ['registerStack', () => leem.registerStack(stack)],
    ['gatherSpectra', gather],
    ['openStack', () => leem.openStack('nowhere')],
    ['stack.frame', () => stack.frame(0)],
    ['stack.frameTensor', () => stack.frameTensor(0)],
    ['stack.tensor', () => stack.tensor()],
    ['stack.preview', () => stack.preview()],
    ['stack.blocks', () => stack.blocks().next()],
    [
      'planShift',
      () =>
        leem.planShift(
          new leem.ImageStack(leem.simulateGrapheneSeries({ frames: 2, height: 32, width: 32 }).source()).coarsen(2),
          { row: new Float64Array(2), column: new Float64Array(2) },
        ),
    ],
    ['createStackWriter', sink],
    [
      'driftSvg',
      async () =>
        leem.driftSvg(
          {
            ...steady,
            sigmaRow: steady.row,
            sigmaColumn: steady.row,
            weight: steady.row,
            used: new Uint8Array(24).fill(1),
            remark: [],
            doubtful: new Uint8Array(24),
          },
          stack.info.axis,
        ),
    ],
    [
      'findFixedPattern',
      () => leem.findFixedPattern([], [0, 0], async () => ({ ...steady, solved: new Uint8Array(0), misfit: 0 })),
    ],
  ])('%s', async (_name, work) => {
    const before = countTensors();
    host.controller.abort();
    const outcome = await work().then(
      () => 'finished',
      (error: unknown) => error,
    );
    expect(isLeemError(outcome, 'AbortedError'), String(outcome)).toBe(true);
    expect(countTensors()).toBe(before);
  });

  test('correlateStack, descendDrift, shiftStack and a writer under way', async () => {
    const { spectra } = await gather();
    const pairs = await leem.correlateStack(spectra);
    const plan = await leem.planShift(stack, steady);
    const to = await sink();
    const before = countTensors();
    host.controller.abort();
    for (const work of [
      () => leem.correlateStack(spectra),
      () => leem.descendDrift(pairs),
      () => leem.shiftStack(stack, plan, to),
      () => to.writeFrame(0, new Uint16Array(120 * 130)),
      () => to.finish(),
    ]) {
      await expect(work()).rejects.toThrow(leem.AbortedError);
    }
    expect(countTensors()).toBe(before);
    await to.abort();
  });
});
