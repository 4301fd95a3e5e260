import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Completion } from '../../../kernel-ext/src/session/compile/index.js';
import { createFolder, type Notebook, openNotebook, removeFolders } from './notebook.js';

let notebook: Notebook;

beforeAll(async () => {
  notebook = openNotebook(
    createFolder({
      'helper.ts': '/** Doubles. */\nexport const double = (x: number) => 2 * x;',
      'parts/one.ts': 'export const one = 1;',
      'node_modules/pretty/package.json': '{"name":"pretty","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
      'node_modules/pretty/index.d.ts': 'export declare const pretty: number; export declare function prettify(): void;',
      'node_modules/@scope/tool/package.json': '{"name":"@scope/tool","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
      'node_modules/@scope/tool/index.d.ts': 'export declare const tool: string;',
      'package.json': '{"dependencies":{"pretty":"1.0.0","@scope/tool":"1.0.0"}}',
    }),
  );
  await notebook.run(`
    /**
     * Blurs an image.
     *
     * Slow.
     * @param image pixels, \`[H, W]\`
     * @param sigma width
     * @returns the blurred image
     * @throws RangeError where sigma is negative
     * @example
     * blur(image, 2)
     */
    function blur(image: number[], sigma = 3) { return image; }
    let width = 4;
  `);
});
afterAll(() => {
  notebook.close();
  removeFolders();
});

/** Completes at the last bar in the text. */
function complete(marked: string): Completion & { texts: string[]; replaced: string } {
  const offset = marked.lastIndexOf('|');
  const source = marked.slice(0, offset) + marked.slice(offset + 1);
  const found = notebook.compiler.complete(source, offset);
  return { ...found, texts: found.matches.map(({ text }) => text), replaced: source.slice(found.start, found.end) };
}

function inspect(marked: string) {
  return notebook.compiler.inspect(marked.replace('|', ''), marked.indexOf('|'));
}

describe('completion', () => {
  it('gives the bare member with its type', () => {
    const found = complete('Math.sq|');
    expect(found.matches[0]).toEqual({ text: 'sqrt', type: 'method', signature: '(x: number) => number' });
    expect([found.start, found.end]).toEqual([5, 7]);
  });

  it('gives all members after the dot', () => {
    const found = complete('const a = "x".|\nconst b = 1;');
    expect(found.texts).toContain('padStart');
    expect(found.replaced).toBe('');
  });

  it('knows earlier cells, this cell and the globals of the kernel', () => {
    expect(complete('wid|').matches).toContainEqual({ text: 'width', type: 'let', signature: 'number' });
    expect(complete('blu|').matches[0]).toMatchObject({ text: 'blur', type: 'function' });
    expect(complete('const window1 = 1;\n{ wind| }').texts).toContain('window1');
    expect(complete('disp|').texts).toContain('display');
    expect(complete('progress(10).|').texts).toEqual(expect.arrayContaining(['update', 'tick', 'end']));
  });

  it('replaces the whole word around the cursor', () => {
    const found = complete('wi|dth + 1');
    expect(found.replaced).toBe('width');
    expect(found.texts).toContain('width');
  });

  it('works in broken code', () => {
    expect(complete('function f( {\n  const x = [1;\n  blur(wid|').texts).toContain('width');
    expect(complete('if (width.toF|').texts).toEqual(['toFixed']);
    expect(complete("import p from './package.json' with { type: 'json' };\np.dep|").texts).toEqual(['dependencies']);
  });

  it('offers names that an import may take', () => {
    expect(complete("import { rea| } from 'node:fs'").texts).toContain('readFileSync');
    expect(complete("import { dou| } from './helper'").texts).toEqual(['double']);
  });

  it('offers modules and paths in quotes', () => {
    expect(complete("import * as p from 'pre|'").texts).toContain('pretty');
    expect(complete("import * as p from '|'").texts).toEqual(expect.arrayContaining(['pretty', '@scope/tool', 'fs', 'node:fs']));
    expect(complete("import * as p from 'node:f|'").texts).toContain('node:fs');
    const scoped = complete("import * as p from '@scope/t|'");
    expect([scoped.replaced, scoped.texts]).toEqual(['t', ['tool']]);
    const local = complete("import { double } from './he|'");
    expect([local.replaced, local.texts]).toEqual(['he', ['helper']]);
    const inner = complete("import { one } from './parts/|'");
    expect([inner.replaced, inner.texts]).toEqual(['', ['one']]);
    expect(complete("const p = await import('./par|').then()").texts).toEqual(['parts']);
    expect(complete("import { double } from './he|").texts).toEqual(['helper']);
  });

  it('offers the strings that a type allows', () => {
    expect(complete("type Mode = 'fast' | 'very exact'; const m: Mode = '|'").texts).toEqual(['fast', 'very exact']);
    const spaced = complete("type Mode = 'fast' | 'very exact'; const m: Mode = 'very e|'");
    expect([spaced.replaced, spaced.texts]).toEqual(['very e', ['very exact']]);
    expect(complete("const o = { alpha: 1 }; o['al|']").texts).toEqual(['alpha']);
  });

  it('offers nothing in a remark or plain text', () => {
    expect(complete('// wid|').texts).toEqual([]);
    expect(complete('const s = "wid|"').texts).toEqual([]);
  });
});

