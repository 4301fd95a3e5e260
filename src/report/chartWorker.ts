import { parentPort } from 'node:worker_threads';
import { type ChartSize, type ChartSpec, drawChart } from './drawChart.js';

/** What the thread is asked for. */
export interface ChartJob {
  readonly id: number;
  readonly spec: ChartSpec;
  readonly size: ChartSize;
}

/** What it answers: the SVG; undefined where it could not be drawn. */
export interface ChartAnswer {
  readonly id: number;
  readonly svg: string | undefined;
}

parentPort?.on('message', async ({ id, spec, size }: ChartJob) => {
  const svg = await drawChart(spec, size).catch(() => undefined);
  parentPort?.postMessage({ id, svg } satisfies ChartAnswer);
});
