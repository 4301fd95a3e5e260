import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

// A project of its own, on a machine whose npm, python3 and g++ only write down that they were called and make what the
// real ones would leave behind: what set-up does in which order, and how it goes on, takes milliseconds to see.

const NPM = `
mkdir -p node_modules/@tensorflow/tfjs-node/binding node_modules/typescript/bin node_modules/assemblyscript/bin
mkdir -p node_modules/@jupyter/builder/lib
[ -z "$BREAK_NPM" ] || exit 1
cp "$FAKES/tsc.js" node_modules/typescript/bin/tsc
cp "$FAKES/asc.js" node_modules/assemblyscript/bin/asc.js
cp "$FAKES/builder.js" node_modules/@jupyter/builder/lib/build-labextension.js`;
const TSC = `
const fs = require('fs');
if (process.argv.some((word) => word.includes('lab-extension'))) process.exit(0);
const out = process.argv[process.argv.indexOf('--outDir') + 1];
fs.mkdirSync(out, { recursive: true });
if (process.argv.some((word) => word.includes('kernel-ext'))) {
  for (const name of ['server', 'install']) fs.mkdirSync(out + '/' + name);
  fs.writeFileSync(out + '/server/main.js', '');
  fs.copyFileSync(process.env.FAKES + '/installer.js', out + '/install/main.js');
  process.exit(0);
}
if (process.env.BREAK_TSC) {
  console.log("src/index.ts(1,14): error TS2322: Type 'string' is not assignable to type 'number'.");
  process.exit(2);
}
require('fs').writeFileSync(out + '/index.js', process.env.BUILD ?? '');`;
const INSTALLER = `
const folder = process.argv[process.argv.indexOf('--prefix') + 1] + '/share/jupyter/kernels/leemlab';
require('fs').mkdirSync(folder, { recursive: true });
require('fs').writeFileSync(folder + '/kernel.json', '{}');`;
const BUILDER = `
const folder = process.argv.at(-1) + '/labextension';
require('fs').mkdirSync(folder, { recursive: true });
require('fs').writeFileSync(folder + '/package.json', '{}');`;
const PYTHON = `
case "$*" in
  "-c "*) echo "\${PYTHON_SAYS:-3 12 1 1}" ;;
  "-m venv --clear "*) rm -rf "$4"; mkdir -p "$4/bin"; cp "$FAKES/python3" "$4/bin/python" ;;
  "-m pip download "*) [ -z "$BREAK_DOWNLOAD" ] || { echo "no such wheel" >&2; exit 1; } ;;
  *unpackWheel.py*) mkdir -p "$2/lib" "$2/include"; touch "$2/lib/libtensorflow_framework.so.2" ;;
esac`;
const GPP = `
[ "$1" = --version ] && exit 0
while [ "$1" != -o ]; do shift; done
touch "$2"`;
const ASC = `
const out = process.argv[process.argv.indexOf('--outFile') + 1];
require('fs').mkdirSync(require('path').dirname(out), { recursive: true });
require('fs').writeFileSync(out, '');`;
/** What the steps call, in order; \`g++ --version\` and \`python3 -c\` only look. */
const ALL = ['npm ci', 'python3 -m venv', 'python -m pip install', 'python -m pip download', 'python unpackWheel.py', 'g++'];

let root = '';
let fakes = '';

function fake(name: string, script: string): void {
  const log = `case "$1" in -c|--version) ;; *) echo "$(basename "$0") $*" >> "$FAKES/calls" ;; esac`;
  writeFileSync(join(fakes, name), `#!/bin/sh\n${log}${script}\n`);
  chmodSync(join(fakes, name), 0o755);
}

