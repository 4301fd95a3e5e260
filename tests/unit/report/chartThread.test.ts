import { afterEach, describe, expect, test } from 'vitest';
import { ChartThread } from '../../../src/report/ChartThread.js';
import { drawChart } from '../../../src/report/drawChart.js';

const SPEC = {
  width: 200,
  height: 100,
  data: { values: [0, 1, 2, 3].map((x) => ({ x, y: x * x })) },
  mark: 'line',
  encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
} as const;

describe('ChartThread', () => {
  let thread: ChartThread;
  afterEach(() => thread.close());

  test('draws what this thread draws', async () => {
    thread = new ChartThread();
    const here = await Promise.all([drawChart(SPEC, 'wide'), drawChart(SPEC, 'narrow')]);
    expect(await Promise.all([thread.draw(SPEC, 'wide'), thread.draw(SPEC, 'narrow')])).toEqual(here);
  });

  test('closed early, what was asked for is not drawn here instead', async () => {
    thread = new ChartThread();
    const drawn = thread.draw(SPEC, 'wide').catch((error: unknown) => error);
    await thread.close();
    expect(await drawn).toMatchObject({ tag: 'AbortedError', message: 'Drawing charts was stopped' });
  });

  test('a specification that cannot be drawn is an error', async () => {
    thread = new ChartThread();
    await expect(thread.draw({ mark: 'no such mark' }, 'wide')).rejects.toThrow();
  });
});
