import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

const KERNEL_FOLDER = dirname(fileURLToPath(import.meta.url));

/**
 * tslab's options, with the resolution of today's packages.
 *
 * `exports` of a package are followed under the conditions under which Node loads it in the kernel (`--conditions=import`).
 * Global types are those of Node only; other `@types` packages are found when the package they describe is imported.
 */
export function compilerOptions(ts: TypeScript, folder: string, tslab: TS.CompilerOptions): TS.CompilerOptions {
  return {
    ...tslab,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    customConditions: ['node', 'require', 'module-sync'],
    allowImportingTsExtensions: true,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
    typeRoots: [...typeFolders(folder), ...typeFolders(KERNEL_FOLDER), ...(tslab.typeRoots ?? [])],
    checkJs: false,
    // A cell is compiled as a module of its own, where top-level await is allowed.
    disableTopLevelAwait: false,
    inlineSourceMap: true,
  };
}

function typeFolders(folder: string): string[] {
  const up = dirname(folder);
  return [join(folder, 'node_modules', '@types'), ...(up === folder ? [] : typeFolders(up))];
}