function setup(env: Record<string, string> = {}, ...args: string[]): { code: number | null; calls: string[]; lines: string[] } {
  rmSync(join(fakes, 'calls'), { force: true });
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'binder', 'setup.mjs'), ...args], {
    encoding: 'utf8',
    env: { PATH: `${fakes}:${join(root, 'tools')}`, FAKES: fakes, ...env },
  });
  const log = existsSync(join(fakes, 'calls')) ? readFileSync(join(fakes, 'calls'), 'utf8') : '';
  const short = (call: string) =>
    call.startsWith('g++')
      ? 'g++'
      : call
          .replace(/\S+\/(unpackWheel\.py)/, '$1')
          .split(' ')
          .slice(0, / -m pip /.test(call) ? 4 : / -m /.test(call) ? 3 : 2)
          .join(' ');
  return { code: status, calls: log.split('\n').filter(Boolean).map(short), lines: stderr.split('\n').filter(Boolean) };
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'leemlab-setup-')));
  fakes = join(root, 'fakes');
  for (const folder of ['binder', 'fakes', 'src', 'tools']) mkdirSync(join(root, folder));
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json']) copyFileSync(name, join(root, name));
  cpSync('binder', join(root, 'binder'), { recursive: true });
  writeFileSync(join(root, 'src', 'index.ts'), 'export const one: number = 1;\n');
  writeFileSync(join(fakes, 'tsc.js'), TSC);
  writeFileSync(join(fakes, 'asc.js'), ASC);
  writeFileSync(join(fakes, 'installer.js'), INSTALLER);
  writeFileSync(join(fakes, 'builder.js'), BUILDER);
  for (const folder of ['src/wire', 'kernel-ext/src/install', 'lab-extension/src', 'lab-extension/style']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const file of ['kernel-ext/src/install/writeSpec.ts', 'kernel-ext/tsconfig.json', 'lab-extension/tsconfig.json']) {
    writeFileSync(join(root, file), '{}\n');
  }
  // the kernel's build is a CommonJS script here
  writeFileSync(join(root, 'kernel-ext', 'package.json'), '{ "type": "commonjs" }\n');
  // the shell's own tools, without the machine's Python and compilers
  for (const name of ['sh', 'basename', 'mkdir', 'cp', 'rm', 'touch']) {
    const real = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync);
    writeFileSync(join(root, 'tools', name), `#!/bin/sh\nexec ${real} "$@"\n`);
    chmodSync(join(root, 'tools', name), 0o755);
  }
  fake('npm', NPM);
  fake('python3', PYTHON);
  fake('g++', GPP);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const isLinux = process.platform === 'linux' && process.arch === 'x64';

