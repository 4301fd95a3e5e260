import type { KernelConfig } from '@tensorflow/tfjs';
import { afterEach, expect, test } from 'vitest';
import { backendInfo, countTensors, tf } from '../../../src/backend/index.js';
import { selfTest } from '../../../src/backend/selfTest.js';

const restore: (() => void)[] = [];
afterEach(() => {
  for (const undo of restore.splice(0)) undo();
});

/** Puts a kernel in place of another one until the test ends. */
function replaceKernel(name: string, backend: string, kernelFunc: KernelConfig['kernelFunc']): void {
  const good = tf.getKernel(name, backend);
  const put = (config: KernelConfig) => {
    tf.unregisterKernel(name, backend);
    tf.registerKernel(config);
  };
  put({ kernelName: name, backendName: backend, kernelFunc });
  restore.push(() => put(good));
}

test('every kernel of this installation agrees, and no tensor stays behind', async () => {
  const before = countTensors();
  const results = await selfTest();
  expect(countTensors()).toBe(before);
  expect(tf.getBackend()).toBe(backendInfo.name);
  expect(new Set(results.map(({ kernel }) => kernel))).toEqual(new Set(['rfft2d', 'irfft2d', 'eigh', 'search', 'refine']));
  for (const result of results) expect(result).toMatchObject({ passed: true, problem: undefined });
});

test('a kernel that is wrong by a hair is found, and only it', async () => {
  const good = tf.getKernel('IRFFT2D', 'cpu');
  replaceKernel('IRFFT2D', 'cpu', (params) => {
    const right = good.kernelFunc(params) as ReturnType<typeof tf.tensor>;
    return tf.tidy(() => tf.mul(right, 1 + 3e-5));
  });
  const failed = (await selfTest()).filter(({ passed }) => !passed);
  expect(failed.length).toBeGreaterThan(0);
  for (const { kernel, error, tolerance } of failed) {
    expect(kernel).toBe('irfft2d');
    expect(error).toBeGreaterThan(tolerance);
  }
});

test('a conjugated spectrum and NaN are found', async () => {
  const good = tf.getKernel('RFFT2D', 'cpu');
  replaceKernel('RFFT2D', 'cpu', (params) => {
    const right = good.kernelFunc(params) as ReturnType<typeof tf.tensor>;
    return tf.tidy(() => tf.complex(tf.real(right), tf.neg(tf.imag(right))));
  });
  expect((await selfTest()).some(({ kernel, passed }) => kernel === 'rfft2d' && !passed)).toBe(true);
  replaceKernel('IRFFT2D', 'cpu', (params) => {
    const right = good.backendName && (params.inputs as { input: ReturnType<typeof tf.tensor> }).input;
    const [batch, rows, stored] = (right as ReturnType<typeof tf.tensor>).shape;
    return tf.fill([batch, rows, 2 * (stored - 1)], Number.NaN);
  });
  expect((await selfTest()).some(({ kernel, error }) => kernel === 'irfft2d' && error === Number.POSITIVE_INFINITY)).toBe(true);
});

test('a kernel that throws is reported, not thrown', async () => {
  replaceKernel('RFFT2D', 'cpu', () => {
    throw new Error('no such operation\nat line 3');
  });
  const failed = (await selfTest()).filter(({ tested, kernel }) => tested === 'cpu' && kernel === 'rfft2d');
  expect(failed.length).toBeGreaterThan(0);
  for (const result of failed) expect(result).toMatchObject({ passed: false, problem: 'no such operation' });
  expect(tf.getBackend()).toBe(backendInfo.name);
});
