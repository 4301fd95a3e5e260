import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CompileError } from '../../../kernel-ext/src/session/compile/index.js';
import { createFolder, type Notebook, openNotebook, removeFolders } from './notebook.js';

let notebook: Notebook;
const run = (source: string) => notebook.run(source);
let seconds = 1_700_000_000;

/** Writes a file with a time of its own, however fast the test is. */
function write(name: string, text: string): void {
  notebook.write(name, text);
  seconds += 10;
  utimesSync(join(notebook.folder, name), seconds, seconds);
}

function pack(name: string, fields: object, files: Record<string, string>): void {
  notebook.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', ...fields }));
  for (const [file, text] of Object.entries(files)) notebook.write(`node_modules/${name}/${file}`, text);
}

beforeAll(() => {
  notebook = openNotebook(createFolder());
});
afterEach(() => notebook.reset());
afterAll(() => {
  notebook.close();
  removeFolders();
});

describe('local modules', () => {
  it('are compiled, also those that they import', async () => {
    write(
      'helper.ts',
      "import { one } from './parts/one.js';\nimport type { T } from './types';\nexport const two: T = one + 1;\nexport default (x: T) => x * two;",
    );
    write('parts/one.ts', 'export const one = 1; export { sep } from "node:path";');
    write('types.ts', 'export type T = number;');
    expect(await run("import half, { two } from './helper'; half(two)")).toBe(4);
    expect(await run("import * as again from './helper.ts'; again.two")).toBe(2);
    expect(await run("const { two: dynamic } = await import('./helper'); dynamic")).toBe(2);
    expect(await run("const { two: required } = require('./helper'); required")).toBe(2);
  });

  it('are loaded anew when they have changed, with all that import them', async () => {
    write('base.ts', 'export const value = 1; export const made = {};');
    write('middle.ts', "import { value } from './base'; export const twice = () => 2 * value;");
    expect(await run("import { twice } from './middle'; import { value, made } from './base'; const first = made; twice()")).toBe(
      2,
    );
    expect(await run("import { made as same } from './base'; same === first")).toBe(true);
    write('base.ts', 'export const value = 5; export const made = {};');
    expect(await run("import { twice } from './middle'; twice()")).toBe(10);
    write('base.ts', 'export const value = "a"; export const made = {};');
    expect(() => notebook.compiler.compile("import { twice } from './middle'")).toThrow(CompileError);
  });

  it('are loaded anew although the cell is the same', async () => {
    const cell = "import { value } from './same'; value + 1";
    write('same.ts', 'export const value = 1;');
    expect(await run(cell)).toBe(2);
    write('same.ts', 'export const value = 2;');
    expect(await run(cell)).toBe(3);
    write('same.ts', 'export const value = { a: 1 };');
    expect(() => notebook.compiler.compile(cell)).toThrow(/Operator '\+' cannot be applied/);
  });

  it('are offered again until a cell that has them was run', async () => {
    write('late.ts', 'export const late = 1;');
    expect(notebook.compiler.compile("import { late } from './late'").modules).toHaveLength(1);
    expect(await run("import { late } from './late'; late")).toBe(1);
    expect(notebook.compiler.compile("import { late } from './late'").modules).toHaveLength(0);
  });

  it('may lie above the folder of the notebook', async () => {
    const inner = openNotebook(createFolder({ 'above.ts': 'export const above = 7;', 'notebooks/readme.txt': '' }));
    const below = openNotebook(join(inner.folder, 'notebooks'));
    expect(await below.run("import { above } from '../above'; above")).toBe(7);
    inner.close();
    below.close();
  });

  it('may refer to each other in a circle, be JavaScript or JSON', async () => {
    write(
      'left.ts',
      "import { right } from './right'; export const left = () => 'l'; export const both = () => left() + right();",
    );
    write('right.ts', "import { left } from './left'; export const right = () => 'r' + left();");
    write('plain.js', 'exports.plain = 3;');
    write('modern.mjs', 'export const modern = 4;');
    write('data.json', '{"size": [1, 2]}');
    expect(await run("import { both } from './left'; both()")).toBe('lrl');
    expect(await run("import { plain } from './plain'; plain")).toBe(3);
    expect(await run("import { modern } from './modern.mjs'; modern")).toBe(4);
    expect(await run("import data from './data.json'; data.size")).toEqual([1, 2]);
    write('data.json', '{"size": [3]}');
    expect(await run("import data from './data.json'; data.size")).toEqual([3]);
    write('reads.ts', "import data from './data.json' with { type: 'json' };\nexport const size: number[] = data.size;");
    expect(
      await run("import data from './data.json' with {\n  type: 'json' };\nimport { size } from './reads'; [data.size, size]"),
    ).toEqual([[3], [3]]);
  });

  it('tell where they fail, in their own lines', async () => {
    write(
      'broken.ts',
      '\nexport interface A { a: number }\n\nexport function fail(a: A): never {\n  throw new Error("no " + a.a);\n}',
    );
    const { message, places } = await notebook.failure("import { fail } from './broken';\nfail({ a: 1 });");
    expect(message).toBe('no 1');
    expect(places).toEqual(['broken.ts:5:9', 'cell:2:5']);
  });

  it('tell their type errors under their names', () => {
    write('sub/wrong.ts', 'export const a = 1;\nexport const b: string = a;');
    expect(() => notebook.compiler.compile("import { b } from './sub/wrong'")).toThrow(
      expect.objectContaining({
        diagnostics: [
          {
            file: 'sub/wrong.ts',
            line: 2,
            column: 14,
            endLine: 2,
            endColumn: 15,
            message: "Type 'number' is not assignable to type 'string'.",
            code: 2322,
          },
        ],
      }),
    );
  });

  it('cannot await at their top level', () => {
    write('waits.ts', 'export const a = await 1;');
    expect(() => notebook.compiler.compile("import { a } from './waits'")).toThrow(/export an async function/);
  });

  it('know where they are', async () => {
    write('where.ts', 'export const here = [import.meta.filename, __dirname];');
    expect(await run("import { here } from './where'; here")).toEqual([join(notebook.folder, 'where.ts'), notebook.folder]);
    expect(await run('[import.meta.dirname, __dirname]')).toEqual([notebook.folder, notebook.folder]);
  });
});

