import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf, type Notebook, outputsOf, printed, readNotebook } from './notebookFile.js';
import { missingForNotebooks, nbconvert, papermill } from './runNotebook.js';

const NOTEBOOKS = readdirSync('notebooks').filter((name) => name.endsWith('.ipynb'));
/** Long ones, which a test of their own runs with nbconvert. */
const RUN_BY_OTHERS = ['02-drift-correction.ipynb'];
const LIMIT_MS = 600_000;

const missing = missingForNotebooks();
if (missing) console.info(`Skipped: ${missing} is not there; node binder/setup.mjs --tests makes it`);

/** Neither an error nor a warning, and of each cell the same kinds of output as in the file that is committed. */
function expectAsCommitted(notebook: Notebook, name: string): void {
  expect(outputsOf(notebook).filter(({ output_type: type, name }) => type === 'error' || name === 'stderr')).toEqual([]);
  expect(kindsOf(notebook)).toEqual(kindsOf(readNotebook(join('notebooks', name))));
}

describe.each(NOTEBOOKS)('%s as committed', (name) => {
  const notebook = readNotebook(join('notebooks', name));

  test('names its kernel and is small', () => {
    expect(notebook.metadata.kernelspec).toEqual({
      display_name: 'TypeScript (leemlab)',
      language: 'typescript',
      name: 'leemlab',
    });
    expect(statSync(join('notebooks', name)).size).toBeLessThan(2 ** 20);
  });

  test('shows a run without errors, and nothing of the machine that it ran on', () => {
    const kinds = kindsOf(notebook).flat();
    expect(kinds).not.toContain('error');
    expect(kinds).not.toContain('stderr');
    expect(kinds.length).toBeGreaterThan(5);
    expect(JSON.stringify(notebook.cells)).not.toContain(resolve('.'));
  });
});

describe.skipIf(missing)('run headless', { timeout: LIMIT_MS }, () => {
  let home = '';
  /** A notebook's folder, with the project's packages. */
  let folder = '';

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'leemlab-notebooks-'));
    folder = join(home, 'notebooks');
    mkdirSync(folder);
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'dir');
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  /** Writes a notebook with these cells. */
  function write(name: string, ...cells: string[]): string {
    const path = join(folder, name);
    const code = cells.map((source, n) => ({
      id: `cell-${n}`,
      cell_type: 'code',
      execution_count: null,
      metadata: {},
      outputs: [],
      source,
    }));
    const kernelspec = { name: 'leemlab', display_name: 'TypeScript (leemlab)', language: 'typescript' };
    writeFileSync(path, JSON.stringify({ cells: code, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 }));
    return path;
  }

  test.each(NOTEBOOKS.filter((name) => !RUN_BY_OTHERS.includes(name)))('nbconvert runs %s', async (name) => {
    const { status, log, path } = await nbconvert(join('notebooks', name), home);
    expect(status, log).toBe(0);
    expectAsCommitted(readNotebook(path), name);
  });

  // in another folder, so that what a notebook writes is not written twice at the same time
  test.each(NOTEBOOKS)('papermill runs %s', async (name) => {
    const { status, log, path } = await papermill(join('notebooks', name), home, folder);
    expect(status, log).toBe(0);
    expectAsCommitted(readNotebook(path), name);
  });

  test('a cell that throws ends them with the name of the error, and nothing behind it runs', async () => {
    const notebook = write('throws.ipynb', "throw new RangeError('no such frame');", "console.log('behind it');");
    for (const run of [await nbconvert(notebook, home), await papermill(notebook, home, folder)]) {
      expect(run.status).toBeGreaterThan(0);
      expect(run.log).toContain('RangeError: no such frame');
    }
    const written = readNotebook(join(home, 'papermill-throws.ipynb'));
    expect(outputsOf(written).map(({ ename }) => ename)).toEqual(['RangeError']);
  });

  test('so does a cell with a type error', async () => {
    const notebook = write('mistyped.ipynb', "const sigma: number = 'three';");
    for (const run of [await nbconvert(notebook, home), await papermill(notebook, home, folder)]) {
      expect(run.status).toBeGreaterThan(0);
      expect(run.log).toContain('TypeScriptError');
      expect(run.log).toContain("line 1, column 7: Type 'string' is not assignable to type 'number'");
    }
  });

  test('the library works in stock tslab', async () => {
    const spec = join(home, 'jupyter/kernels/stock-tslab');
    mkdirSync(spec, { recursive: true });
    const tslab = resolve('node_modules/tslab/bin/tslab');
    const kernel = {
      argv: ['node', '--conditions=import', '--no-warnings', tslab, 'kernel', '--config-path', '{connection_file}'],
      display_name: 'tslab',
      language: 'typescript',
      env: { TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' },
    };
    writeFileSync(join(spec, 'kernel.json'), JSON.stringify(kernel));
    const notebook = write(
      'tslab.ipynb',
      "import * as leem from 'leemlab';\nimport { display } from 'tslab';",
      `const series = leem.simulateGrapheneSeries({ frames: 6, height: 96, width: 96, seed: 1 });
const stack = new leem.ImageStack(series.source());
display.png(leem.framesPng([await stack.frame(0)], [96, 96]));`,
      `const { drift } = await leem.registerStack(stack, { windowSize: 64, pattern: 'none' });
console.log('frames:', drift.row.length);
console.log('tensors:', typeof leem.memory().tensors);`,
    );
    const args = ['--ExecutePreprocessor.kernel_name=stock-tslab'];
    const run = await nbconvert(notebook, home, { args, env: { JUPYTER_PATH: join(home, 'jupyter') } });
    expect(run.status, run.log).toBe(0);
    const written = readNotebook(run.path);
    expect(printed(written)).toContain('frames: 6');
    expect(kindsOf(written)[1]).toEqual(['image/png']);
    expect(kindsOf(written).flat()).not.toContain('stderr');
  });
});
