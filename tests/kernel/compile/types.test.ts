import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CellCompilation } from '../../../kernel-ext/src/session/compile/CellCompilation.js';
import { CompileError } from '../../../kernel-ext/src/session/compile/index.js';
import { loadTslab } from '../../../kernel-ext/src/session/compile/loadTslab.js';
import { createFolder, type Notebook, openNotebook, removeFolders } from './notebook.js';

const ROOT = resolve(import.meta.dirname, '../../..');

let notebook: Notebook;

beforeAll(() => {
  notebook = openNotebook(join(ROOT, 'notebooks'));
});
afterAll(() => {
  notebook.close();
  removeFolders();
});

/** Compiles cells one after the other without running them; gives the types of names after that. */
function typesAfter(cells: readonly string[], names: readonly string[]): string[] {
  notebook.compiler.reset();
  for (const cell of cells) notebook.compiler.compile(cell).commit();
  return names.map((name) => notebook.compiler.inspect(name, name.length)?.signature ?? 'unknown');
}

function errorCodes(source: string): number[] {
  try {
    notebook.compiler.compile(source);
    return [];
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostics.map(({ code }) => code);
    throw error;
  }
}

interface PackageCase {
  readonly name: string;
  readonly cells: readonly string[];
  readonly types: Readonly<Record<string, RegExp>>;
  readonly wrong: string;
}

const WRONG_ARGUMENT = [2345, 2769];

const cases: PackageCase[] = [
  {
    name: 'leemlab',
    cells: [
      "import * as leem from 'leemlab';",
      'async function run(stack: leem.ImageStack) { return leem.registerStack(stack); }',
    ],
    types: {
      'leem.registerStack': /function registerStack\(stack: ImageStack, options\?: RegisterOptions\): Promise<Registration>/,
      run: /Promise<leem\.Registration>|Promise<Registration>/,
    },
    wrong: 'leem.registerStack(1)',
  },
  {
    name: '@tensorflow/tfjs-node',
    cells: [
      "import * as tf from '@tensorflow/tfjs-node';",
      'const t = tf.tensor2d([[1, 2]]); const data = t.square().dataSync();',
    ],
    types: {
      t: /const t: (tf\.)?Tensor2D/,
      data: /: (?:(?:Float32|Int32|Uint8)Array(?: \| |$)){3}/,
      'tf.node.decodeImage': /BufferSource|Uint8Array/,
    },
    wrong: "t.reshape('a')",
  },
  {
    name: '@tensorflow/tfjs',
    cells: [
      "import { tensor1d, layers } from '@tensorflow/tfjs';",
      'const t = tensor1d([1]); const dense = layers.dense({ units: 1 });',
    ],
    types: { t: /Tensor1D/, dense: /: Dense$/ },
    wrong: 'tensor1d({})',
  },
  {
    name: 'zarrita',
    cells: [
      "import * as zarr from 'zarrita';",
      "const arr = await zarr.create(new Map<string, Uint8Array>(), { shape: [4, 4], chunkShape: [2, 2], dtype: 'float32' });",
      'const all = await zarr.get(arr); const part = await zarr.get(arr, [0, zarr.slice(2)]); const chunk = await arr.getChunk([0, 0]);',
      'const values = chunk.data; const first = values[0]; const { shape } = all; const root = zarr.root(new Map());',
    ],
    types: {
      all: /Chunk<"float32">/,
      arr: /Array<"float32", Map<string, Uint8Array>>/,
      values: /const values: Float32Array/,
      first: /: number/,
      shape: /number\[\]/,
      root: /Location<Map/,
    },
    wrong: 'zarr.get(3)',
  },
  {
    name: 'h5wasm',
    cells: [
      "import { File as H5 } from 'h5wasm'; import * as h5 from 'h5wasm/node';",
      "const open = () => new h5.File('a.h5', 'r'); const get = (f: H5) => f.get('x'); const keys = (f: H5) => f.keys();",
    ],
    types: { open: /\(\) => (H5|(h5\.)?File)$/, get: /Entity$/, keys: /string\[\]/ },
    wrong: 'new h5.File(3)',
  },
  {
    name: 'geotiff',
    cells: [
      "import { fromFile, fromArrayBuffer } from 'geotiff';",
      "const image = async () => (await fromFile('a.tif')).getImage(); const rasters = async () => (await image()).readRasters({ interleave: true });",
    ],
    types: { image: /Promise<.*GeoTIFFImage>/, rasters: /TypedArray/, fromArrayBuffer: /arrayBuffer: ArrayBuffer/ },
    wrong: 'fromFile(3)',
  },
  {
    name: 'danfojs-node',
    cells: [
      "import * as dfd from 'danfojs-node';",
      'const df = new dfd.DataFrame({ a: [1, 2] }); const table = df.describe(); const column = df.column("a");',
    ],
    types: { df: /DataFrame/, table: /DataFrame/, column: /Series/ },
    wrong: 'df.head("x")',
  },
  {
    name: 'node',
    cells: [
      "import { readFile } from 'node:fs/promises'; import fs from 'fs';",
      'const bytes = await readFile("a"); const rows = fs.readdirSync(".").toSorted();',
    ],
    types: { bytes: /: Buffer/, rows: /string\[\]/ },
    wrong: 'readFile({})',
  },
];