describe('packages of the folder', () => {
  it('may be CommonJS', async () => {
    pack(
      'common',
      { main: 'index.js', types: 'index.d.ts' },
      {
        'index.js': 'module.exports = function twice(x) { return 2 * x; }; module.exports.one = 1;',
        'index.d.ts': 'declare function twice(x: number): number; declare namespace twice { const one: number; } export = twice;',
      },
    );
    expect(await run("import twice, { one } from 'common'; twice(one)")).toBe(2);
    expect(await run("import * as all from 'common'; all.one")).toBe(1);
    expect(await run("import eq = require('common'); eq.one")).toBe(1);
    expect(await run("(await import('common')).default(4)")).toBe(8);
  });

  it('are found as soon as they are installed', async () => {
    expect(() => notebook.compiler.compile("import { late } from 'late-package/part'")).toThrow(
      `Install it with: npm install late-package   (in ${notebook.folder})`,
    );
    await expect(notebook.run("import { late } from 'late-package/part'", { check: false })).rejects.toThrow(
      /Cannot find module 'late-package\/part'.*\nInstall it with: npm install late-package/,
    );
    pack(
      'late-package',
      { exports: { './part': { types: './p.d.ts', default: './p.js' } } },
      {
        'p.js': 'exports.late = 1;',
        'p.d.ts': 'export declare const late: number;',
      },
    );
    expect(await run("import { late } from 'late-package/part'; late")).toBe(1);
  });

  it('are looked for beside the kernel when the folder has them not', async () => {
    expect(await run("import { encode } from 'fast-png'; typeof encode")).toBe('function');
    expect(notebook.compiler.inspect('encode', 3)?.signature).toContain('png: ImageData');
    expect(await run("import * as tslab from 'tslab'; typeof tslab.display.html")).toBe('function');
  });

  it('are loaded from the folder first', async () => {
    pack(
      'fast-png',
      { main: 'index.js', types: 'index.d.ts' },
      {
        'index.js': 'exports.mine = 1;',
        'index.d.ts': 'export declare const mine: 1;',
      },
    );
    notebook.write('node_modules/.package-lock.json', '{}');
    expect(await run("import { mine } from 'fast-png'; mine")).toBe(1);
  });

  it('tell when they need import()', async () => {
    pack(
      'waiting',
      { type: 'module', exports: { types: './index.d.ts', default: './index.js' } },
      {
        'index.js': 'export const waited = await Promise.resolve(3);',
        'index.d.ts': 'export declare const waited: number;',
      },
    );
    expect((await notebook.failure("import { waited } from 'waiting'")).message).toMatch(/await import\('waiting'\)/);
    expect(await run("const { waited } = await import('waiting'); waited")).toBe(3);
  });

  it('give their types also where exports do not name them', async () => {
    pack(
      'shy',
      { types: 'index.d.ts', exports: { '.': { default: './lib/index.js' } } },
      { 'lib/index.js': 'exports.shy = 1;', 'index.d.ts': 'export declare const shy: number;' },
    );
    expect(await run("import { shy } from 'shy'; shy")).toBe(1);
    expect(notebook.compiler.inspect('shy', 1)?.signature).toBe('const shy: number');
  });

  it('may come without types', async () => {
    pack('untyped', { main: 'index.js' }, { 'index.js': 'exports.f = () => 2;' });
    expect(await run("import { f } from 'untyped'; f('anything')")).toBe(2);
  });

  it('give types without values', async () => {
    pack('typed', { types: 'index.d.ts' }, { 'index.d.ts': 'export interface Shape { rows: number }' });
    expect(await run("import type { Shape } from 'typed'; const s: Shape = { rows: 2 }; s.rows")).toBe(2);
    expect(await run("import { type Shape as S } from 'typed'; const r: S & Shape = { rows: 3 }; r")).toEqual({ rows: 3 });
  });
});

