import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// The real command, with a home and a Python environment of its own.

const COMMAND = resolve('kernel-ext/dist/install/main.js');
let home = '';
let environment: NodeJS.ProcessEnv;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'leemlab-install-'));
  const {
    VIRTUAL_ENV: _,
    CONDA_PREFIX: __,
    JUPYTER_PATH: ___,
    JUPYTER_DATA_DIR: ____,
    XDG_DATA_HOME: _____,
    ...rest
  } = process.env;
  environment = { ...rest, HOME: home, VIRTUAL_ENV: join(home, 'venv') };
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function run(args: string[], env: NodeJS.ProcessEnv = environment, command: string = COMMAND) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: 'utf8', env });
  return { status, stdout, stderr };
}

const kernels = (prefix: string): string => join(prefix, 'share', 'jupyter', 'kernels');

describe('install', () => {
  test('--prefix: a kernelspec that Jupyter can start', () => {
    const prefix = join(home, 'prefix');
    expect(run(['install', '--prefix', prefix])).toMatchObject({ status: 0, stderr: '' });
    const folder = join(kernels(prefix), 'leemlab');
    expect(readdirSync(folder).sort()).toEqual([
      'kernel.js',
      'kernel.json',
      'logo-32x32.png',
      'logo-64x64.png',
      'logo-svg.svg',
      'package.json',
    ]);
    expect(JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8'))).toMatchObject({
      argv: ['node', '--conditions=import', '--no-warnings', '{resource_dir}/kernel.js', '{connection_file}'],
      display_name: 'TypeScript (leemlab)',
      language: 'typescript',
      interrupt_mode: 'message',
    });
    expect(readdirSync(kernels(prefix))).toEqual(['leemlab']); // nothing half-written
  });

  test('--user, --sys-prefix and --name', () => {
    expect(run(['install', '--user']).status).toBe(0);
    expect(run(['install', '--sys-prefix', '--name', 'leem2', '--display-name', 'LEEM two']).status).toBe(0);
    const user = process.platform === 'darwin' ? join(home, 'Library', 'Jupyter') : join(home, '.local', 'share', 'jupyter');
    expect(existsSync(join(user, 'kernels', 'leemlab', 'kernel.json'))).toBe(true);
    const spec = readFileSync(join(kernels(join(home, 'venv')), 'leem2', 'kernel.json'), 'utf8');
    expect(JSON.parse(spec).display_name).toBe('LEEM two');
  });

  test('without a place: into the active environment; a second one of the same name is pointed out', () => {
    const { status, stdout } = run(['install']);
    expect(status).toBe(0);
    expect(stdout).toContain(join(kernels(join(home, 'venv')), 'leemlab'));
    expect(stdout).toMatch(/another one of the same name is in .*\.local/);
  });

  test('two installations: the later one says which it replaces, list says which works', () => {
    const copy = join(home, 'copy');
    cpSync('kernel-ext', copy, { recursive: true });
    symlinkSync(resolve('node_modules'), join(home, 'node_modules'));
    const other = join(copy, 'dist', 'install', 'main.js');
    const prefix = join(home, 'venv');
    expect(run(['install', '--sys-prefix'], environment, other).stdout).toContain('It replaces one that started');
    expect(run(['list']).stdout).toContain(`starts ${join(copy, 'dist', 'server', 'main.js')}`);
    rmSync(copy, { recursive: true });
    expect(run(['list']).stdout).toMatch(/BROKEN: .* is gone; run npx leem-kernel install again/);
    // what Jupyter's log shows then
    const script = join(kernels(prefix), 'leemlab', 'kernel.js');
    const started = spawnSync(process.execPath, [script, 'connection.json'], { encoding: 'utf8' });
    expect(started.status).toBe(1);
    expect(started.stderr).toMatch(/leemlab was moved, removed, or not built\. Run "npx leem-kernel install"/);
    expect(run(['install', '--sys-prefix']).status).toBe(0);
    expect(run(['list']).stdout).not.toContain('BROKEN');
  });

  test("another kernel's folder is left alone", () => {
    const folder = join(kernels(join(home, 'venv')), 'other');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'kernel.json'), '{"argv": ["other"], "display_name": "Other"}');
    const { status, stderr } = run(['install', '--sys-prefix', '--name', 'other']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/belongs to another kernel; choose another name with --name/);
    expect(readFileSync(join(folder, 'kernel.json'), 'utf8')).toContain('"other"');
  });
});

test('remove takes it away, and says so where there is nothing', () => {
  expect(run(['remove', '--name', 'leem2'])).toMatchObject({ status: 0 });
  expect(existsSync(join(kernels(join(home, 'venv')), 'leem2'))).toBe(false);
  const { status, stderr } = run(['remove', '--name', 'leem2']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/no kernel of leemlab is installed as 'leem2'/);
});

test.each([
  [[], 2, /leem-kernel install/],
  [['--help'], 0, /leem-kernel install/],
  [['fly'], 2, /there is no command 'fly'/],
  [['install', '--user', '--prefix', 'x'], 2, /give one of --user, --sys-prefix and --prefix/],
  [['install', '--colour', 'blue'], 2, /Unknown option '--colour'/],
  [['install', '--name', '../x'], 1, /'--name' must hold letters/],
])('%s ends with code %i', (args, code, words) => {
  const { status, stdout, stderr } = run(args);
  expect(status).toBe(code);
  expect(stdout + stderr).toMatch(words);
});

test('an old Node says that it is too old', () => {
  const script = join(kernels(join(home, 'prefix')), 'leemlab', 'kernel.js');
  // the same program, told that it runs on Node 18
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.20.0' }); require(${JSON.stringify(script)})`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', pretend], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/Node 18\.20\.0 .* is too old, 20\.19 or newer is needed/);
});
