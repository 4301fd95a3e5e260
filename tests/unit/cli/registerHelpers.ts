import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { readCsv } from '../../../src/io/index.js';

const MAIN = join(import.meta.dirname, '../../../dist/cli/main.js');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built `leem` that is under way. */
export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Resolves when `path` is there; rejects where the run ends before. */
  sees(path: string): Promise<void>;
}

export function start(...args: readonly string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  let over = false;
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => {
      over = true;
      resolve({ code, stdout, stderr });
    });
  });
  const sees = async (path: string): Promise<void> => {
    while (!existsSync(path)) {
      if (over) throw new Error(`the run ended before ${path} was there:\n${stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return { child, ended, sees };
}

export function leem(...args: readonly string[]): Promise<Outcome> {
  return start(...args).ended;
}

/** A folder of its own for a test file, removed in the end. */
export function workFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'leem-register-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What stands in a folder, by name; none where there is no folder. */
export function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** All files under a folder, by their paths in it. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Names under which a finished run's results stand. */
export const RESULT_NAMES: readonly string[] = [
  'drift.csv',
  'figures',
  'pairs.zarr',
  'provenance.json',
  'registered.zarr',
  'report.html',
];

/** A CSV file whose columns are all numbers. */
export async function readNumbers(path: string): Promise<Record<string, Float64Array>> {
  const table = await readCsv(path);
  return Object.fromEntries(Object.entries(table).map(([name, values]) => [name, Float64Array.from(values, Number)]));
}
