import { afterAll, expect, test } from 'vitest';
import { countTensors, type LeemRuntime, offerRuntime } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { type Registration, registerStack } from '../../../src/registration/index.js';
import { Random } from '../../../src/synthetic/index.js';
import { type FakeHost, installHost, removeHost } from '../fakeHost.js';
import { knownSeries } from './simulated.js';

// As in a notebook: a host is there, its user stops a registration again and again, at any moment.

const STOPS = 100;
afterAll(removeHost);

const bits = ({ drift, pairs }: Registration): Buffer[] =>
  [drift.row, drift.column, drift.sigmaRow, drift.sigmaColumn, pairs.weight, pairs.shiftRow, pairs.shiftColumn].map((values) =>
    Buffer.from(values.buffer),
  );
interface ProcessReport {
  readonly workers: readonly unknown[];
}
const threads = (): number => (process.report?.getReport() as unknown as ProcessReport).workers.length;

test('a registration that was stopped a hundred times leaves nothing behind, and then gives the same bits', async () => {
  const host: FakeHost = installHost();
  offerRuntime();
  const runtime = (globalThis as Record<symbol, unknown>)[Symbol.for('leemlab.runtime')] as LeemRuntime;
  // enough pairs for threads
  const { stack } = knownSeries({ frames: 136, height: 96, width: 100, fixedPattern: 0.03 });
  const run = (): Promise<Registration> => registerStack(stack, { windowSize: 80 });
  await run();
  const start = performance.now();
  const first = await run();
  const duration = performance.now() - start;
  await runtime.collect();
  const [tensors, workers] = [countTensors(), threads()];
  const random = new Random(5);
  const latencies: number[] = [];
  let left = 0;
  for (let k = 0; k < STOPS; k++) {
    host.controller = new AbortController();
    let stopped = 0;
    const timer = setTimeout(
      () => {
        stopped = performance.now();
        host.controller.abort();
      },
      random.uniform(0, 0.95 * duration),
    );
    const outcome = await run().catch((error: unknown) => error);
    clearTimeout(timer);
    // on a busy machine it may be done before
    if (stopped === 0) continue;
    expect(isLeemError(outcome, 'AbortedError')).toBe(true);
    latencies.push(performance.now() - stopped);
    left = Math.max(left, countTensors() - tensors);
  }
  host.controller = new AbortController();
  expect(latencies.length).toBeGreaterThan(STOPS / 2);
  // nothing is left to the garbage collector
  expect(left).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 300)); // threads that were ended go
  expect([countTensors(), threads()]).toEqual([tensors, workers]);
  const again = await run();
  expect(bits(again)).toEqual(bits(first));
  expect(host.bars.every(({ ended }) => ended)).toBe(true);
  latencies.sort((a, b) => a - b);
  if (process.env.LEEMLAB_MEASURE)
    process.stdout.write(
      `${latencies.length} stops within ${duration.toFixed(0)} ms: median ${latencies[latencies.length >> 1].toFixed(0)} ms, most ${latencies.at(-1)?.toFixed(0)} ms\n`,
    );
}, 180_000);
