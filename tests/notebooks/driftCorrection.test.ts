import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const NOTEBOOK = 'notebooks/02-drift-correction.ipynb';
const BIN = process.platform === 'win32' ? '.venv/Scripts' : '.venv/bin';
const JUPYTER = join(BIN, process.platform === 'win32' ? 'jupyter.exe' : 'jupyter');
const KERNEL = '.venv/share/jupyter/kernels/leemlab/kernel.json';

const missing = [JUPYTER, KERNEL].find((path) => !existsSync(path));
if (missing) console.info(`Skipped: ${missing} is not there; node binder/setup.mjs makes it`);

interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | string[];
  readonly data?: Readonly<Record<string, string | string[]>>;
}

interface Cell {
  readonly cell_type: string;
  readonly source: string | string[];
  readonly outputs?: readonly Output[];
}

interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: Readonly<Record<string, string>> };
}

const whole = (text: string | string[] | undefined): string => (Array.isArray(text) ? text.join('') : (text ?? ''));
const readNotebook = (path: string): Notebook => JSON.parse(readFileSync(path, 'utf8')) as Notebook;
const outputsOf = ({ cells }: Notebook): Output[] => cells.flatMap((cell) => cell.outputs ?? []);
const printed = (notebook: Notebook): string =>
  outputsOf(notebook)
    .map(({ text }) => whole(text))
    .join('');

/** A row of a table that `console.table` printed: its numbers. */
function tableRow(text: string, name: string): number[] {
  const row = text.split('\n').find((line) => line.includes(`│ ${name} `));
  return (row?.match(/\d+(\.\d+)?(?= *│)/g) ?? []).map(Number);
}

describe('the committed notebook', () => {
  const notebook = readNotebook(NOTEBOOK);

  test('names its kernel and is small', () => {
    expect(notebook.metadata.kernelspec).toEqual({
      display_name: 'TypeScript (leemlab)',
      language: 'typescript',
      name: 'leemlab',
    });
    expect(statSync(NOTEBOOK).size).toBeLessThan(2 ** 20);
  });

  test('shows the pictures of a run without errors', () => {
    const kinds = outputsOf(notebook).map(({ output_type: type, name, data }) => (data ? Object.keys(data)[0] : (name ?? type)));
    expect(kinds).not.toContain('error');
    expect(kinds).not.toContain('stderr');
    expect(kinds.filter((kind) => kind === 'image/png').length).toBeGreaterThanOrEqual(5);
    expect(kinds.filter((kind) => kind === 'image/svg+xml').length).toBeGreaterThanOrEqual(5);
  });
});

describe.skipIf(missing)('run headless', () => {
  let folder = '';
  let notebook: Notebook;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'leemlab-notebook-'));
    const args = ['nbconvert', '--to', 'notebook', '--execute', NOTEBOOK, '--output-dir', folder, '--output', 'executed.ipynb'];
    const { status, stderr } = spawnSync(JUPYTER, args, { encoding: 'utf8', timeout: 540_000, maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`${NOTEBOOK} failed:\n${stderr.slice(-4000)}`);
    notebook = readNotebook(join(folder, 'executed.ipynb'));
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('no cell writes an error or a warning', () => {
    const noise = outputsOf(notebook).filter(({ output_type: type, name }) => type === 'error' || name === 'stderr');
    expect(noise).toEqual([]);
  });

  test('every cell of the committed notebook still gives the same kinds of output', () => {
    const kinds = ({ cells }: Notebook) =>
      cells.map((cell) =>
        (cell.outputs ?? []).map(({ output_type: type, name, data }) => name ?? Object.keys(data ?? {})[0] ?? type),
      );
    const unique = (notebook: Notebook) => kinds(notebook).map((all) => [...new Set(all)]);
    expect(unique(notebook)).toEqual(unique(readNotebook(NOTEBOOK)));
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
