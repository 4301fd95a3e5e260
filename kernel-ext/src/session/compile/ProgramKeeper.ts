import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TS from '@tslab/typescript-for-tslab';
import { compilerOptions } from './compilerOptions.js';
import { isDeclaration, isInPackage } from './fileNames.js';
import { ImportResolver } from './ImportResolver.js';
import type { TslabBuilder, TslabWatchHost } from './loadTslab.js';
import { SourceFiles } from './SourceFiles.js';
import type { BoundSourceFile, CompletionHost, TypeScript } from './typescriptFork.js';

/** Declarations of `display`, `progress` and the other globals of a cell. */
const GLOBALS = fileURLToPath(new URL('../../../types/globals.d.ts', import.meta.url));

/** The cell that is looked at, and the file that declares what earlier cells left; both bound. */
interface ParsedCell {
  readonly source: BoundSourceFile;
  readonly declarations: BoundSourceFile;
  /** Whether the cell declares anything. */
  readonly declares: boolean;
}

/** How the converter's files, which exist in memory only, are called. */
export interface CellFiles {
  readonly source: string;
  readonly declarations: string;
}

/**
 * Makes the programs of a notebook, one from the other, in place of TypeScript's watch program.
 *
 * A program is made when somebody asks for it, so that tslab's first look at a cell, which only wants its top-level names, costs
 * a parse.
 */
export class ProgramKeeper {
  readonly options: TS.CompilerOptions;
  readonly files: CellFiles;
  readonly imports: ImportResolver;
  private readonly sources: SourceFiles;
  private readonly host: TS.CompilerHost;
  private readonly library: string;
  private rootNames: string[];
  private program: TS.Program | undefined;
  private cell: ParsedCell | undefined;
  /** What was parsed last: asked about the same text again, its program will do. */
  private last: ParsedCell | undefined;
  private declarations: BoundSourceFile | undefined;

  constructor(
    private readonly ts: TypeScript,
    private readonly folder: string,
    private readonly tslab: TslabWatchHost,
    private readonly extend: (builder: Omit<TslabBuilder, 'emit'>) => TslabBuilder,
  ) {
    const { sys, rootNames, options } = tslab;
    this.options = compilerOptions(ts, folder, options);
    this.library = dirname(ts.getDefaultLibFilePath(this.options));
    this.files = { source: rootNames.find((name) => !isDeclaration(name))!, declarations: rootNames.find(isDeclaration)! };
    this.rootNames = [GLOBALS, ...rootNames];
    this.imports = new ImportResolver(ts, folder, this.options, sys);
    const readFile = (name: string) => sys.readFile(name);
    this.sources = new SourceFiles(ts, folder, this.options.target!, readFile, new Set([GLOBALS]));
    this.host = this.createHost();
    this.connect();
  }

  updateRootFileNames(names: readonly string[]): void {
    this.rootNames = [GLOBALS, ...names];
    this.tslab.sys.setTimeout!(() => this.offer(), 0);
  }

  /** The program of the cell as it stands. */
  current(): TS.Program {
    const { source } = this.parsedCell();
    if (this.program?.getSourceFile(this.files.source) !== source) this.program = this.createProgram();
    return this.program!;
  }

  parsedCell(): ParsedCell {
    this.cell ??= this.parseCell();
    return this.cell;
  }

  /** To be called before a cell is compiled: its program must not be one of before. */
  forgetProgram(): void {
    this.last = undefined;
    this.refresh();
  }

  /** tslab takes the declarations apart when it emits a cell: they have to be parsed again after that. */
  spendDeclarations(): void {
    this.declarations = undefined;
  }

  /** Lets the next program have the doc comments of files; tells whether this one lacks them. */
  document(names: readonly string[]): boolean {
    const lacks = this.sources.document(names);
    if (lacks) this.last = undefined;
    return lacks;
  }

  /** Parses and binds a file ahead of its use, so that a later program finds it ready. */
  prepare(name: string): TS.SourceFile | undefined {
    const file = this.sources.get(name) as BoundSourceFile | undefined;
    if (file && !file.locals && isDeclaration(name)) this.ts.bindSourceFile(file, this.options);
    return file;
  }

  /** The files that belong to every program. */
  baseFiles(): string[] {
    const node = this.imports.resolveTypes('node', join(this.folder, 'cell.ts')).resolvedTypeReferenceDirective?.resolvedFileName;
    return [...this.options.lib!.map((name) => join(this.library, name)), ...(node ? [node] : []), GLOBALS];
  }

  /** The file of a part of the library, as `es2015.core`. */
  libraryFile(name: string): string {
    return join(this.library, `lib.${name}.d.ts`);
  }

