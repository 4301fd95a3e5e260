import { createRequire } from 'node:module';
import type * as TS from '@tslab/typescript-for-tslab';
import type { CompletionInfo, Converter, ConvertResult } from 'tslab/dist/converter.js';
import type { TypeScript } from './typescriptFork.js';

/** What tslab's converter asks of TypeScript, answered by us while one of its functions runs. */
export interface TslabHooks {
  readonly folder: string;
  /** In place of TypeScript's watch program: keeps the files and hands out programs. */
  createWatchProgram(host: TslabWatchHost): { close(): void; updateRootFileNames(names: string[]): void };
  /** Looks at the mistakes of a cell; throws where they must stop it. */
  checkFiles(program: TS.Program): void;
  /** The second step, from ES module to CommonJS. */
  toCommonJS(code: string): string;
  completions(program: TS.Program, file: TS.SourceFile, position: number): TS.CompletionInfo | undefined;
}

/** What the converter gives to `createWatchCompilerHost`, and the callback it sets on the result. */
export interface TslabWatchHost {
  readonly rootNames: readonly string[];
  readonly options: TS.CompilerOptions;
  readonly sys: TS.System;
  afterProgramCreate(builder: TslabBuilder): void;
}

/** The part of a builder program that the converter uses. */
export interface TslabBuilder {
  getSourceFile(name: string): TS.SourceFile | undefined;
  getProgram(): TS.Program;
  getAllDependencies(file: TS.SourceFile): readonly string[];
  emit(
    file: TS.SourceFile,
    writeFile: (name: string, data: string) => void,
    cancellation: undefined,
    onlyDeclarations: undefined,
    transformers: TS.CustomTransformers,
  ): void;
}

export interface Tslab {
  readonly ts: TypeScript;
  /** The path of tslab's converter: what tslab itself brings is found from here. */
  readonly location: string;
  createConverter(hooks: TslabHooks): Converter;
  /** Runs a function of a converter, which asks `hooks` meanwhile. */
  during<T>(hooks: TslabHooks, run: () => T): T;
}

export type { CompletionInfo, Converter, ConvertResult };

let loaded: Tslab | undefined;

/**
 * tslab's converter and the TypeScript it compiles with.
 *
 * The converter takes TypeScript from the require cache; it finds a copy of the module object there, on which the functions
 * that decide about files, resolution and emit are ours. The cache is put back afterwards, so that a cell which loads tslab
 * or TypeScript gets the unchanged ones. About 0.2 s, once a process.
 */
export function loadTslab(): Tslab {
  loaded ??= load();
  return loaded;
}

function load(): Tslab {
  const location = createRequire(import.meta.url).resolve('tslab/dist/converter.js');
  const require = createRequire(location);
  const ts = require('@tslab/typescript-for-tslab') as TypeScript;
  let active: TslabHooks | undefined;
  const hooks = (): TslabHooks => {
    if (!active) throw new Error('a converter of tslab was called outside of during()');
    return active;
  };
  const patched = {
    ...ts,
    __esModule: true,
    sys: { ...ts.sys, getCurrentDirectory: () => hooks().folder, watchFile: () => ({ close: () => {} }) },
    createWatchCompilerHost: (rootNames: string[], options: TS.CompilerOptions, sys: TS.System) => ({ rootNames, options, sys }),
    createWatchProgram: (host: TslabWatchHost) => hooks().createWatchProgram(host),
    getPreEmitDiagnosticsOfFiles: (program: TS.Program) => {
      hooks().checkFiles(program);
      return [];
    },
    transpileModule: (code: string) => ({ outputText: hooks().toCommonJS(code) }),
    Completions: {
      getCompletionsAtPositionForTslab: (
        _host: unknown,
        program: TS.Program,
        _log: unknown,
        file: TS.SourceFile,
        position: number,
      ) => hooks().completions(program, file, position),
    },
  };
  const entry = require.cache[require.resolve('@tslab/typescript-for-tslab')]!;
  entry.exports = patched;
  let converter: typeof import('tslab/dist/converter.js');
  try {
    converter = require(location);
  } finally {
    entry.exports = ts;
  }
  const during = <T>(next: TslabHooks, run: () => T): T => {
    const before = active;
    active = next;
    try {
      return run();
    } finally {
      active = before;
    }
  };
  return { ts, location, during, createConverter: (next) => during(next, () => converter.createConverter()) };
}
