import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import * as leem from '../../src/index.js';

interface PackageJson {
  readonly main: string;
  readonly types: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as PackageJson;

/** `class ImageStack`, `type Crop` … of everything that src/index.ts exports, in alphabetical order. */
function publicNames(): string[] {
  const { config } = ts.readConfigFile('tsconfig.build.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const program = ts.createProgram([resolve('src/index.ts')], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const door = checker.getSymbolAtLocation(program.getSourceFile(resolve('src/index.ts'))!)!;
  return checker
    .getExportsOfModule(door)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return `${kindOf(target.flags)} ${symbol.name}`;
    })
    .sort();
}

function kindOf(flags: ts.SymbolFlags): string {
  if (flags & ts.SymbolFlags.Class) return 'class';
  if (flags & ts.SymbolFlags.Function) return 'function';
  return flags & ts.SymbolFlags.Value ? 'const' : 'type';
}

describe('the public interface', () => {
  const names = publicNames();

  test('is what stands in publicApi.txt (npx vitest run tests/unit/publicApi.test.ts -u writes it anew)', async () => {
    await expect(`${names.join('\n')}\n`).toMatchFileSnapshot('publicApi.txt');
  });

  test('everything that is not a type is there when it runs', () => {
    const values = names.filter((name) => !name.startsWith('type ')).map((name) => name.split(' ')[1]);
    expect(Object.keys(leem).sort()).toEqual(values.sort());
  });

  test('the manifest points at files that the build makes', () => {
    const paths = [manifest.main, manifest.types, ...Object.values(manifest.bin)];
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    for (const path of [...paths, ...entries]) {
      if (path.endsWith('package.json')) continue;
      const source = path.replace(/^(\.\/)?dist\//, 'src/').replace(/(\.d)?\.[jt]s$/, '.ts');
      expect(() => readFileSync(source)).not.toThrow();
    }
  });
});
