import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

// TensorFlow greets, oneDNN announces itself, and Node warns of functions that tfjs-node still calls: none of it may show.
test.each([
  ['native, where it loads', {}],
  ['portable', { LEEMLAB_BACKEND: 'cpu' }],
])('the backend starts and computes without a word: %s', (_, env) => {
  const script = `
    const { irfft2d, rfft2d, tf } = await import(${JSON.stringify(pathToFileURL(resolve('dist/backend/index.js')).href)});
    const image = tf.randomUniform([2, 8, 8]);
    const back = irfft2d(rfft2d(image));
    const error = tf.max(tf.abs(tf.sub(back, image)));
    console.log((await error.data())[0] < 1e-5, Array.isArray(await tf.split(image, 2)[0].array()));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('true true\n');
});
