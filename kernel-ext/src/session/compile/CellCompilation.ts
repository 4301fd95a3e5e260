import type * as TS from '@tslab/typescript-for-tslab';
import { assignExports } from './assignExports.js';
import { type CellDiagnostic, CompileError } from './CompileError.js';
import { collectDiagnostics } from './collectDiagnostics.js';
import { declaringFiles } from './declaringFiles.js';
import { keepNamespaces } from './keepNamespaces.js';
import { type LocalModule, LocalModules } from './LocalModules.js';
import type { CompletionInfo, Converter, ConvertResult, Tslab, TslabBuilder, TslabHooks, TslabWatchHost } from './loadTslab.js';
import { ProgramKeeper } from './ProgramKeeper.js';
import { withoutAttributes } from './patchDeclarations.js';
import { MODULE_PREFIX, type PreparedSource, prepareCell } from './prepareCell.js';
import { shareVariables } from './shareVariables.js';
import { splitMap, type Trace, tracePositions } from './tracePositions.js';

/** A cell that is ready to run. */
export interface CompiledCell {
  /** Body of `function (exports, require) { … }`, or of an async function where `isAsync`. */
  readonly code: string;
  readonly isAsync: boolean;
  /** Property of `exports` that holds the last expression's value. */
  readonly resultName: string | undefined;
  /** Local modules whose files are new or have changed; `createCellRequire` takes them. */
  readonly modules: readonly LocalModule[];
  /** From `code` to the cell's TypeScript; both count from 1. */
  readonly position: Trace;
  /** Makes the declarations known to later cells; to be called as the cell starts to run. */
  commit(): void;
}

interface Work {
  readonly prepared: PreparedSource;
  readonly check: boolean;
  readonly modules: readonly { module: LocalModule; isAsync: boolean }[];
  maps: string[];
}

/** A number that none of TypeScript's messages has; those below 2000 are about syntax. */
const COMPILER_FAILED = 99_999;

const NEVER_CANCELLED: TS.CancellationToken = { isCancellationRequested: () => false, throwIfCancellationRequested: () => {} };

/** `emit` with the last argument that TypeScript keeps to itself. */
type ForcedEmit = (...input: [...Required<Parameters<TS.Program['emit']>>, forceDeclarations: boolean]) => void;

/** Holds tslab's converter for a notebook, and what its cells have declared so far. */
export class CellCompilation implements TslabHooks {
  readonly tslab: Tslab;
  readonly folder: string;
  private declarations = '';
  private readonly converter: Converter;
  private readonly local: LocalModules;
  private readonly delivered = new Map<string, LocalModule>();
  private work: Work | undefined;
  private programs!: ProgramKeeper;
  private lastCompletions: TS.CompletionInfo | undefined;

  constructor(tslab: Tslab, folder: string) {
    this.tslab = tslab;
    this.folder = folder;
    this.converter = tslab.createConverter(this);
    this.local = new LocalModules(
      tslab.ts,
      (name, from) => this.programs.imports.resolve(name, from).resolvedModule?.resolvedFileName,
    );
  }

  get keeper(): ProgramKeeper {
    return this.programs;
  }

  compile(source: string, check: boolean): CompiledCell {
    const prepared = prepareCell(this.tslab.ts, source);
    this.programs.forgetProgram();
    const modules = this.local.reach(prepared.localImports, this.programs.files.source);
    const work: Work = { prepared, check: check && !prepared.unchecked, modules, maps: [] };
    this.work = work;
    try {
      const converted = this.during(() => this.converter.convert(this.declarations, prepared.text));
      const declarations = this.declarationsAfter(converted);
      const fresh = modules.map(({ module }) => module).filter((module) => this.delivered.get(module.path) !== module);
      return {
        code: converted.output ?? '',
        isAsync: prepared.isAsync,
        resultName: converted.lastExpressionVar,
        modules: fresh,
        position: tracePositions(work.maps, MODULE_PREFIX.split('\n').length - 1),
        commit: () => {
          this.declarations = declarations;
          for (const module of fresh) this.delivered.set(module.path, module);
        },
      };
    } catch (error) {
      if (error instanceof CompileError) throw error;
      this.programs.spendDeclarations();
      throw new CompileError([failureOf(error)], { cause: error });
    } finally {
      this.work = undefined;
    }
  }

  /** Compiles a cell for nothing but the experience. */
  rehearse(source: string): void {
    try {
      this.compile(source, true);
    } catch (error) {
      if (!(error instanceof CompileError)) throw error;
    }
  }

  /** tslab's completion, and TypeScript's own answer behind it. */
  complete(source: string, offset: number): { info: CompletionInfo; entries: TS.CompletionInfo | undefined } {
    this.forgetCut();
    this.lastCompletions = undefined;
    const info = this.during(() => this.converter.complete(this.declarations, withoutAttributes(source), offset));
    return { info, entries: this.lastCompletions };
  }

