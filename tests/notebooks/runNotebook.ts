import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const IS_WINDOWS = process.platform === 'win32';
const BIN = resolve('.venv', IS_WINDOWS ? 'Scripts' : 'bin');
const program = (name: string): string => join(BIN, IS_WINDOWS ? `${name}.exe` : name);
const KERNEL = resolve('.venv/share/jupyter/kernels/leemlab/kernel.json');

/** What is not there of all that runs notebooks. */
export function missingForNotebooks(): string | undefined {
  return [program('jupyter'), program('papermill'), KERNEL].find((path) => !existsSync(path));
}

export interface Run {
  /** Exit code. */
  readonly status: number | null;
  /** What the program said, both streams, without colors. */
  readonly log: string;
  /** Where the executed notebook lies. */
  readonly path: string;
}

export interface RunOptions {
  /** Arguments beside the usual ones. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a notebook, in its own folder, with `jupyter nbconvert --execute`; the result goes into `folder`. */
export async function nbconvert(notebook: string, folder: string, options: RunOptions = {}): Promise<Run> {
  const path = join(folder, `nbconvert-${basename(notebook)}`);
  const args = ['nbconvert', '--to', 'notebook', '--execute', notebook, '--output-dir', folder, '--output', basename(path)];
  return { ...(await run('jupyter', args, options)), path };
}

/** Runs a notebook with papermill in the folder `cwd`; the result goes into `folder`. */
export async function papermill(notebook: string, folder: string, cwd: string, options: RunOptions = {}): Promise<Run> {
  const path = join(folder, `papermill-${basename(notebook)}`);
  return { ...(await run('papermill', [notebook, path, '--cwd', cwd, '--no-progress-bar'], options)), path };
}

function run(name: string, given: readonly string[], { args = [], env = {} }: RunOptions): Promise<Omit<Run, 'path'>> {
  return new Promise((done, fail) => {
    const child = spawn(program(name), [...given, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => said.push(String(data)));
    child.on('error', fail);
    child.on('close', (status) => done({ status, log: stripVTControlCharacters(said.join('')) }));
  });
}
