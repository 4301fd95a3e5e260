import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TS from '@tslab/typescript-for-tslab';
import { compilerOptions } from './compilerOptions.js';
import type { TslabBuilder, TslabWatchHost } from './loadTslab.js';
import { patchLibrary, patchPackage, withoutDocs } from './patchDeclarations.js';
import { namedFile, typeSpecifier } from './typeSpecifier.js';
import type { BoundSourceFile, CompletionHost, TypeScript } from './typescriptFork.js';

/** Declarations of `display`, `progress` and the other globals of a cell. */
const GLOBALS = fileURLToPath(new URL('../../../types/globals.d.ts', import.meta.url));

/** Where packages are looked for when the notebook's folder has them not: beside the kernel. */
const KERNEL_FILE = fileURLToPath(import.meta.url);

interface CachedFile {
  readonly file: TS.SourceFile;
  readonly stamp: string;
}

/** The cell that is looked at, and the file that declares what earlier cells left; both bound. */
interface ParsedCell {
  readonly source: BoundSourceFile;
  readonly declarations: BoundSourceFile;
  /** Whether the cell declares anything. */
  readonly declares: boolean;
}

type NamedFile = TS.SourceFile & { moduleName?: string };

/** How the converter's files, which exist in memory only, are called. */
export interface CellFiles {
  readonly source: string;
  readonly declarations: string;
}

/**
 * Keeps parsed files and the last program of a notebook, in place of TypeScript's watch program.
 *
 * Nothing is watched: files outside of node_modules are asked for their time stamps before each program, the others once npm
 * has installed something. A program is made when somebody asks for it, so that tslab's first look at a cell, which only
 * wants its top-level names, costs a parse.
 */
