import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { backendInfo, countTensors, memory, readAll, readOut, tf } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { DISPLAY } from '../../../src/host.js';

describe('reading out', () => {
  test('gives the values and frees every tensor that was made inside', () => {
    const before = countTensors();
    const values = readOut(() => tf.add(tf.tensor1d([1, 2, 3]), tf.square(tf.tensor1d([1, 2, 3]))));
    expect(Array.from(values)).toEqual([2, 6, 12]);
    const [a, b] = readAll(() => [tf.zeros([2]), tf.mul(tf.ones([2, 2]), 3)]);
    expect([Array.from(a), Array.from(b)]).toEqual([
      [0, 0],
      [3, 3, 3, 3],
    ]);
    expect(countTensors()).toBe(before);
  });

  test('frees them where the work throws, and leaves tensors from outside alone', () => {
    const outside = tf.tensor1d([4, 5]);
    const before = countTensors();
    expect(() =>
      readOut(() => {
        tf.zeros([10]);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(Array.from(readOut(() => tf.neg(outside)))).toEqual([-4, -5]);
    expect(countTensors()).toBe(before);
    expect(outside.isDisposed).toBe(false);
    outside.dispose();
    expect(countTensors()).toBe(before - 1);
  });

  test('the values stay when later work runs', () => {
    const values = readOut(() => tf.fill([100_000], 7));
    for (let k = 0; k < 20; k++) readOut(() => tf.fill([100_000], k));
    expect(values.every((value) => value === 7)).toBe(true);
  });
});

test('memory() tells what there is, and shows itself as a table', () => {
  const before = memory();
  const tensor = tf.zeros([1000, 1000]);
  const after = memory();
  expect(after.tensors - before.tensors).toBe(1);
  expect(after.tensorBytes - before.tensorBytes).toBe(4e6);
  for (const bytes of [after.heapBytes, after.residentBytes, after.availableBytes]) expect(bytes).toBeGreaterThan(1e6);
  expect(after.heapBytes).toBeLessThan(after.heapLimitBytes);
  expect(Object.keys(after)).toEqual([
    'tensors',
    'tensorBytes',
    'heapBytes',
    'heapLimitBytes',
    'residentBytes',
    'availableBytes',
  ]);
  const { data } = after[DISPLAY]();
  expect(data['text/plain']).toMatch(/^tensors +\d+\ntheir values +3\.8\d MiB\nJavaScript objects .*\nleft +[\d.]+ [GM]iB$/s);
  expect(data['text/html']).toContain('<th style="text-align:left">their values</th>');
  tensor.dispose();
});

test('a tensor for which there is no memory is a tagged error with a remedy, and leaves the engine in order', () => {
  const before = countTensors();
  let error: unknown;
  try {
    tf.tidy(() => tf.fill([1e6, 1e6], 1));
  } catch (caught) {
    error = caught;
  }
  expect(isLeemError(error, 'OutOfMemoryError')).toBe(true);
  expect((error as Error).message).toMatch(/^Fill: there is no memory for a tensor of 1000000 × 1000000 values; dispose of/);
  expect((error as Error).cause).toBeInstanceOf(Error);
  expect(countTensors()).toBe(before);
  expect(Array.from(readOut(() => tf.fill([2], 3)))).toEqual([3, 3]);
});

describe('start-up', () => {
  const load = (env: NodeJS.ProcessEnv): { stdout: string; stderr: string } => {
    const script = `import('leemlab').then(({ backendInfo, tf }) =>
      console.log(JSON.stringify({ ...backendInfo, used: tf.getBackend(), sum: tf.sum(tf.ones([5])).dataSync()[0] })));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    return { stdout, stderr };
  };

  test('is quiet, and says which backend computes', () => {
    const { stdout, stderr } = load({});
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ name: backendInfo.name, used: backendInfo.name, sum: 5 });
  });

  test('the portable backend can be asked for, and says why it computes', () => {
    const { stdout, stderr } = load({ LEEMLAB_BACKEND: 'cpu' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'cpu',
      used: 'cpu',
      problem: 'LEEMLAB_BACKEND=cpu asks for the portable backend',
      sum: 5,
    });
  });
});
