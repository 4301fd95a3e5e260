import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type * as TypeScript from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';

// Notebooks are compiled by tslab's own TypeScript (5.0) with its way of finding packages. What that version cannot read
// in a declaration file silently becomes `any` there, so it is asked itself.

const ts = createRequire(import.meta.url)('@tslab/typescript-for-tslab') as typeof TypeScript;

const CONSUMER = resolve('consumer.ts');
const SOURCE = `
import * as leem from 'leemlab';
import { OptionError, type DriftTable, type RegisterOptions } from 'leemlab';

type IsAny<T> = 0 extends 1 & T ? true : false;
type Is<T, U> = IsAny<T> extends true ? false : [T, U] extends [U, T] ? true : false;

export async function use(signal: AbortSignal) {
  const series = leem.simulateGrapheneSeries({ frames: 8, height: 64, width: 64 });
  const stack = new leem.ImageStack(series.source());
  const options: RegisterOptions = { sigma: 3, pairs: { band: 4 }, minWeight: 'auto', signal };
  const found = await leem.registerStack(stack, options);
  const row: Is<typeof found.drift.row, Float64Array> = true;
  const weight: Is<typeof found.pairs.weight, Float32Array> = true;
  const table: Is<typeof found.drift, DriftTable> = true;
  const frame = await stack.frame(0, signal);
  const pixels: Is<typeof frame, leem.PixelArray> = true;
  const tensor = await stack.tensor();
  const edges = leem.edgeFilter(leem.tf.gather(tensor, [0]), 3);
  const shape: Is<typeof edges.shape, [number, number, number]> = true;
  const opened = await leem.openStack('series', { signal });
  const kind: Is<typeof opened.info.axis.kind, 'energy' | 'time' | 'frame'> = true;
  const plan = await leem.planShift(opened, found.drift);
  const sink = await leem.createStackWriter('out.zarr', 'zarr', { ...opened.info, ...plan }, { signal });
  await leem.shiftStack(opened, plan, sink);
  const svg: Is<Awaited<ReturnType<typeof leem.driftSvg>>, string> = true;
  const png = leem.framesPng([frame], [64, 64]);
  const bytes: Is<typeof png, Uint8Array> = true;
  const error: IsAny<OptionError> = false;
  const made = leem.controls({ sigma: { min: 1, max: 17 }, method: ['robust', 'none'], on: true }, async (values, context) => {
    const sigma: Is<typeof values.sigma, number> = true;
    const method: Is<typeof values.method, 'robust' | 'none'> = true;
    const signal: Is<typeof context.signal, AbortSignal> = true;
    return [sigma, method, signal];
  });
  const on: Is<typeof made.values.on, boolean> = true;
  await made.set('sigma', 4);
  const used: Is<ReturnType<typeof leem.memory>['tensorBytes'], number> = true;
  const shown: Is<Awaited<ReturnType<typeof stack.preview>>, leem.MimeBundle> = true;
  const host: Is<ReturnType<leem.LeemHost['signal']>, AbortSignal | undefined> = true;
  return [on, used, shown, host, row, weight, table, pixels, shape, kind, svg, bytes, error];
}
`;

let program: TypeScript.Program;

function compile(source: string): TypeScript.Program {
  const options: TypeScript.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Node10,
    esModuleInterop: true,
    strict: true,
    noEmit: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.fileExists = (name) => name === CONSUMER || fileExists(name);
  host.readFile = (name) => (name === CONSUMER ? source : readFile(name));
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version);
  };
  return ts.createProgram([CONSUMER], options, host);
}

function problems(of: TypeScript.Program, file: string): string[] {
  const source = of.getSourceFile(file);
  if (!source) return [`${file} is not part of the program`];
  return [...of.getSyntacticDiagnostics(source), ...of.getSemanticDiagnostics(source)].map(
    ({ messageText }) => `${file}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

describe("tslab's TypeScript", () => {
  beforeAll(() => {
    program = compile(SOURCE);
  });

  test('is 5.0, as the declarations are checked for', () => {
    expect(ts.version).toMatch(/^5\.0\./);
  });

  test('compiles a notebook that uses leemlab, and no type that it meets is `any`', () => {
    expect(problems(program, CONSUMER)).toEqual([]);
  });

  test('reads every declaration file of the library', () => {
    const files = readdirSync('dist', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'));
    const read = files.map((name) => resolve(join('dist', name))).filter((name) => program.getSourceFile(name));
    expect(read.length).toBeGreaterThan(30);
    expect(read.flatMap((name) => problems(program, name))).toEqual([]);
  });

  test('finds what is wrong in one', () => {
    const wrong = compile(`${SOURCE}\nexport const missing = leem.noSuchFunction();`);
    expect(problems(wrong, CONSUMER)).toEqual([expect.stringContaining("'noSuchFunction'")]);
  });
});
