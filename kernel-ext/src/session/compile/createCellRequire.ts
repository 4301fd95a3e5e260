import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction } from 'node:vm';
import { installRemedy, packageName } from './installRemedy.js';
import type { LocalModule } from './LocalModules.js';

/** `CompiledCell.code` gets it as its second argument. */
export interface CellRequireFunction {
  (specifier: string): unknown;
  readonly resolve: NodeJS.RequireResolve;
  readonly cache: NodeJS.Dict<NodeJS.Module>;
  /** What `import()` in a cell becomes; also loads ES modules with top-level await. */
  import(specifier: string): Promise<unknown>;
}

/** Gives the cells of a notebook their modules. */
export interface CellRequire {
  readonly require: CellRequireFunction;
  /** Takes compiled local modules; those that were loaded before, and all that import them, will be loaded anew. */
  update(modules: readonly LocalModule[]): void;
}

interface Loaded {
  readonly exports: unknown;
  readonly importers: Set<string>;
}

const KERNEL_FILE = fileURLToPath(import.meta.url);

const EXTENSIONS = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx'];

/** As TypeScript reads a path: `./helper.js` may be `helper.ts`. */
const WRITTEN_AS: Record<string, string[]> = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

/**
 * Gives a notebook's cells their modules.
 *
 * Compiled local modules come first, then what Node finds from the folder, then what lies beside the kernel: the same order
 * as that of the types. `tslab` is the package that the kernel brings.
 *
 * @param folder the notebook's folder, absolute
 */
export function createCellRequire(folder: string): CellRequire {
  const modules = new CellModules(folder);
  return { require: modules.requireFrom(join(folder, 'cell.js')), update: (changed) => modules.update(changed) };
}

class CellModules {
  private readonly sources = new Map<string, LocalModule>();
  private readonly loaded = new Map<string, Loaded>();
  private readonly jsonStamps = new Map<string, number>();
  private readonly kernelRequire: NodeJS.Require = createRequire(KERNEL_FILE);

  constructor(private readonly folder: string) {}

  requireFrom(file: string): CellRequireFunction {
    const node = createRequire(file);
    const load = (specifier: string): unknown => this.load(specifier, file, node);
    return Object.assign(load, {
      resolve: node.resolve,
      cache: node.cache,
      import: (specifier: string) => this.importFrom(`${specifier}`, file, node),
    });
  }

  update(modules: readonly LocalModule[]): void {
    for (const module of modules) {
      this.sources.set(module.path, module);
      this.unload(module.path);
    }
  }

  private unload(path: string): void {
    const known = this.loaded.get(path);
    this.loaded.delete(path);
    for (const importer of known?.importers ?? []) this.unload(importer);
  }

  private load(specifier: string, file: string, node: NodeJS.Require): unknown {
    if (specifier === 'tslab') return this.kernelRequire('tslab');
    const path = /^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier) ? resolve(dirname(file), specifier) : undefined;
    const local = path === undefined ? undefined : this.find(path);
    if (local) return this.run(local, file);
    if (path?.endsWith('.json')) this.refreshJson(path, node);
    try {
      return this.choose(specifier, file, node)(specifier);
    } catch (error) {
      throw explain(error, specifier);
    }
  }

  /**
   * The folder's `require`, or the kernel's for a package that only lies there.
   *
   * Node is not asked for a package that is in neither: it would remember that there was none after it has been installed.
   */
  private choose(specifier: string, file: string, node: NodeJS.Require): NodeJS.Require {
    const remedy = installRemedy(specifier, this.folder);
    if (remedy === undefined || isBuiltin(specifier) || process.env.NODE_PATH) return node;
    if (isInstalled(specifier, file)) return node;
    if (isInstalled(specifier, KERNEL_FILE)) return this.kernelRequire;
    throw Object.assign(new Error(`Cannot find module '${specifier}'.\n${remedy}`), { code: 'MODULE_NOT_FOUND' });
  }

  private async importFrom(specifier: string, file: string, node: NodeJS.Require): Promise<unknown> {
    try {
      return namespaceOf(this.load(specifier, file, node));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
      return import(pathToFileURL(this.choose(specifier, file, node).resolve(specifier)).href);
    }
  }

  private find(path: string): LocalModule | undefined {
    for (const base of [path, join(path, 'index')]) {
      for (const extension of EXTENSIONS) {
        const found = this.sources.get(base + extension);
        if (found) return found;
      }
    }
    const [, stem, written] = /^(.*)(\.[mc]?jsx?)$/.exec(path) ?? [];
    const meant = (WRITTEN_AS[written] ?? []).find((extension) => this.sources.has(stem + extension));
    return meant === undefined ? undefined : this.sources.get(stem + meant);
  }

  private run({ path, code }: LocalModule, importer: string): unknown {
    const known = this.loaded.get(path);
    if (known) {
      known.importers.add(importer);
      return known.exports;
    }
    const module = { exports: {} as unknown, filename: path, id: path };
    this.loaded.set(path, {
      get exports() {
        return module.exports;
      },
      importers: new Set([importer]),
    });
    try {
      const start = compileFunction(code, ['exports', 'require', 'module', '__filename', '__dirname'], { filename: path });
      start.call(module.exports, module.exports, this.requireFrom(path), module, path, dirname(path));
    } catch (error) {
      this.loaded.delete(path);
      throw error;
    }
    return module.exports;
  }

  /** Node keeps a JSON file as it first was. */
  private refreshJson(path: string, node: NodeJS.Require): void {
    const stamp = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (stamp === undefined || this.jsonStamps.get(path) === stamp) return;
    this.jsonStamps.set(path, stamp);
    delete node.cache[path];
  }
}

/** An ES module as it is; a CommonJS one with its exports under `default`, as `import()` gives it. */
function namespaceOf(exports: unknown): unknown {
  const isModule = exports !== null && typeof exports === 'object' && ('__esModule' in exports || isNamespace(exports));
  return isModule ? exports : Object.assign(Object.create(null), exports, { default: exports });
}

function isNamespace(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Module]';
}

/** Whether a folder on the way up has the package, or is the package. */
function isInstalled(specifier: string, file: string): boolean {
  const name = packageName(specifier);
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'node_modules', name)) || isPackage(folder, name)) return true;
    if (dirname(folder) === folder) return false;
  }
}

function isPackage(folder: string, name: string): boolean {
  const path = join(folder, 'package.json');
  return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { name?: string }).name === name;
}

function explain(error: unknown, specifier: string): unknown {
  if ((error as { code?: string }).code !== 'ERR_REQUIRE_ASYNC_MODULE') return error;
  const text = `'${specifier}' uses top-level await. Load it with: const module = await import('${specifier}')`;
  return Object.assign(new Error(text, { cause: error }), { code: 'ERR_REQUIRE_ASYNC_MODULE' });
}
