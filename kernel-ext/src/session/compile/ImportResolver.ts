import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TS from '@tslab/typescript-for-tslab';
import { isInPackage } from './fileNames.js';
import { namedFile } from './typeSpecifier.js';
import type { TypeScript } from './typescriptFork.js';

/** Where packages are looked for when the notebook's folder has them not: beside the kernel. */
const KERNEL_FILE = fileURLToPath(import.meta.url);

/**
 * Finds the files that imports lead to.
 *
 * What a package imports is remembered until npm installs something; the imports of the notebook's own files are looked up anew
 * for each program, so that a package is found as soon as it is there.
 */
export class ImportResolver {
  private readonly ofPackages: TS.ModuleResolutionCache;
  private ofNotebook: TS.ModuleResolutionCache;
  private readonly ofTypes = new Map<string, TS.ResolvedTypeReferenceDirectiveWithFailedLookupLocations>();
  /** Which files and folders exist, for the time of one program. */
  private readonly existing = new Map<string, boolean>();
  private readonly host: TS.ModuleResolutionHost;

  constructor(
    private readonly ts: TypeScript,
    private readonly folder: string,
    private readonly options: TS.CompilerOptions,
    sys: TS.System,
  ) {
    this.ofPackages = this.createCache();
    this.ofNotebook = this.createCache();
    this.host = {
      fileExists: (name) => this.exists(`${name}:file`, () => sys.fileExists(name)),
      readFile: (name) => sys.readFile(name),
      directoryExists: (name) => this.exists(name, () => sys.directoryExists(name)),
      getDirectories: (name) => sys.getDirectories(name),
      getCurrentDirectory: () => folder,
      realpath: (name) => sys.realpath?.(name) ?? name,
      useCaseSensitiveFileNames: true,
    };
  }

  fileExists(name: string): boolean {
    return this.host.fileExists(name);
  }

  directoryExists(name: string): boolean {
    return this.host.directoryExists!(name);
  }

  /** Where an import leads: as seen from the file, else as seen from the kernel's own place. */
  resolve(name: string, from: string, mode?: TS.ResolutionMode): TS.ResolvedModuleWithFailedLookupLocations {
    const named = namedFile(name);
    if (named) return fileItself(named);
    const isOwn = !isInPackage(from);
    const found = this.find(name, from, isOwn ? this.ofNotebook : this.ofPackages, mode);
    if (found.resolvedModule || !isOwn || /^[./]/.test(name) || name.startsWith('node:')) return found;
    const beside = this.find(name, KERNEL_FILE, this.ofPackages, mode);
    return beside.resolvedModule ? beside : found;
  }

  /** Where a `/// <reference types="…" />` leads. */
  resolveTypes(name: string, from: string): TS.ResolvedTypeReferenceDirectiveWithFailedLookupLocations {
    const key = `${dirname(from)}:${name}`;
    const known = this.ofTypes.get(key);
    if (known) return known;
    const found = this.ts.resolveTypeReferenceDirective(name, from, this.options, this.host);
    if (found.resolvedTypeReferenceDirective) this.ofTypes.set(key, found);
    return found;
  }

  /** Forgets what the notebook's imports led to and what exists; after an installation, everything. */
  forget(installed: boolean): void {
    this.ofNotebook = this.createCache();
    this.existing.clear();
    if (!installed) return;
    this.ofPackages.clear();
    this.ofTypes.clear();
  }

  private find(
    name: string,
    from: string,
    cache: TS.ModuleResolutionCache,
    mode: TS.ResolutionMode,
  ): TS.ResolvedModuleWithFailedLookupLocations {
    const { ts, options, host } = this;
    const found = ts.resolveModuleName(name, from, options, host, cache, undefined, mode);
    if (!isUntyped(found.resolvedModule)) return found;
    // The package may have declarations that its `exports` do not name.
    const plain = { ...options, moduleResolution: ts.ModuleResolutionKind.Node10, customConditions: undefined };
    const typed = ts.resolveModuleName(name, from, plain, host);
    return typed.resolvedModule && !isUntyped(typed.resolvedModule) ? typed : found;
  }

  private createCache(): TS.ModuleResolutionCache {
    return this.ts.createModuleResolutionCache(this.folder, (name) => name, this.options);
  }

  private exists(key: string, ask: () => boolean): boolean {
    const known = this.existing.get(key);
    if (known !== undefined) return known;
    const found = ask();
    this.existing.set(key, found);
    return found;
  }
}

function fileItself(name: string): TS.ResolvedModuleWithFailedLookupLocations {
  const extension = /(?:\.d)?\.[mc]?[jt]sx?$/.exec(name)?.[0] ?? '.json';
  return { resolvedModule: { resolvedFileName: name, extension, isExternalLibraryImport: isInPackage(name) } };
}

/** Whether an import leads to a package's JavaScript. */
function isUntyped(resolved: TS.ResolvedModuleFull | undefined): boolean {
  return resolved !== undefined && isInPackage(resolved.resolvedFileName) && /\.[mc]?jsx?$/.test(resolved.resolvedFileName);
}
