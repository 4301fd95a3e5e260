import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { leem, readNumbers, workFolder } from './registerHelpers.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the portable backend registers a series, with the same drift and errors', async () => {
  const folder = workFolder();
  const simulated = await leem(
    'simulate',
    'series',
    '--out',
    join(folder, 'sim'),
    '--frames',
    '14',
    '--size',
    '128,128',
    '--seed',
    '3',
  );
  expect(simulated.code).toBe(0);
  const drifts: Record<string, Float64Array>[] = [];
  for (const backend of ['cpu', 'tensorflow']) {
    vi.stubEnv('LEEMLAB_BACKEND', backend);
    const out = join(folder, backend);
    const { code, stderr } = await leem('register', join(folder, 'sim', 'series.zarr'), '--out', out, '--pattern', 'none');
    expect(code, stderr).toBe(0);
    expect(stderr.includes('portable backend')).toBe(backend === 'cpu');
    drifts.push(await readNumbers(join(out, 'drift.csv')));
  }
  for (const name of ['drift_row', 'drift_col', 'sigma_row', 'sigma_col', 'weight'])
    for (const [n, value] of drifts[0][name].entries()) expect(value, `${name} ${n}`).toBeCloseTo(drifts[1][name][n], 2);
}, 180_000);
