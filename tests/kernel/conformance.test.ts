import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';

const PYTHON = '.venv/bin/python';
const has = existsSync(PYTHON) && spawnSync(PYTHON, ['-c', 'import jupyter_kernel_test']).status === 0;
if (!has) console.info('Skipped: jupyter_kernel_test is not there; node binder/setup.mjs --tests installs it');

test.skipIf(!has)(
  "Jupyter's own conformance suite passes, every optional part filled in",
  () => {
    const { status, stderr } = spawnSync(PYTHON, ['tests/kernel/conformance.py'], { encoding: 'utf8', timeout: 100_000 });
    expect(stderr).toMatch(/Ran 13 tests/);
    expect(stderr).toMatch(/^OK$/m); // "OK (skipped=…)" would be another line
    expect(status).toBe(0);
  },
  120_000,
);
