import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { plainMessage } from '../../../kernel-ext/src/session/compile/index.js';
import { createFolder, type Notebook, openNotebook, removeFolders } from './notebook.js';

let notebook: Notebook;
const run = (source: string) => notebook.run(source);

beforeAll(() => {
  notebook = openNotebook(createFolder());
});
afterEach(() => notebook.reset());
afterAll(() => {
  notebook.close();
  removeFolders();
});

describe('the value of a cell', () => {
  it.each([
    ['1 + 1', 2],
    ['const a = 3;\na * 2 // six', 6],
    ['await Promise.resolve(5)', 5],
    ['({ a: 1, b: [2] })', { a: 1, b: [2] }],
    ['"a" as string', 'a'],
    ['let n = 0; for (let i = 0; i < 4; i++) n += i; n', 6],
    ['let n = 0; for (var i = 0; i < 4; i++) { n += i } n + i', 10],
    ['let s = 0; for await (const v of [1, Promise.resolve(2)]) s += v; s', 3],
    ['enum Mode { Fast = 2, Exact }\nMode.Exact', 3],
    ['const tag = (parts: TemplateStringsArray) => parts[0]; tag`x`', 'x'],
    ['export const b = 4; b', 4],
    ['export default 7', 7],
  ])('%s', async (source, value) => expect(await run(source)).toEqual(value));

  it.each([
    '',
    '  \n',
    '// a remark',
    '/* a remark */',
    'const a = 1',
    'interface A { a: 1 }',
    ';',
  ])('is none: %j', async (source) => {
    expect(await run(source)).toBeUndefined();
  });

  it('is a function without a name of ours', async () => {
    expect(((await run('() => 1')) as () => void).name).toBe('');
    expect(((await run('let double = (x: number) => 2 * x; double')) as () => void).name).toBe('double');
  });

  it('leaves no variable of ours behind', async () => {
    await run('const a = 1; a');
    expect(Object.keys(notebook.variables)).toEqual(['a']);
  });
});

describe('variables of earlier cells', () => {
  it('are found in shorthand properties', async () => {
    await run('const sigma = 3; let width = 4; import { sep } from "node:path"');
    expect(await run('({ sigma, width, sep, more: { sigma } })')).toEqual({ sigma: 3, width: 4, sep: '/', more: { sigma: 3 } });
    expect(await run('const f = ({ sigma }: { sigma: number }) => sigma; f({ sigma })')).toBe(3);
  });

  it('can be assigned, also by patterns', async () => {
    await run('let a = 1, b = 2, c = 3, d: number[] = [];');
    await run('a = 5; [b, c] = [c, b]');
    expect(await run('[a, b, c]')).toEqual([5, 3, 2]);
    await run('({ a, b: c, c: b = 9 } = { a: 7, b: 8 } as { a: number; b: number; c?: number }); [...d] = [1, 2]; a++');
    expect(await run('[a, b, c, d]')).toEqual([8, 9, 8, [1, 2]]);
    await run('({ a = 4 } = {} as { a?: number })');
    expect(await run('for (a of [10, 11]); a')).toBe(11);
  });

  it('are the same for functions of the cell that declared them', async () => {
    await run('let count = 1; function next() { return ++count; }');
    await run('count = 10');
    expect(await run('next()')).toBe(11);
    expect(await run('count')).toBe(11);
  });

  it('can be declared again, with another type', async () => {
    await run('const a = 1; let b = 2; class C { x = 1 } function f() { return 1; } import { sep as s } from "node:path"');
    await run('const a = "x"; let b = [a]; class C { y = 2 } function f() { return a; } const s = 5');
    expect(await run('const t: string = a + b[0] + f() + new C().y + s; t')).toBe('xxx25');
    await run('let a = 3; const f = 4; import { join as s } from "node:path"');
    expect(await run('a + f + s("a", "b").length')).toBe(10);
  });

  it('keep their value when a cell that would declare them again fails before', async () => {
    await run('let kept = 1');
    await notebook.failure('throw new Error("early"); let kept = 2');
    expect(notebook.variables.kept).toBe(1);
  });

  it('start anew where they are declared without a value', async () => {
    await run('let a: number | undefined = 1; var b: number | undefined = 2');
    await run('let a: number | undefined; var b: number | undefined');
    expect(await run('[a, b]')).toEqual([undefined, undefined]);
  });

  it('are not confused with members of their types', async () => {
    await run('const size = { sigma: 1, width: 2 }; const sigma = 5; const width = 6;');
    expect(await run('const { sigma: s, width: w = sigma } = size; [s, w, size.sigma, { sigma: 8 }.sigma]')).toEqual([
      1, 2, 1, 8,
    ]);
    expect(await run('class K { sigma = sigma; width() { return width; } } const k = new K(); k.sigma + k.width()')).toBe(11);
  });

  it('are called without a this of ours', async () => {
    await run(
      'function self(this: unknown) { "use strict"; return this; } function raw(parts: any) { "use strict"; return [this, parts[0]]; }',
    );
    expect(await run('self()')).toBeUndefined();
    expect(await run('raw`x`')).toEqual([undefined, 'x']);
  });

  it('come from patterns', async () => {
    await run(
      'const { a, b: [c, ...d], ...rest } = { a: 1, b: [2, 3, 4], e: 5 }; let [x, , y = 7] = [1, 2] as number[]; var { z } = { z: 1 };',
    );
    expect(await run('[a, c, d, rest, x, y, z]')).toEqual([1, 2, [3, 4], { e: 5 }, 1, 7, 1]);
  });

  it('stay visible to closures and to later ones', async () => {
    await run('const base = 10; const add = (x: number) => base + x;');
    await run('const twice = (x: number) => add(add(x));');
    expect(await run('[1, 2].map((x) => twice(x) + base)')).toEqual([31, 32]);
  });

  it('hide globals', async () => {
    await run('const display = (x: number) => x + 1; const name = "n"');
    expect(await run('display(1)')).toBe(2);
    expect(await run('name.length')).toBe(1);
  });
});