describe.each(cases)('types of $name', ({ cells, types, wrong }) => {
  it('are known, in this cell and in later ones', () => {
    const found = typesAfter(cells, Object.keys(types));
    found.forEach((signature, index) => {
      expect(signature).toMatch(Object.values(types)[index]);
      expect(signature).not.toMatch(/(?:: |=> |Promise<)any\b/);
    });
  });

  it('refuse a wrong argument', () => {
    const codes = errorCodes(wrong);
    expect(codes).toHaveLength(1);
    expect(WRONG_ARGUMENT).toContain(codes[0]);
  });
});

describe('declarations of packages', () => {
  // What TypeScript cannot read becomes any, without a word.
  it('hold no unknown names and no unknown syntax', () => {
    const tslab = loadTslab();
    const cells = new CellCompilation(tslab, join(ROOT, 'notebooks'));
    const packages = [
      ...cases.map(({ name }) => name).filter((name) => name !== 'node'),
      'h5wasm/node',
      'fast-png',
      'leemlab/wire',
    ];
    cells.compile(packages.map((name, index) => `import * as p${index} from '${name}';`).join('\n'), true);
    const program = cells.keeper.current();
    Object.assign(program.getCompilerOptions(), { skipLibCheck: false });
    const files = program.getSourceFiles().filter(({ isDeclarationFile }) => isDeclarationFile);
    const messages = files.flatMap((file) =>
      [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ messageText }) =>
        tslab.ts.flattenDiagnosticMessageText(messageText, ' '),
      ),
    );
    expect(files.length).toBeGreaterThan(500);
    expect([...new Set(messages)].sort()).toEqual([
      // Internal to tfjs; an optional package of danfojs for plots in browsers.
      "Cannot find module 'plotly.js-dist-min' or its corresponding type declarations.",
      "Cannot find name 'Long'.",
    ]);
    cells.close();
  });
});

describe('messages', () => {
  it('name packages and types, not their files', () => {
    notebook.compiler.reset();
    notebook.compiler
      .compile(
        "import * as leem from 'leemlab'; import { layers } from '@tensorflow/tfjs'; const d = layers.dense({ units: 1 });",
      )
      .commit();
    const message = (source: string): string => {
      try {
        notebook.compiler.compile(source);
      } catch (error) {
        if (error instanceof CompileError) return error.diagnostics[0].message;
      }
      return 'none';
    };
    expect(message('leem.nothing')).toBe("Property 'nothing' does not exist on type 'typeof import(\"leemlab\")'.");
    expect(message('const n: number = d')).toBe("Type 'Dense' is not assignable to type 'number'.");
    expect(message('const n: number = [d]')).toBe("Type 'Dense[]' is not assignable to type 'number'.");
  });
});

