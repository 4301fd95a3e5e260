import { readFileSync } from 'node:fs';
import type * as TS from '@tslab/typescript-for-tslab';
import { stampOf } from './fileNames.js';
import { withoutAttributes } from './patchDeclarations.js';
import { prepareCell } from './prepareCell.js';
import { importMeta } from './shareVariables.js';
import { splitMap, type Trace, tracePositions } from './tracePositions.js';
import type { TypeScript } from './typescriptFork.js';

/** A file beside the notebook, compiled. */
export interface LocalModule {
  /** Absolute path of the TypeScript or JavaScript file; the code runs under this name. */
  readonly path: string;
  /** The file's text. */
  readonly source: string;
  /** Body of `function (exports, require, module, __filename, __dirname)`. */
  readonly code: string;
  /** From `code` to the file; both count from 1. */
  readonly position: Trace;
}

interface CompiledFile {
  readonly stamp: string;
  readonly module: LocalModule;
  /** Absolute paths of the files it imports in turn. */
  readonly imports: readonly string[];
  /** Place of a top-level await, which a module that is loaded with `require` cannot have. */
  readonly isAsync: boolean;
}

/** Compiles the notebook's own modules, and compiles one again when its file has changed. */
export class LocalModules {
  private readonly compiled = new Map<string, CompiledFile>();

  constructor(
    private readonly ts: TypeScript,
    private readonly resolve: (name: string, from: string) => string | undefined,
  ) {}

  /** The local modules that `specifiers` lead to from a file, directly or through others, each after those it imports. */
  reach(specifiers: readonly string[], from: string): { module: LocalModule; isAsync: boolean }[] {
    const found = new Map<string, CompiledFile>();
    const seen = new Set<string>();
    const add = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const file = this.compile(path);
      if (!file) return;
      for (const next of file.imports) add(next);
      found.set(path, file);
    };
    for (const path of this.paths(specifiers, from)) add(path);
    return [...found.values()];
  }

  private paths(specifiers: readonly string[], from: string): string[] {
    return specifiers
      .map((specifier) => this.resolve(specifier, from))
      .filter((path): path is string => path !== undefined && /\.[jt]sx?$|\.[mc]ts$/.test(path) && !/\.d\.[mc]?ts$/.test(path));
  }

  private compile(path: string): CompiledFile | undefined {
    const stamp = stampOf(path);
    if (stamp === '') return undefined;
    const known = this.compiled.get(path);
    if (known?.stamp === stamp) return known;
    const source = readFileSync(path, 'utf8');
    const { localImports, isAsync } = prepareCell(this.ts, source);
    const file = { stamp, module: this.transpile(path, source), imports: this.paths(localImports, path), isAsync };
    this.compiled.set(path, file);
    return file;
  }

  private transpile(path: string, source: string): LocalModule {
    const { ts } = this;
    const output = ts.transpileModule(withoutAttributes(source), {
      fileName: path,
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        jsx: ts.JsxEmit.React,
        esModuleInterop: true,
        experimentalDecorators: true,
        preserveConstEnums: true,
        newLine: ts.NewLineKind.LineFeed,
        inlineSourceMap: true,
        allowJs: true,
      },
      transformers: { before: [replaceMeta(ts, path)] },
    });
    const { code, map } = splitMap(output.outputText);
    return { path, source, code, position: tracePositions([map], 0) };
  }
}

/** `import.meta` names the module itself, also after it has become CommonJS. */
function replaceMeta(ts: TypeScript, path: string): TS.TransformerFactory<TS.SourceFile> {
  return (context) => (file) => {
    const visit = (node: TS.Node): TS.Node =>
      ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword
        ? importMeta(ts, path)
        : ts.visitEachChild(node, visit, context);
    return ts.visitEachChild(file, visit, context);
  };
}