describe('inspection', () => {
  it('gives signature and documentation as Markdown', () => {
    const found = inspect('blur|');
    expect(found?.signature).toBe('function blur(image: number[], sigma?: number): number[]');
    expect(found?.documentation).toBe(
      [
        'Blurs an image.\n\nSlow.',
        '**Parameters**\n\n- `image` pixels, `[H, W]`\n- `sigma` width',
        '**Returns** the blurred image',
        '**Throws** RangeError where sigma is negative',
        '**Example**\n\n```ts\nblur(image, 2)\n```',
      ].join('\n\n'),
    );
  });

  it.each([
    '|blur',
    'bl|ur([])',
    'blur(|)',
    'blur([1], |)',
    'blur([1],\n  |',
    'const y = [1, blur(|',
    'blur(  |  )',
  ])('finds the function: %s', (marked) => {
    expect(inspect(marked)?.signature).toContain('function blur(');
  });

  it.each([
    ['blur([wid|th])', 'let width: number'],
    ['blur(width|)', 'let width: number'],
    ['new Map(|)', 'var Map: MapConstructor'],
    ['Math.max(1, Math.sqrt(|))', '(method) Math.sqrt(x: number): number'],
    ['Math.max(1, Math.sqrt(2), |)', '(method) Math.max(...values: number[]): number'],
    ['new Float32Array(3).buffer|', '(property) Float32Array.buffer: ArrayBufferLike'],
  ])('%s', (marked, signature) => {
    expect(inspect(marked)?.signature).toContain(signature);
  });

  it('names what an import stands for', () => {
    const source = "import { double } from './helper';\ndouble";
    const found = notebook.compiler.inspect(source, source.length);
    expect(found).toEqual({ signature: 'const double: (x: number) => number', documentation: 'Doubles.' });
  });

  it('shows the kernel globals with examples', () => {
    expect(inspect('progress|(3)')?.documentation).toContain('**Example**');
    expect(inspect('cell|.signal')?.signature).toContain('readonly signal: AbortSignal');
  });

  it('knows how bars and shown values are used', () => {
    expect(() =>
      notebook.compiler.compile(`
        const shown = await display(1, { id: 'a' }); await shown.update(2); await display.html('<b>x</b>');
        for (const x of progress([1, 2], 'x')) x.toFixed();
        async function* slow() { yield 'a'; }
        for await (const y of progress(slow())) y.trim();
        const bar = progress(3); bar.update(1, 'one'); bar.tick(); bar.end();
        const name: string = await input('name?') + await password(); clearOutput({ wait: true });
        await fetch('http://localhost', { signal: cell.signal }); cell.number.toFixed();
      `),
    ).not.toThrow();
    expect(() => notebook.compiler.compile('progress("a", 1)')).toThrow(/No overload matches/);
    expect(() => notebook.compiler.compile('display()')).toThrow(/Expected 1-2 arguments/);
  });

  it('says nothing where nothing is', () => {
    expect(inspect('1 + |1')).toBeUndefined();
    expect(inspect('|')).toBeUndefined();
    expect(inspect('nothing|')).toBeUndefined();
  });
});

describe('completeness', () => {
  it.each([
    '1',
    'const a = 1',
    'function f() {\n  return 1;\n}',
    '',
    '// remark',
    'await x',
    'const s = `a\nb`',
    'declare function f(): void',
    'const x: number = "a"',
    'if (a) b()\n\n',
  ])('complete: %j', (source) => expect(notebook.compiler.isComplete(source).status).toBe('complete'));

  it.each([
    ['function f() {', '  '],
    ['function f() {\n  if (x) {', '    '],
    ['function f() {\n  const a = 1;', '  '],
    ['function f() {\n  g(1);\n\n\n', '  '],
    ['const a = [', '  '],
    ['const a = [1,', '  '],
    ['foo(', '  '],
    ['foo(1,\n    2,', '    '],
    ['const a =', '  '],
    ['1 +', ''],
    ['x.', ''],
    ['const s = `a', ''],
    ['/* remark', ''],
    ['class A', ''],
    ['class A {\n  m() {}', '  '],
    ['if (a)', ''],
    ['try {}', ''],
    ['import {', '  '],
    ['const f = (x: number) =>', '  '],
    ['function f(x: number)', ''],
    ['a ? b', ''],
    ['const', ''],
  ])('incomplete: %j', (source, indent) => {
    expect(notebook.compiler.isComplete(source)).toEqual({ status: 'incomplete', indent });
  });

  it.each([
    'const a = ;',
    'foo)',
    'if (a) }',
    '1 2 3',
    'function (',
    'const s = "a',
    ']',
    'a b',
    'const a = [1 2\n',
    'let 1a',
    'x = {a: 1;\n\n',
  ])('invalid: %j', (source) => expect(notebook.compiler.isComplete(source)).toEqual({ status: 'invalid' }));
});