describe('typed arrays', () => {
  it('name their buffer, and need not', () => {
    const cells = [
      'const a = new Float32Array(3); const b: Float32Array<ArrayBuffer> = a; const c = (x: Uint16Array) => x.map((v) => v + 1);',
      'const back: Float32Array = b; const buffer: ArrayBuffer = b.buffer; const n = b[0];',
    ];
    expect(typesAfter(cells, ['a', 'b', 'c', 'buffer', 'n'])).toEqual([
      'const a: Float32Array',
      'const b: Float32Array<ArrayBuffer>',
      'const c: (x: Uint16Array) => Uint16Array',
      'const buffer: ArrayBuffer',
      'const n: number',
    ]);
    expect(errorCodes('b.nothing')).toEqual([2339]);
    expect(errorCodes('const v: DataView<ArrayBuffer> = new DataView(buffer); v.getInt8("0")')).toEqual([2345]);
    expect(errorCodes('const s: Float32Array<ArrayBuffer> = new Uint8Array(1)')).toEqual([2322]);
  });
});

describe('declarations of later TypeScript', () => {
  it('are read by 5.0', () => {
    const folder = createFolder({
      'node_modules/later/package.json':
        '{"name":"later","version":"1.0.0","types":"index.d.ts","exports":{".":{"types":"./index.d.ts","default":"./index.js"}}}',
      'node_modules/later/index.d.ts': [
        'import type { Shape } from "./shape.js" with { "resolution-mode": "import" };',
        'export type Other = import("./shape.js", { with: { "resolution-mode": "import" } }).Shape;',
        '/** Picks. */',
        'export declare function pick<const T extends readonly unknown[]>(values: T, fallback: NoInfer<T[number]>): T[number];',
        'export declare const shape: Shape; export declare const other: Other;',
        'export declare function entries(): ArrayIterator<[number, string]>; export declare function keys(): MapIterator<string>;',
        'export declare const bytes: Uint8Array<ArrayBuffer>; export declare const big: BigInt64Array<ArrayBufferLike>;',
        'export type * from "./shape.js"; /**/ export declare const last: 1;',
      ].join('\n'),
      'node_modules/later/shape.d.ts': 'export interface Shape { rows: number }',
    });
    const later = openNotebook(folder);
    later.compiler.compile("import { pick, shape, other, entries, keys, bytes, big, last } from 'later'").commit();
    later.compiler
      .compile(
        "const r = [shape.rows, other.rows, pick(['a', 'b'], 'a'), [...entries()], [...keys()], bytes.buffer, big[0], last] as const",
      )
      .commit();
    expect(later.compiler.inspect('r', 1)?.signature).toBe(
      'const r: readonly [number, number, "a" | "b", readonly [number, string][], readonly string[], ArrayBuffer, bigint, 1]',
    );
    expect(later.compiler.inspect('pick', 1)?.documentation).toBe('Picks.');
    later.close();
  });
});

describe('a folder without packages', () => {
  it('has the types and values of leemlab beside the kernel', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'deep'));
    const bare = openNotebook(join(folder, 'deep'));
    expect(
      await bare.run("import { SCHEMA_VERSION } from 'leemlab/wire'", { check: false }).catch((error) => String(error)),
    ).toBeUndefined();
    bare.compiler.compile("import * as leem from 'leemlab'").commit();
    expect(bare.compiler.inspect('leem.registerStack', 12)?.signature).toContain('stack: ImageStack');
    bare.close();
  });
});

describe('warming up', () => {
  it('reads ahead, and stops when there is something to do', async () => {
    const folder = createFolder();
    const warm = openNotebook(folder);
    let asked = 0;
    await warm.compiler.warm(['fast-png', 'not-there'], { isIdle: () => ++asked < 5 });
    expect(asked).toBe(5);
    await warm.compiler.warm(['fast-png', 'not-there']);
    expect(await warm.run("import { encode } from 'fast-png'; typeof encode")).toBe('function');
    expect(() => warm.compiler.compile('warm')).toThrow(/Cannot find name 'warm'/);
    warm.close();
  });
});