  /** What TypeScript's completion of paths in import strings looks at. */
  completionHost(): CompletionHost {
    const { sys } = this.tslab;
    return {
      fileExists: (name) => sys.fileExists(name),
      readFile: (name) => sys.readFile(name),
      directoryExists: (name) => sys.directoryExists(name),
      getDirectories: (name) => sys.getDirectories(name),
      readDirectory: (name, ...rest) => sys.readDirectory(name, ...rest),
      getCurrentDirectory: () => this.folder,
      getCompilationSettings: () => this.options,
      useCaseSensitiveFileNames: () => true,
    };
  }

  /** What files of the notebook and newly installed packages say now, not what they said before. */
  private refresh(): void {
    this.imports.forget(this.sources.dropChanged());
  }

  private createProgram(): TS.Program {
    this.refresh();
    return this.ts.createProgram({
      rootNames: this.rootNames,
      options: this.options,
      host: this.host,
      oldProgram: this.program,
    });
  }

  private parseCell(): ParsedCell {
    const { last, files } = this;
    const earlier = this.tslab.sys.readFile(files.declarations) ?? '';
    if (this.declarations?.text !== earlier) this.declarations = this.parseText(files.declarations, earlier);
    const { declarations } = this;
    const text = plainExports(this.tslab.sys.readFile(files.source) ?? '');
    if (last?.source.text === text && last.declarations === declarations) return last;
    const source = this.parseText(files.source, text);
    const names = [...(source.locals?.keys() ?? [])].map(String);
    // `declare global` and `declare module "x"` are no names, which tslab would export.
    for (const name of names) if (/^(?:__global$|")/.test(name)) source.locals!.delete(name);
    // Names are looked up in the parent next; tslab sets it to what it takes for the declarations.
    Object.defineProperty(source, 'parent', { get: () => declarations, set: () => {} });
    this.last = { source, declarations, declares: names.length > 0 };
    return this.last;
  }

  private parseText(name: string, text: string): BoundSourceFile {
    const file = this.ts.createSourceFile(name, text, this.options.target!, true) as BoundSourceFile;
    this.ts.bindSourceFile(file, this.options);
    return file;
  }

  /** Lets the converter's change notices lead to a new offer, in the order in which it expects them. */
  private connect(): void {
    const { sys } = this.tslab;
    let timer: unknown;
    for (const name of [this.files.source, this.files.declarations]) {
      sys.watchFile!(name, () => {
        if (timer) sys.clearTimeout!(timer);
        timer = sys.setTimeout!(() => {
          timer = undefined;
          this.offer();
        }, 0);
      });
    }
    // The converter expects a first builder when the watch program exists.
    this.offer();
  }

  private offer(): void {
    this.cell = undefined;
    const { source } = this.files;
    const builder = {
      getSourceFile: (name: string) => this.cellFile(name) ?? this.current().getSourceFile(name),
      getProgram: () => this.current(),
      getAllDependencies: () => [source],
    };
    this.tslab.afterProgramCreate(this.extend(builder));
  }

  private cellFile(name: string): TS.SourceFile | undefined {
    if (name === this.files.source) return this.parsedCell().source;
    return name === this.files.declarations ? this.parsedCell().declarations : undefined;
  }

  private createHost(): TS.CompilerHost {
    const { ts, tslab, folder, imports } = this;
    const { sys } = tslab;
    return {
      getSourceFile: (name) => this.cellFile(name) ?? this.sources.get(name),
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      getDefaultLibLocation: () => this.library,
      getCurrentDirectory: () => folder,
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      fileExists: (name) => imports.fileExists(name),
      readFile: (name) => sys.readFile(name),
      directoryExists: (name) => imports.directoryExists(name),
      getDirectories: (name) => sys.getDirectories(name),
      realpath: (name) => sys.realpath?.(name) ?? name,
      writeFile: () => {},
      // Imports of the notebook's own files are looked up anew each time.
      hasInvalidatedResolutions: (path) => !isInPackage(path) && !isDeclaration(path),
      resolveTypeReferenceDirectiveReferences: (references, from) =>
        references.map((reference) => imports.resolveTypes(typeof reference === 'string' ? reference : reference.fileName, from)),
      resolveModuleNameLiterals: (literals, from, _redirected, _options, file) =>
        literals.map((literal) => imports.resolve(literal.text, from, ts.getModeForUsageLocation(file, literal))),
    };
  }
}

/** tslab exports a cell's names as TypeScript keeps them, with one more underscore before those that begin with two. */
function plainExports(text: string): string {
  const start = text.lastIndexOf('\nexport {');
  if (start < 0) return text;
  return text.slice(0, start) + text.slice(start).replace(/\b___(?=\w)|\b___\b/g, '__');
}