  /** What TypeScript knows of a name; the files that declare it are read with their doc comments first. */
  quickInfo(source: string, offset: number): TS.QuickInfo | undefined {
    const ask = () =>
      this.during(() => this.converter.inspect(this.declarations, withoutAttributes(source), offset)) ?? undefined;
    this.forgetCut();
    const info = ask();
    if (!info) return undefined;
    const place = this.tslab.ts.getTouchingPropertyName(this.programs.parsedCell().source, offset + MODULE_PREFIX.length);
    return this.programs.document(declaringFiles(this.tslab.ts, this.programs.current(), place)) ? ask() : info;
  }

  /** An interrupt may have cut a compilation off, with no `finally` run. */
  private forgetCut(): void {
    this.work = undefined;
  }

  reset(): void {
    this.declarations = '';
    this.delivered.clear();
  }

  close(): void {
    this.during(() => this.converter.close());
  }

  createWatchProgram(host: TslabWatchHost): { close(): void; updateRootFileNames(names: string[]): void } {
    this.programs = new ProgramKeeper(this.tslab.ts, this.folder, host, (builder) => this.extend(builder));
    return { close: () => {}, updateRootFileNames: (names) => this.programs.updateRootFileNames(names) };
  }

  checkFiles(program: TS.Program): void {
    const { prepared, check, modules } = this.work!;
    collectDiagnostics({
      ts: this.tslab.ts,
      program,
      source: this.programs.parsedCell().source,
      length: prepared.text.length,
      folder: this.folder,
      modules,
      check,
    });
  }

  toCommonJS(code: string): string {
    const { ts } = this.tslab;
    const first = splitMap(code);
    const { outputText } = ts.transpileModule(first.code, {
      fileName: 'custom.js',
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
        target: this.programs.options.target,
        newLine: ts.NewLineKind.LineFeed,
        noImplicitUseStrict: true,
        inlineSourceMap: true,
      },
      transformers: { after: [assignExports(ts)] },
    });
    const second = splitMap(outputText);
    this.work!.maps = [first.map, second.map];
    return second.code;
  }

  completions(program: TS.Program, file: TS.SourceFile, position: number): TS.CompletionInfo | undefined {
    const { ts } = this.tslab;
    this.lastCompletions = ts.Completions.getCompletionsAtPosition(
      this.programs.completionHost(),
      program,
      () => {},
      file,
      position,
      {},
      undefined,
      ts.CompletionTriggerKind.Invoked,
      NEVER_CANCELLED,
      undefined,
      true,
    );
    return this.lastCompletions;
  }

  private declarationsAfter({ declOutput }: ConvertResult): string {
    const { source, declares } = this.programs.parsedCell();
    if (!declares) return this.declarations;
    return (declOutput ?? '') + keepNamespaces(this.tslab.ts, this.declarations, source.locals!);
  }

  private during<T>(run: () => T): T {
    return this.tslab.during(this, run);
  }

  /** Adds to the builder what tslab's emit of a cell needs beyond stock TypeScript. */
  private extend(builder: Omit<TslabBuilder, 'emit'>): TslabBuilder {
    const { ts } = this.tslab;
    return {
      ...builder,
      getSourceFile: (name) => {
        const { declarations, declares } = this.programs.parsedCell();
        const isUnchanged = this.work && name === declarations.fileName && !declares;
        return isUnchanged ? nothingDeclared(declarations) : builder.getSourceFile(name);
      },
      getProgram: () => (this.work ? withoutSymbols(builder.getProgram()) : builder.getProgram()),
      emit: (file, writeFile, _cancellation, _onlyDeclarations, transformers) => {
        const program = builder.getProgram();
        const { source, declarations, declares } = this.programs.parsedCell();
        const share = shareVariables({ ts, checker: program.getTypeChecker(), source, declarations });
        // Without force TypeScript writes no declarations where a type cannot be named in full.
        const emit = program.emit as ForcedEmit;
        if (declares) this.programs.spendDeclarations();
        emit(file, writeFile, NEVER_CANCELLED, false, { ...transformers, before: [share] }, true);
      },
    };
  }
}

/** A mistake in the compiler itself, as the cell's: all that the user can change is the cell. */
function failureOf(error: unknown): CellDiagnostic {
  const message = `The compiler failed (${error instanceof Error ? error.message : String(error)}). Write this cell in another way.`;
  return { line: 1, column: 1, endLine: 1, endColumn: 1, message, code: COMPILER_FAILED };
}

/** In place of the declarations for a cell that declares nothing: tslab need not go through them all to copy them. */
function nothingDeclared(declarations: TS.SourceFile): TS.SourceFile {
  const empty = { statements: [], locals: new Map() };
  return Object.assign(Object.create(declarations), empty);
}

/** The program with a checker that finds no symbols: tslab then leaves identifiers alone, which `shareVariables` has done. */
function withoutSymbols(program: TS.Program): TS.Program {
  return Object.assign(Object.create(program), {
    getTypeChecker: () => Object.assign(Object.create(program.getTypeChecker()), { getSymbolAtLocation: () => undefined }),
  });
}
