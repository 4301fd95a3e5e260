import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AbortedError, throwIfAborted } from '../../src/errors.js';
import { host, hostProgress, hostSignal, joinHostSignal, type Operation, runOperation } from '../../src/host.js';
import { type FakeHost, installHost, removeHost } from './fakeHost.js';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
afterEach(removeHost);

describe('without a host', () => {
  test('there is no signal, and no bar', async () => {
    expect([host(), hostSignal(), joinHostSignal(undefined)]).toEqual([undefined, undefined, undefined]);
    hostProgress({ label: 'nothing', total: 1 }).update(1);
    const done: number[] = [];
    const found = await runOperation({ label: 'Work', onProgress: (n) => done.push(n) }, async ({ signal, progress }) => {
      progress(1, 2);
      return signal;
    });
    expect([found, done]).toEqual([undefined, [1]]);
  });

  test("the caller's signal is handed on as it is", async () => {
    const { signal } = new AbortController();
    await runOperation({ label: 'Work', signal }, async (operation) => expect(operation.signal).toBe(signal));
  });
});

describe('with a host', () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = installHost();
  });

  test('its signal stops an operation that was given none, or another', async () => {
    const own = new AbortController();
    for (const signal of [undefined, own.signal]) {
      fake.controller = new AbortController();
      const work = runOperation({ label: 'Work', signal }, async (operation) => {
        for (;;) {
          await pause(1);
          throwIfAborted(operation.signal, 'Work');
        }
      });
      fake.controller.abort();
      await expect(work).rejects.toThrow(AbortedError);
    }
    own.abort();
    const stopped = runOperation({ label: 'Work', signal: own.signal }, async ({ signal }) => throwIfAborted(signal, 'Work'));
    await expect(stopped).rejects.toThrow('Work was stopped');
  });

  const inner = ({ signal }: { signal: AbortSignal | undefined }): Promise<AbortSignal | undefined> =>
    runOperation({ label: 'Inner', signal }, async (operation) => {
      await pause(300);
      operation.progress(1, 2);
      return operation.signal;
    });

  test('an operation that lasts shows one bar, whatever it consists of', async () => {
    await runOperation({ label: 'Outer', unit: 'frames' }, async (operation) => {
      expect(await inner(operation)).toBe(operation.signal);
      operation.progress(3, 4);
      expect(fake.bars).toMatchObject([{ label: 'Outer', total: 4, unit: 'frames', ended: false }]);
    });
    expect(fake.bars).toEqual([
      { label: 'Outer', total: 4, unit: 'frames', updates: [{ done: 3, label: undefined }], ended: true },
    ]);
    await inner({ signal: undefined });
    expect(fake.bars.map(({ label }) => label)).toEqual(['Outer', 'Inner']);
  });

  test('stages of different units make one bar in percent, whose label names them', async () => {
    const stages = { read: { label: 'read', share: 30 }, solve: { label: 'solve', share: 10 } };
    await runOperation({ label: 'Fit', stages }, async ({ progress }) => {
      await pause(300);
      progress(1, 2, 'read');
      progress(5, 10, 'solve');
    });
    expect(fake.bars).toEqual([
      {
        label: 'Fit: read',
        total: 100,
        unit: '%',
        updates: [
          { done: 37.5, label: 'Fit: read' },
          { done: 87.5, label: 'Fit: solve' },
          { done: 100, label: 'Fit' },
        ],
        ended: true,
      },
    ]);
  });

  test('what is quickly over, and what the caller watches, shows none; an error ends the bar', async () => {
    const report = async ({ progress }: Operation): Promise<void> => progress(1, 1);
    await runOperation({ label: 'Quick' }, report);
    await runOperation({ label: 'Watched', onProgress: () => {} }, async (operation) => {
      await pause(300);
      await report(operation);
    });
    expect(fake.bars).toEqual([]);
    const failing = runOperation({ label: 'Failing' }, async (operation) => {
      await pause(300);
      await report(operation);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(fake.bars).toMatchObject([{ label: 'Failing', ended: true }]);
  });
});
