import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../../binder/start.mjs');

interface Start {
  outputName(inputs: readonly string[]): string;
  chooseOutput(root: string, name: string): string;
  readArguments(argv: readonly string[]): { inputs: string[]; options: string[]; out: string | undefined };
}
const start = (await import(pathToFileURL(SCRIPT).href)) as Start;

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'leem-start-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('npm start', () => {
  test.each([
    [['/data/20141023'], '20141023'],
    [['/data/series.v2/'], 'series.v2'],
    [['/data/stack.tif'], 'stack'],
    [['/data/my series (1).h5'], 'my_series_1_'],
    [['/data/run7/*.dat'], 'run7'],
    [['/data/run7/a.dat', '/data/run7/b.dat'], 'run7'],
    [['https://host.example/x/bright.zarr?token=1'], 'bright'],
    [['/'], 'series'],
  ])('the output of %j is called %s', (inputs, name) => {
    expect(start.outputName(inputs)).toBe(name);
  });

  test('a finished run is left alone, a stopped one goes on', () => {
    const out = (name: string) => join(root, 'out', name);
    expect(start.chooseOutput(root, 'a')).toBe(out('a'));
    mkdirSync(join(out('a'), 'pairs.zarr'), { recursive: true });
    expect(start.chooseOutput(root, 'a')).toBe(out('a'));
    writeFileSync(join(out('a'), 'report.html'), '');
    expect(start.chooseOutput(root, 'a')).toBe(out('a-2'));
    mkdirSync(out('a-2'));
    writeFileSync(join(out('a-2'), 'notes.txt'), 'not a run at all');
    expect(start.chooseOutput(root, 'a')).toBe(out('a-3'));
  });

  test('inputs come first, and --out is seen in both forms', () => {
    expect(start.readArguments(['a', 'b', '--window', '256'])).toEqual({
      inputs: ['a', 'b'],
      options: ['--window', '256'],
      out: undefined,
    });
    expect(start.readArguments(['a', '--out', 'x']).out).toBe('x');
    expect(start.readArguments(['a', '--out=x y']).out).toBe('x y');
    expect(start.readArguments([])).toEqual({ inputs: [], options: [], out: undefined });
  });

  test('help and wrong use need no set-up', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
    expect(run('--help')).toMatchObject({ status: 0, stderr: '' });
    const wrong = run('--window', '256');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('npm start: INPUT must come first, got --window');
  });
});