describe('mistakes', () => {
  const diagnostics = (source: string, options = {}) => {
    try {
      notebook.compiler.compile(source, options);
    } catch (error) {
      if (error instanceof CompileError) return error.diagnostics;
      throw error;
    }
    return [];
  };

  it('are found before anything runs, with place and whole message', () => {
    expect(diagnostics('const a = 1;\n  const b: { x: string } = { x: a };')).toEqual([
      {
        line: 2,
        column: 30,
        endLine: 2,
        endColumn: 31,
        message: "Type 'number' is not assignable to type 'string'.",
        code: 2322,
      },
    ]);
    const [chained] = diagnostics('const f: (x: { a: string }) => void = (x: { a: number }) => {};');
    expect(chained.message).toContain("Types of property 'a' are incompatible.");
    expect(chained.message.split('\n').length).toBeGreaterThan(2);
  });

  it('at the end of a cell stay in the cell', () => {
    const [open] = diagnostics('const a = 1;\nfunction f() {');
    expect([open.line, open.column, open.endLine]).toEqual([2, 15, 2]);
  });

  it('of types can be passed over, those of syntax cannot', async () => {
    const source = 'const a: string = 1; await a';
    expect(diagnostics(source)).toHaveLength(1);
    expect(diagnostics(source, { check: false })).toEqual([]);
    expect(await notebook.run(source, { check: false })).toBe(1);
    expect(await run(`\n// first\n/* second */\n// @ts-nocheck\n${source}`)).toBe(1);
    expect(diagnostics(`const b = 1; // @ts-nocheck\n${source}`)).toHaveLength(1);
    expect(diagnostics('// @ts-nocheck\nconst a = ;', { check: false })).toHaveLength(1);
  });

  it('leave what earlier cells declared alone', async () => {
    await run('const kept = 1');
    diagnostics('const kept: number = "a"');
    expect(await run('const k: number = kept; k')).toBe(1);
  });

  it('about types that cannot be written down are none', async () => {
    await run('const anonymous = class { private a = 1; get() { return this.a; } }; const make = () => new anonymous();');
    expect(await run('make().get()')).toBe(1);
  });
});
