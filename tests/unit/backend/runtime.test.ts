import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countTensors, type LeemRuntime, offerRuntime, tf } from '../../../src/backend/index.js';
import { installHost, removeHost } from '../fakeHost.js';

const RUNTIME = Symbol.for('leemlab.runtime');
const found = (): LeemRuntime | undefined => (globalThis as { [RUNTIME]?: LeemRuntime })[RUNTIME];

test('without a host nothing is offered, and the engine is as it was', () => {
  offerRuntime();
  expect(found()).toBeUndefined();
  expect(Object.hasOwn(tf.engine(), 'trackTensor')).toBe(false);
});

describe('with a host', () => {
  let runtime: LeemRuntime;
  beforeAll(() => {
    installHost();
    offerRuntime();
    runtime = found() as LeemRuntime;
  });
  afterAll(removeHost);

  test('tensors that nothing refers to are freed and counted off, others stay', async () => {
    const kept = tf.tensor1d([1, 2, 3]);
    const view = tf.reshape(kept, [3, 1]);
    const variable = tf.variable(tf.ones([4]));
    await runtime.collect();
    const before = tf.memory();
    const created = runtime.created();
    (() => {
      for (let k = 0; k < 50; k++) tf.reshape(tf.square(tf.fill([100, 100], k)), [10_000]);
      variable.assign(tf.zeros([4]));
      tf.tensor(['a', 'b']);
      tf.complex(tf.ones([5]), tf.ones([5]));
    })();
    expect(countTensors()).toBeGreaterThan(before.numTensors + 150);
    expect(runtime.created() - created).toBeGreaterThan(150);
    await runtime.collect();
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
      numBytes: before.numBytes,
    });
    expect(Array.from(view.dataSync())).toEqual([1, 2, 3]);
    expect(Array.from(variable.dataSync())).toEqual([0, 0, 0, 0]);
    tf.dispose([kept, view, variable]);
    await runtime.collect();
    expect(tf.memory()).toMatchObject({ numTensors: before.numTensors - 3, numDataBuffers: before.numDataBuffers - 3 });
  });

  test('one that was disposed is counted once, whatever the collector finds later', async () => {
    const before = countTensors();
    (() => {
      const tensor = tf.ones([10]);
      const same = tf.reshape(tensor, [5, 2]);
      tensor.dispose();
      expect(Array.from(same.dataSync())).toEqual(new Array(10).fill(1));
      same.dispose();
    })();
    expect(countTensors()).toBe(before);
    await runtime.collect();
    expect(countTensors()).toBe(before);
  });

  test('scopes, tape and depths that were left open are closed, their tensors freed', () => {
    const outside = tf.ones([2]);
    const mark = runtime.mark();
    const { numTensors, numBytes } = tf.memory();
    const engine = tf.engine();
    engine.startScope('left open');
    const kept = tf.keep(tf.ones([7]));
    tf.ones([1000]);
    engine.startScope('and another');
    tf.square(outside);
    const { state } = engine as unknown as { state: { gradientDepth: number; kernelDepth: number; scopeStack: unknown[] } };
    state.gradientDepth++;
    state.kernelDepth += 2;
    runtime.recover(mark);
    expect(tf.memory()).toMatchObject({ numTensors: numTensors + 1, numBytes: numBytes + 28 });
    expect(state).toMatchObject({ gradientDepth: 0, kernelDepth: 0, scopeStack: [] });
    expect(
      Array.from(
        tf
          .grad((x) => tf.square(x))(tf.tensor1d([3]))
          .dataSync(),
      ),
    ).toEqual([6]);
    tf.dispose([kept, outside]);
  });
});