describe('kinds of declarations', () => {
  it('last over several cells', async () => {
    await run('namespace N { export const one = 1; export interface T { t: number } }');
    await run('enum E { A = 1, B }; const enum F { C = 5 }; type G<T> = { g: T }; interface I { i: number }');
    await run(
      'abstract class Shape<T> { constructor(protected readonly size: T) {} abstract area(): T; static made = 1; #p = 2; get p() { return this.#p; } }',
    );
    await run('const filler = 0');
    await run('class Square extends Shape<number> { override area() { return this.size ** 2; } }');
    expect(
      await run(
        'const g: G<I> = { g: { i: 1 } }; const t: N.T = { t: N.one }; [g.g.i, t.t, E.B, F.C, new Square(3).area(), new Square(1).p, Shape.made]',
      ),
    ).toEqual([1, 1, 2, 5, 9, 2, 1]);
  });

  it('merge and overload', async () => {
    await run('function f(x: number): number; function f(x: string): string; function f(x: any) { return x; }');
    expect(await run('const n: number = f(1); const s: string = f("a"); s + n')).toBe('a1');
  });

  it('may be aliases, augmentations and mergers', async () => {
    await run(
      'namespace N { export namespace inner { export const v = 3 } } function f() { return 1; } namespace f { export const more = 2; }',
    );
    expect(await run('import alias = N.inner; alias.v + f() + f.more')).toBe(6);
    await run(
      'declare global { interface Array<T> { firstOne(): T } }\n(Array.prototype as any).firstOne = function () { return this[0]; };',
    );
    await run('const between = 1');
    expect(await run('[alias.v].firstOne()')).toBe(3);
    await run('delete (Array.prototype as any).firstOne');
  });

  it('replace each other, types and values each for themselves', async () => {
    await run('type A = 1; interface B { x: 1 } enum E { X } import type { Stats } from "node:fs"');
    await run('const A = 2; class B { y = 2 } function E() { return 3; } const Stats = 4;');
    expect(await run('const a: A = 1; [a, A, new B().y, E(), Stats]')).toEqual([1, 2, 2, 3, 4]);
  });

  it('may have names of globals, but not those that imports need', async () => {
    await run('const Object = { a: 1 }; const Promise = 3; const module = 4;');
    expect(await run('import { sep } from "node:path"; [sep, Object.a, Promise, await module]')).toEqual(['/', 1, 3, 4]);
    expect(() => notebook.compiler.compile('\nconst require = 1')).toThrow(/2:7 - 'require' cannot be declared at the top level/);
    expect(await run('{ const require = 1; }')).toBeUndefined();
  });

  it('take decorators', async () => {
    await run('const seen: string[] = []; function mark(_target: object, key: string) { seen.push(key); }');
    expect(await run('class D { @mark m() {} } seen')).toEqual(['m']);
  });

  it('tolerate export and default export', async () => {
    await run(
      'export function f() { return 1; }\nexport class A {}\nexport type T = number;\nconst local = 2;\nexport { local, f as g };\nexport enum E { X }\nexport default class B { b = 1 }',
    );
    expect(await run('const t: T = f() + local + E.X; [t, new B().b, new A() instanceof A]')).toEqual([3, 1, true]);
    await run('export default function () { return 1; }');
    await run('export { sep } from "node:path"; export * from "node:fs"; export type { Stats } from "node:fs"');
    expect(await run('const s: Stats | undefined = undefined; sep')).toBe('/');
    await run('declare const nowhere: number; declare function gone(): void;');
  });

  it('come from generators, async functions and classes with static blocks', async () => {
    await run(
      'async function* steps() { yield 1; yield await Promise.resolve(2); } class S { static n = 0; static { S.n = 4; } }',
    );
    expect(await run('let sum = S.n; for await (const s of steps()) sum += s; sum')).toBe(7);
  });
});

