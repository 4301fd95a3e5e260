import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// The rule itself stands in biome.json; here the linter is shown to know it, with violations planted in a folder apart.

const BIOME = resolve('node_modules/@biomejs/biome/bin/biome');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leemlab-import-rule-'));
  for (const name of ['biome.json', '.gitignore']) copyFileSync(name, join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(cwd: string, ...paths: string[]): { code: number | null; output: string } {
  const args = [BIOME, 'lint', '--only=style/noRestrictedImports', '--reporter=github', ...paths];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

/** Lints one statement as if it stood in `file` of a room of `root`. */
function plant(file: string, statement: string, root = 'src'): { code: number | null; output: string } {
  rmSync(join(folder, root), { recursive: true, force: true });
  const path = join(folder, root, file);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, `${statement}\n`);
  return lint(folder, root);
}

test('src keeps the import rule', () => {
  expect(lint('.', 'src')).toMatchObject({ code: 0 });
});

describe('a planted violation fails', () => {
  test.each([
    ['errors.ts', "import { tf } from './backend/index.js';"],
    ['host.ts', "import { tf } from './backend/index.js';"],
    ['wire/bundle.ts', "import { tf } from '../backend/index.js';"],
    ['wire/bundle.ts', "import { host } from '../host.js';"],
    ['controls/controls.ts', "import { framesPng } from '../report/index.js';"],
    ['backend/fft.ts', "import { ImageStack } from '../stack/index.js';"],
    ['stack/block.ts', "import type { OpenStackOptions } from '../io/index.js';"],
    ['stack/block.ts', "import { Random } from '../synthetic/index.js';"],
    ['synthetic/scan.ts', "import { runBlocks } from '../engine/index.js';"],
    ['io/openStack.ts', "import { registerStack } from '../registration/index.js';"],
    ['io/openStack.ts', "export { registerStack } from '../registration/registerStack.js';"],
    ['io/openStack.ts', "const later = await import('../report/index.js');"],
    ['io/openStack.ts', "import * as leem from '../index.js';"],
    ['registration/solveDrift.ts', "import { openStack } from '../io/index.js';"],
    ['registration/solveDrift.ts', "import '@tensorflow/tfjs-node';"],
    ['spectra/pca.ts', "import { solveDrift } from '../registration/index.js';"],
    ['detector/flatField.ts', "import { pca } from '../spectra/index.js';"],
    ['stitching/blendTiles.ts', "import { writeReport } from '../report/index.js';"],
    ['report/page.ts', "import { exercise } from '../teach/index.js';"],
    ['teach/exercise.ts', "import { command } from '../cli/info.js';"],
  ])('src/%s: %s', (file, statement) => {
    const { code, output } = plant(file, statement);
    expect(code).toBe(1);
    expect(output).toContain(`file=src/${file}`);
  });
});

test.each([
  ['host.ts', "import { OptionError } from './errors.js';"],
  ['backend/fft.ts', "import '@tensorflow/tfjs-node';"],
  ['backend/memory.ts', "import { host } from '../host.js';"],
  ['io/openStack.ts', "import { runOperation } from '../host.js';"],
  ['controls/controls.ts', "import { host } from '../host.js';"],
  ['synthetic/scan.ts', "import type { FrameSource } from '../stack/index.js';"],
  ['io/encodeWorker.ts', "import { placeFrame } from '../stack/placeFrame.js';"],
  ['stitching/overlaps.ts', "import { edgeFilter } from '../registration/index.js';"],
  ['report/page.ts', "import type { Registration } from '../registration/index.js';"],
  ['cli/main.ts', "import { writeReport } from '../report/index.js';"],
  ['cli/main.ts', "import { OptionError } from '../errors.js';"],
])('what the rule allows passes: src/%s: %s', (file, statement) => {
  expect(plant(file, statement)).toMatchObject({ code: 0 });
});

describe('the packages beside the library', () => {
  test('keep the import rule', () => {
    expect(lint('.', 'kernel-ext', 'lab-extension')).toMatchObject({ code: 0 });
  });

  test.each([
    ['kernel-ext', "import { registerStack } from '../../../src/registration/index.js';"],
    ['kernel-ext', "import { tf } from '../../../dist/backend/index.js';"],
    ['kernel-ext', "import '@tensorflow/tfjs-node';"],
    ['kernel-ext', "import { parse } from 'leemlab/wire';"],
    ['kernel-ext', "import { view } from '@leemlab/jupyterlab';"],
    ['lab-extension', "import { registerStack } from 'leemlab';"],
    ['lab-extension', "import { tf } from '../../../src/index.js';"],
  ])('%s: %s fails', (root, statement) => {
    const { code, output } = plant('src/session/part.ts', statement, root);
    expect(code).toBe(1);
    expect(output).toContain(`file=${root}/src/session/part.ts`);
  });

  test.each([
    ['kernel-ext', "import * as leem from 'leemlab';"],
    ['kernel-ext', "import { encodeFrame } from '../shared/frames.js';"],
    ['lab-extension', "import { parseControlsBundle } from 'leemlab/wire';"],
  ])('%s: %s passes', (root, statement) => {
    expect(plant('src/session/part.ts', statement, root)).toMatchObject({ code: 0 });
  });
});

test('the library does not know where it is shown: src never mentions Jupyter', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((name) => /jupyter/i.test(readFileSync(join('src', name), 'utf8')))).toEqual([]);
});