/** Cuts off, for real, a scope, a gradient and registrations; prints a line of numbers after each. */
const CUT_OFF = `
import { Worker } from 'node:worker_threads';
globalThis[Symbol.for('leemlab.host')] =
  { version: 1, signal: () => undefined, progress: () => ({ update() {}, end() {} }), display() {}, onChannel() {} };
const leem = await import('leemlab');
const { tf } = leem;
const runtime = globalThis[Symbol.for('leemlab.runtime')];
const killer = new Worker(\`
  const { parentPort } = require('node:worker_threads');
  const { Session } = require('node:inspector');
  const session = new Session();
  session.connectToMainThread();
  parentPort.on('message', (ms) => {
    if (ms >= 0) return setTimeout(() => session.post('Runtime.terminateExecution', () => {}), ms);
    session.disconnect();
    parentPort.postMessage('gone');
  });
\`, { eval: true, execArgv: [] });
await new Promise((resolve) => killer.once('online', resolve));
killer.unref();
const cut = (ms, work) => new Promise((resolve) => {
  killer.postMessage(ms);
  setTimeout(resolve, ms + 150);
  // a cut inside TensorFlow's binding may come out as an error
  new Promise((go) => setImmediate(go)).then(work).catch(() => {});
});
const threads = () => process.report.getReport().workers.length;
const report = (name, more) => {
  const { numTensors, numBytes, numDataBuffers } = tf.memory();
  console.log(JSON.stringify({ name, numTensors, numBytes, numDataBuffers, native: tf.engine().backend.numDataIds(), ...more }));
};
const kept = tf.ones([3]);
report('start');
for (const ms of [50, 90]) {
  const mark = runtime.mark();
  await cut(ms, () => tf.tidy(() => { let x = tf.ones([300, 300]); for (;;) x = tf.tidy(() => tf.mul(tf.matMul(x, x), 1e-6)); }));
  const open = tf.engine().state.scopeStack.length;
  runtime.recover(mark);
  await runtime.collect();
  report('scope', { open, sum: tf.tidy(() => tf.sum(kept).dataSync()[0]) });
}
const mark = runtime.mark();
await cut(60, () => tf.grad((x) => { let y = x; for (;;) y = tf.mul(y, x); })(tf.ones([30, 30])));
runtime.recover(mark);
await runtime.collect();
report('gradient', { slope: tf.tidy(() => tf.grad((x) => tf.square(x))(tf.scalar(3)).dataSync()[0]) });
const series = leem.simulateGrapheneSeries({ frames: 140, height: 90, width: 90, fixedPattern: 0, energies: [5, 6], seed: 1 });
const frames = Array.from({ length: 140 }, (_, n) => series.frame(n));
const stack = leem.ImageStack.fromFrames(frames, [90, 90], { axis: series.info.axis });
const first = await leem.registerStack(stack, { pattern: 'none' });
let unfinished = 0;
for (let k = 0; k < 8; k++) {
  const before = runtime.mark();
  let done = false;
  await cut(10 + 40 * k, () => leem.registerStack(stack, k < 3 ? { pattern: 'none' } : {}).then(() => (done = true)));
  runtime.recover(before);
  if (!done) unfinished++;
}
for (let k = 0; k < 5 && threads() > 1; k++) {
  await runtime.collect();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
await runtime.collect();
const again = await leem.registerStack(stack, { pattern: 'none' });
for (let k = 0; k < 30 && (tf.memory().numTensors > 1 || threads() > 1); k++) {
  await runtime.collect();
  await new Promise((resolve) => setTimeout(resolve, 100));
}
report('registration', { unfinished, threads: threads(), same: again.drift.row.every((value, n) => value === first.drift.row[n]) });
await new Promise((resolve) => { killer.once('message', resolve); killer.postMessage(-1); });
process.exit(0);
`;

test('code that is cut off leaves neither tensors nor threads nor a broken engine', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', CUT_OFF], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(stderr.replace(/^Waiting for the debugger.*$/m, '').trim()).toBe('');
  expect(status).toBe(0);
  const alone = { numTensors: 1, numBytes: 12, numDataBuffers: 1, native: 1 };
  const lines = stdout.trim().split('\n');
  const [start, ...rest] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(start).toMatchObject(alone);
  expect(rest).toMatchObject([
    { name: 'scope', ...alone, sum: 3 },
    { name: 'scope', ...alone, sum: 3 },
    { name: 'gradient', ...alone, slope: 6 },
    { name: 'registration', ...alone, threads: 1, same: true },
  ]);
  expect(rest[0].open).toBeGreaterThan(0);
  expect(rest[3].unfinished).toBeGreaterThan(2);
});
