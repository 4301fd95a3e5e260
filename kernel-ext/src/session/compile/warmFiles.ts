import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { WarmOptions } from './createCellCompiler.js';
import type { ProgramKeeper } from './ProgramKeeper.js';
import type { TypeScript } from './typescriptFork.js';

/** A slice lasts about so long; then others get their turn. */
const SLICE_MILLISECONDS = 8;

/**
 * Parses the library and the declarations of packages that a notebook will probably import.
 *
 * Works in slices between which the event loop runs. What is parsed stays parsed; a compilation in between only finds less of
 * it done. A package that is not there is passed over.
 *
 * @returns whether it got to the end
 */
export async function warmFiles(
  ts: TypeScript,
  keeper: ProgramKeeper,
  folder: string,
  specifiers: readonly string[],
  { isIdle, guard }: Required<WarmOptions>,
): Promise<boolean> {
  const from = join(folder, 'cell.ts');
  const packages = specifiers.map((name) => keeper.imports.resolve(name, from).resolvedModule?.resolvedFileName);
  const waiting = [...keeper.baseFiles(), ...packages.filter((name) => name !== undefined)];
  const seen = new Set(waiting);
  let sliceEnd = performance.now() + SLICE_MILLISECONDS;
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (performance.now() > sliceEnd) {
      await setImmediate();
      sliceEnd = performance.now() + SLICE_MILLISECONDS;
    }
    if (!isIdle()) return false;
    const file = name;
    guard(() => {
      for (const next of references(ts, keeper, file)) {
        if (!seen.has(next)) waiting.push(next);
        seen.add(next);
      }
    });
  }
  return true;
}

/** Parses a file and names those that it imports or refers to. */
function references(ts: TypeScript, keeper: ProgramKeeper, name: string): string[] {
  const file = keeper.prepare(name);
  if (!file) return [];
  const info = ts.preProcessFile(file.text, true, false);
  const modules = info.importedFiles.map(
    ({ fileName }) => keeper.imports.resolve(fileName, name).resolvedModule?.resolvedFileName,
  );
  const paths = info.referencedFiles.map(({ fileName }) => join(name, '..', fileName));
  const libraries = info.libReferenceDirectives.map(({ fileName }) => keeper.libraryFile(fileName));
  return [...modules, ...paths, ...libraries].filter((path): path is string => path !== undefined && /\.d\.[mc]?ts$/.test(path));
}
