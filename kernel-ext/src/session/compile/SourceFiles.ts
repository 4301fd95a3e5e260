import { dirname, join } from 'node:path';
import type * as TS from '@tslab/typescript-for-tslab';
import { isDeclaration, isInPackage, stampOf } from './fileNames.js';
import { patchLibrary, patchPackage, withoutAttributes, withoutDocs } from './patchDeclarations.js';
import { typeSpecifier } from './typeSpecifier.js';
import type { TypeScript } from './typescriptFork.js';

interface CachedFile {
  readonly file: TS.SourceFile;
  readonly stamp: string;
}

type NamedFile = TS.SourceFile & { moduleName?: string };

/**
 * Keeps the files on disk that programs consist of, parsed.
 *
 * Nothing is watched: files outside of node_modules are asked for their time stamps before each program, the others once npm has
 * installed something.
 */
export class SourceFiles {
  private readonly parsed = new Map<string, CachedFile>();
  private installs = '';

  /** @param documented files whose doc comments are wanted from the start; `document` adds to them */
  constructor(
    private readonly ts: TypeScript,
    private readonly folder: string,
    private readonly target: TS.ScriptTarget,
    private readonly readFile: (name: string) => string | undefined,
    private readonly documented: Set<string>,
  ) {}

  get(name: string): TS.SourceFile | undefined {
    const known = this.parsed.get(name);
    if (known) return known.file;
    const stamp = stampOf(name);
    const text = this.readFile(name);
    if (text === undefined) return undefined;
    const file = this.ts.createSourceFile(name, this.patch(name, text), this.target, false);
    (file as NamedFile).moduleName = typeSpecifier(name);
    this.parsed.set(name, { file, stamp });
    return file;
  }

  /** Lets the next program have the doc comments of files; tells whether this one lacks them. */
  document(names: readonly string[]): boolean {
    const lacking = names.filter((name) => this.parsed.has(name) && this.lacksDocs(name));
    for (const name of lacking) {
      this.documented.add(name);
      this.parsed.delete(name);
    }
    return lacking.length > 0;
  }

  /** Forgets files that have changed; tells whether something was installed. */
  dropChanged(): boolean {
    const installs = this.installStamps();
    const isNew = this.installs !== '' && installs !== this.installs;
    this.installs = installs;
    for (const [name, { stamp }] of this.parsed) {
      if ((isNew || !isInPackage(name)) && stampOf(name) !== stamp) this.parsed.delete(name);
    }
    return isNew;
  }

  private patch(name: string, text: string): string {
    if (!isDeclaration(name)) return withoutAttributes(text);
    const isLibrary = /\/lib\.[\w.]*d\.ts$/.test(name);
    const patched = isLibrary ? patchLibrary(name, text) : patchPackage(text);
    return this.lacksDocs(name) ? withoutDocs(patched) : patched;
  }

  private lacksDocs(name: string): boolean {
    return isDeclaration(name) && !this.documented.has(name);
  }

  /** npm rewrites this file in node_modules with each installation. */
  private installStamps(): string {
    const stamps: string[] = [];
    for (let folder = this.folder; ; folder = dirname(folder)) {
      stamps.push(stampOf(join(folder, 'node_modules', '.package-lock.json')));
      if (dirname(folder) === folder) return stamps.join(';');
    }
  }
}
