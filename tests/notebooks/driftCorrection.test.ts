import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindsOf, type Notebook, outputsOf, printed, readNotebook } from './notebookFile.js';
import { missingForNotebooks, nbconvert } from './runNotebook.js';

// everyNotebook.test.ts leaves the run with nbconvert to this file

const NOTEBOOK = 'notebooks/02-drift-correction.ipynb';

const missing = missingForNotebooks();
if (missing) console.info(`Skipped: ${missing} is not there; node binder/setup.mjs --tests makes it`);

/** A row of a table that `console.table` printed: its numbers. */
function tableRow(text: string, name: string): number[] {
  const row = text.split('\n').find((line) => line.includes(`│ ${name} `));
  return (row?.match(/\d+(\.\d+)?(?= *│)/g) ?? []).map(Number);
}

test('the committed notebook shows its pictures', () => {
  const kinds = outputsOf(readNotebook(NOTEBOOK)).map(({ data }) => Object.keys(data ?? {})[0]);
  expect(kinds.filter((kind) => kind === 'image/png').length).toBeGreaterThanOrEqual(5);
  expect(kinds.filter((kind) => kind === 'image/svg+xml').length).toBeGreaterThanOrEqual(5);
});

describe.skipIf(missing)('run headless', () => {
  let folder = '';
  let notebook: Notebook;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'leemlab-notebook-'));
    const { status, log, path } = await nbconvert(NOTEBOOK, folder);
    if (status !== 0) throw new Error(`${NOTEBOOK} failed:\n${log.slice(-4000)}`);
    notebook = readNotebook(path);
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('no cell writes an error or a warning', () => {
    const noise = outputsOf(notebook).filter(({ output_type: type, name }) => type === 'error' || name === 'stderr');
    expect(noise).toEqual([]);
  });

  test('every cell of the committed notebook still gives the same kinds of output', () => {
    expect(kindsOf(notebook)).toEqual(kindsOf(readNotebook(NOTEBOOK)));
  });

  test('the drift found lies close to the true one, closer than with the pattern left in', () => {
    const text = printed(notebook);
    const [median, p95] = tableRow(text, 'pattern taken out');
    const [medianWith, p95With] = tableRow(text, 'pattern left in');
    expect(median).toBeGreaterThan(0);
    expect(median).toBeLessThan(0.25);
    expect(p95).toBeLessThan(1);
    expect(median).toBeLessThan(medianWith);
    expect(p95).toBeLessThan(p95With);
  });

  test('error bars hold the truth', () => {
    const share = Number(/within three standard errors: (\d+) %/.exec(printed(notebook))?.[1]);
    expect(share).toBeGreaterThanOrEqual(90);
  });

  test('the registered stack is written, as large as the notebook says', () => {
    const [, frames, height, width, path] = /(\d+) frames of (\d+) × (\d+) pixels in (\S+)/.exec(printed(notebook)) ?? [];
    const metadata = JSON.parse(readFileSync(join('notebooks', path, 'intensity', 'zarr.json'), 'utf8'));
    expect(metadata.shape).toEqual([frames, height, width].map(Number));
  });
});