describe.skipIf(!isLinux)('set-up', () => {
  test('does every step once; a second run says that all is there', () => {
    const first = setup();
    expect(first).toMatchObject({ code: 0, calls: ALL });
    expect(first.lines.filter((line) => /^\[\d\/9\] .*: \d+\.\d s/.test(line))).toHaveLength(9);
    expect(existsSync(join(root, 'dist', 'index.js'))).toBe(true);
    expect(setup()).toEqual({ code: 0, calls: [], lines: ['Set-up: everything is in place.'] });
  });

  test('the packages of the tests are added, and serve a run without tests', () => {
    setup();
    expect(setup({}, '--tests').calls).toEqual(['python -m pip install']);
    expect(setup().calls).toEqual([]);
  });

  test.each([
    ['node_modules', ['npm ci', 'g++']],
    ['.venv', ['python3 -m venv', 'python -m pip install']],
    ['.setup', ['python -m pip download', 'python unpackWheel.py']],
    ['dist', []],
    ['kernel-ext/dist', []],
    ['lab-extension/labextension', []],
    ['.venv/share', []],
    ['node_modules/@tensorflow', ['npm ci', 'g++']],
  ])('what was in %s is made again when it is deleted', (folder, calls) => {
    setup();
    rmSync(join(root, folder), { recursive: true });
    expect(setup()).toMatchObject({ code: 0, calls });
    for (const path of [
      'dist/index.js',
      'kernel-ext/dist/server/main.js',
      '.venv/share/jupyter/kernels/leemlab/kernel.json',
      '.venv/share/jupyter/labextensions/@leemlab/jupyterlab/package.json',
      'node_modules/leemlab',
    ]) {
      expect(existsSync(join(root, path))).toBe(true);
    }
    expect(setup().calls).toEqual([]);
  });

  test('a step that broke off is done again', () => {
    const broken = setup({ BREAK_NPM: '1' });
    expect(broken).toMatchObject({ code: 1, calls: ['npm ci'] });
    expect(broken.lines.at(-1)).toBe('Set-up failed: npm ci --ignore-scripts --no-audit --no-fund … ended with code 1');
    expect(setup()).toMatchObject({ code: 0, calls: ALL });
  });

  test('a project that was moved links its libraries anew', () => {
    setup();
    const moved = `${root}-moved`;
    renameSync(root, moved);
    [root, fakes] = [moved, join(moved, 'fakes')];
    // the tools' scripts hold no paths of the project; .venv does
    expect(setup().calls).toEqual(['python3 -m venv', 'python -m pip install', 'g++']);
  });

  test('a new build comes only when the sources changed', () => {
    setup({ BUILD: 'first' });
    const built = () => readFileSync(join(root, 'dist', 'index.js'), 'utf8');
    writeFileSync(join(root, 'README.md'), 'not a source');
    setup({ BUILD: 'second' });
    expect(built()).toBe('first');
    writeFileSync(join(root, 'src', 'index.ts'), 'export const one: number = 2;\n');
    setup({ BUILD: 'third' });
    expect(built()).toBe('third');
  });

  test("the compiler's error is told, and the last build stays", () => {
    setup({ BUILD: 'good' });
    writeFileSync(join(root, 'src', 'index.ts'), "export const one: number = '';\n");
    const { code, lines } = setup({ BREAK_TSC: '1' });
    expect(code).toBe(1);
    expect(lines.at(-1)).toMatch(/^src\/index\.ts\(1,14\): error TS2322/);
    expect(readFileSync(join(root, 'dist', 'index.js'), 'utf8')).toBe('good');
  });

  test('without the wheel, set-up goes on and says what that means', () => {
    const { code, lines, calls } = setup({ BREAK_DOWNLOAD: '1' });
    expect(code).toBe(0);
    expect(lines.join('\n')).toMatch(/native TensorFlow [^\n]*: failed.*no such wheel.*portable backend/s);
    expect(existsSync(join(root, 'dist', 'index.js'))).toBe(true);
    // nothing was linked against a library that is not there
    expect(calls).not.toContain('g++');
    expect(setup().calls).toEqual(['python -m pip download', 'python unpackWheel.py', 'g++']);
  });
});

describe.skipIf(!isLinux)('what is missing is told before anything is done', () => {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';

  test.each([
    [
      '3 9 1 1',
      `Set-up: Python 3.9 is too old, 3.10 or newer is needed: ${sudo}apt-get install python3 python3-venv (or set LEEMLAB_PYTHON to a newer one)`,
    ],
    ['3 12 1 0', `Set-up: Python 3.12 lacks venv and ensurepip: ${sudo}apt-get install python3.12-venv`],
  ])('a Python that answers %s', (says, line) => {
    expect(setup({ PYTHON_SAYS: says })).toEqual({ code: 1, calls: [], lines: [line] });
  });

  test('no Python and no compiler: one line each', () => {
    for (const name of ['python3', 'g++']) rmSync(join(fakes, name));
    expect(setup()).toEqual({
      code: 1,
      calls: [],
      lines: [
        `Set-up: Python 3.10 or newer is missing: ${sudo}apt-get install python3 python3-venv`,
        `Set-up: g++ is missing: ${sudo}apt-get install g++`,
      ],
    });
    expect(readdirSync(root)).not.toContain('node_modules');
  });

  test('an older Python beside a newer one is passed over', () => {
    fake('python3', PYTHON.replace('3 12 1 1', '3 10 1 1'));
    fake('python3.13', PYTHON.replace('3 12 1 1', '3 13 1 1'));
    expect(setup().calls).toContain('python3.13 -m venv');
  });
});