describe('await', () => {
  it.each([
    ['1', false],
    ['async function f() { await 1; }', false],
    ['const o = { async m() { await 1; } }', false],
    ['class A { async m() { await 1; } static async s() { for await (const x of []) {} } }', false],
    ['const f = async () => await 1', false],
    ['await 1', true],
    ['if (true) { const x = [await 1] }', true],
    ['for await (const x of []) {}', true],
    ['class A { [await "k"]() {} }', true],
  ])('makes a cell asynchronous at its top level only: %s', (source, isAsync) => {
    expect(notebook.compiler.compile(source).isAsync).toBe(isAsync);
  });

  it('is an error in a function that is not async', () => {
    expect(() => notebook.compiler.compile('function f() { await 1; }')).toThrow(/'await' expressions are only allowed/);
    expect(() => notebook.compiler.compile('class A { m() { await 1; } }')).toThrow(/'await' expressions are only allowed/);
  });
});

describe('messages of errors', () => {
  it.each([
    ['f()', 'f is not a function'],
    ['new f()', 'f is not a constructor'],
    ['o.a.b()', 'o.a.b is not a function'],
    ['sep()', 'sep is not a function'],
    ['for (const x of f) {}', 'f is not iterable'],
  ])('%s', async (source, message) => {
    await run('let f: any = 1; let o: any = { a: {} };');
    const failed = await notebook.failure(`// @ts-nocheck\nimport { sep } from "node:path";\n${source}`);
    expect(plainMessage(failed.message)).toBe(message);
  });
});

describe('positions', () => {
  it('lead from an error to the line of the cell', async () => {
    await run('const earlier = 1');
    const { message, places } = await notebook.failure(
      'import { sep } from "node:path";\nlet n = earlier;\nfunction bad(x: number): never {\n  throw new Error("at " + x + sep);\n}\n\nn += 1; bad(n);',
    );
    expect(message).toBe('at 2/');
    expect(places).toEqual(['cell:4:9', 'cell:7:9']);
  });

  it('hold after await and in the first line', async () => {
    const { places } = await notebook.failure('await 1; (null as any).foo;');
    expect(places).toEqual(['cell:1:24']);
  });
});