export class ProgramKeeper {
  readonly options: TS.CompilerOptions;
  readonly files: CellFiles;
  private readonly host: TS.CompilerHost;
  private readonly parsed = new Map<string, CachedFile>();
  private readonly documented = new Set<string>([GLOBALS]);
  private readonly packageResolutions: TS.ModuleResolutionCache;
  private readonly typeResolutions = new Map<string, TS.ResolvedTypeReferenceDirectiveWithFailedLookupLocations>();
  /** Which files and folders exist, for the time of one program. */
  private readonly existing = new Map<string, boolean>();
  private localResolutions: TS.ModuleResolutionCache;
  private installStamp = '';
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
    this.options = compilerOptions(ts, folder, tslab.options);
    const source = tslab.rootNames.find((name) => !name.endsWith('.d.ts'))!;
    this.files = { source, declarations: tslab.rootNames.find((name) => name !== source)! };
    this.rootNames = [GLOBALS, ...tslab.rootNames];
    this.packageResolutions = this.createResolutions();
    this.localResolutions = this.createResolutions();
    this.host = this.createHost();
    this.connect();
  }

  updateRootFileNames(names: readonly string[]): void {
    this.rootNames = [GLOBALS, ...names];
    this.tslab.sys.setTimeout!(() => this.offer(), 0);
  }

  /** Where an import leads: as seen from the file, else as seen from the kernel's own place. */
  resolve(name: string, from: string, mode?: TS.ResolutionMode): TS.ResolvedModuleWithFailedLookupLocations {
    const { ts, options, host } = this;
    const named = namedFile(name);
    if (named) {
      const extension = /(?:\.d)?\.[mc]?[jt]sx?$/.exec(named)![0];
      return { resolvedModule: { resolvedFileName: named, extension, isExternalLibraryImport: isInPackage(named) } };
    }
    const local = !isInPackage(from);
    const cache = local ? this.localResolutions : this.packageResolutions;
    const found = ts.resolveModuleName(name, from, options, host, cache, undefined, mode);
    if (isUntyped(found.resolvedModule)) {
      // The package has declarations, but its `exports` do not name them.
      const plain = { ...options, moduleResolution: ts.ModuleResolutionKind.Node10, customConditions: undefined };
      const typed = ts.resolveModuleName(name, from, plain, host);
      return typed.resolvedModule && !isUntyped(typed.resolvedModule) ? typed : found;
    }
    if (found.resolvedModule || !local || /^[./]/.test(name) || name.startsWith('node:')) return found;
    const beside = ts.resolveModuleName(name, KERNEL_FILE, options, host, this.packageResolutions, undefined, mode);
    return beside.resolvedModule ? beside : found;
  }

  /** Parses and binds a file ahead of its use, so that a later program finds it ready. */
  parse(name: string): TS.SourceFile | undefined {
    const file = this.host.getSourceFile(name, this.options.target!);
    if (file && !(file as BoundSourceFile).locals && !name.endsWith('.json')) this.ts.bindSourceFile(file, this.options);
    return file;
  }

  /** Names of the library files and declarations that belong to every program. */
  baseFiles(): string[] {
    const { ts, options } = this;
    const library = dirname(ts.getDefaultLibFilePath(options));
    const node = this.resolveTypes('node', join(this.folder, '__tslab__.ts'), options);
    const types = node.resolvedTypeReferenceDirective?.resolvedFileName;
    return [...options.lib!.map((name) => join(library, name)), ...(types ? [types] : []), GLOBALS];
  }

  libraryFile(name: string): string {
    return join(dirname(this.ts.getDefaultLibFilePath(this.options)), `lib.${name}.d.ts`);
  }

  /** tslab takes the declarations apart when it has emitted a cell: they have to be parsed again after that. */
  spendDeclarations(): void {
    this.declarations = undefined;
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
    const source = this.parseText(this.files.source);
    const names = [...(source.locals?.keys() ?? [])].map(String);
    // `declare global` and `declare module "x"` are no names, which tslab would export.
    for (const name of names) if (/^(?:__global$|")/.test(name)) source.locals!.delete(name);
    this.declarations = this.reusable() ?? this.parseText(this.files.declarations);
    const { declarations } = this;
    // Names are looked up in the parent next; tslab sets it to what it takes for the declarations.
    Object.defineProperty(source, 'parent', { get: () => declarations, set: () => {} });
    this.last = { source, declarations, declares: names.length > 0 };
    return this.last;
  }

  private reusable(): BoundSourceFile | undefined {
    return this.declarations?.text === this.tslab.sys.readFile(this.files.declarations) ? this.declarations : undefined;
  }

  private parseText(name: string): BoundSourceFile {
    const text = this.tslab.sys.readFile(name) ?? '';
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
    // The converter sets its callback after it got the host, and expects a first builder when the watch program exists.
    this.offer();
  }

  private offer(): void {
    this.cell = undefined;
    this.tslab.afterProgramCreate(this.extend(this.createBuilder()));
  }

  private createBuilder(): Omit<TslabBuilder, 'emit'> {
    const { source, declarations } = this.files;
    return {
      getSourceFile: (name) => {
        if (name === source) return this.parsedCell().source;
        if (name === declarations) return this.parsedCell().declarations;
        return this.current().getSourceFile(name);
      },
      getProgram: () => this.current(),
      getAllDependencies: () => [source],
    };
  }

  private createResolutions(): TS.ModuleResolutionCache {
    return this.ts.createModuleResolutionCache(this.folder, (name) => name, this.options);
  }

  private createHost(): TS.CompilerHost {
    const { ts, tslab, folder } = this;
    const { sys } = tslab;
    return {
      getSourceFile: (name) => this.sourceFile(name),
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      getDefaultLibLocation: () => dirname(ts.getDefaultLibFilePath(this.options)),
      getCurrentDirectory: () => folder,
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      fileExists: (name) => this.exists(`${name}:file`, () => sys.fileExists(name)),
      readFile: (name) => sys.readFile(name),
      directoryExists: (name) => this.exists(name, () => sys.directoryExists(name)),
      getDirectories: (name) => sys.getDirectories(name),
      realpath: (name) => sys.realpath?.(name) ?? name,
      writeFile: () => {},
      // A package may have been installed since: imports of the notebook's own files are looked up anew each time.
      hasInvalidatedResolutions: (path) => !isInPackage(path) && !path.endsWith('.d.ts'),
      resolveTypeReferenceDirectiveReferences: (references, from, _redirected, options) =>
        references.map((reference) =>
          this.resolveTypes(typeof reference === 'string' ? reference : reference.fileName, from, options),
        ),
      resolveModuleNameLiterals: (literals, from, _redirected, _options, file) =>
        literals.map((literal) => this.resolve(literal.text, from, ts.getModeForUsageLocation(file, literal))),
    };
  }

  private exists(key: string, ask: () => boolean): boolean {
    const known = this.existing.get(key);
    if (known !== undefined) return known;
    const found = ask();
    this.existing.set(key, found);
    return found;
  }

  /** Where a `/// <reference types="…" />` leads. */
  private resolveTypes(
    name: string,
    from: string,
    options: TS.CompilerOptions,
  ): TS.ResolvedTypeReferenceDirectiveWithFailedLookupLocations {
    const key = `${dirname(from)}:${name}`;
    const known = this.typeResolutions.get(key);
    if (known) return known;
    const found = this.ts.resolveTypeReferenceDirective(name, from, options, this.host);
    if (found.resolvedTypeReferenceDirective) this.typeResolutions.set(key, found);
    return found;
  }

  private sourceFile(name: string): TS.SourceFile | undefined {
    const { source, declarations } = this.files;
    if (name === source) return this.parsedCell().source;
    if (name === declarations) return this.parsedCell().declarations;
    const known = this.parsed.get(name);
    if (known) return known.file;
    const stamp = stampOf(name);
    const text = this.tslab.sys.readFile(name);
    if (text === undefined) return undefined;
    const isLibrary = /\/lib\.[\w.]*d\.ts$/.test(name);
    const patched = isLibrary ? patchLibrary(name, text) : isDeclaration(name) ? patchPackage(text) : text;
    const read = this.mayLackDocs(name) ? withoutDocs(patched) : patched;
    const file = this.ts.createSourceFile(name, read, this.options.target!, false);
    (file as NamedFile).moduleName = typeSpecifier(name);
    this.parsed.set(name, { file, stamp });
    return file;
  }

  /** To be called before a cell is compiled: its program must not be one of before. */
  forgetProgram(): void {
    this.last = undefined;
    this.refresh();
  }

  /** What files of the notebook and newly installed packages say now, not what they said before. */
  private refresh(): void {
    this.localResolutions = this.createResolutions();
    this.existing.clear();
    this.dropChanged();
  }

  /** Lets the next program have the doc comments of files; tells whether this one lacks them. */
  document(names: readonly string[]): boolean {
    const lacking = names.filter((name) => this.parsed.has(name) && this.mayLackDocs(name));
    for (const name of lacking) {
      this.documented.add(name);
      this.parsed.delete(name);
    }
    if (lacking.length > 0) this.last = undefined;
    return lacking.length > 0;
  }

  private mayLackDocs(name: string): boolean {
    return isDeclaration(name) && !this.documented.has(name);
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

  /** Forgets parsed files that have changed on disk. */
  private dropChanged(): void {
    const installed = this.installs();
    const isNew = installed !== this.installStamp && this.installStamp !== '';
    if (isNew) {
      this.packageResolutions.clear();
      this.typeResolutions.clear();
    }
    for (const [name, { stamp }] of this.parsed) {
      if ((isNew || !isInPackage(name)) && stampOf(name) !== stamp) this.parsed.delete(name);
    }
    this.installStamp = installed;
  }

  /** npm rewrites this file in node_modules with each install. */
  private installs(): string {
    const stamps: string[] = [];
    for (let folder = this.folder; ; folder = dirname(folder)) {
      stamps.push(stampOf(join(folder, 'node_modules', '.package-lock.json')));
      if (dirname(folder) === folder) return stamps.join(';');
    }
  }
}

/** Whether an import leads to a package's JavaScript. */
function isUntyped(resolved: TS.ResolvedModuleFull | undefined): boolean {
  return resolved !== undefined && isInPackage(resolved.resolvedFileName) && /\.[mc]?jsx?$/.test(resolved.resolvedFileName);
}

function isInPackage(name: string): boolean {
  return name.includes('/node_modules/');
}

function isDeclaration(name: string): boolean {
  return /\.d\.[mc]?ts$/.test(name);
}

function stampOf(name: string): string {
  const stats = statSync(name, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}:${stats.size}` : '';
}
