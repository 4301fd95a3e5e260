import { setImmediate } from 'node:timers/promises';
import type { CompiledCell } from './CellCompilation.js';
import { CellCompilation } from './CellCompilation.js';
import { type Completion, completeCell } from './completeCell.js';
import { type Inspection, inspectCell } from './inspectCell.js';
import { type Completeness, judgeCompleteness } from './judgeCompleteness.js';
import { loadTslab } from './loadTslab.js';
import { warmFiles } from './warmFiles.js';

export interface CompilerOptions {
  /** The notebook's folder, absolute: packages and local modules are looked for from here. */
  readonly folder: string;
}

export interface CompileOptions {
  /** Whether type errors count; syntax errors always do. A `// @ts-nocheck` at the top of the cell says no as well. */
  readonly check?: boolean;
}

export interface WarmOptions {
  /** Asked before each slice of a few milliseconds; false ends the work. Default: always go on. */
  readonly isIdle?: () => boolean;
  /** Each piece of the work is done inside, for example so that nothing cuts it off. */
  readonly guard?: (work: () => void) => void;
}

/** The TypeScript side of a notebook: what it knows of earlier cells lives here. */
export interface CellCompiler {
  /**
   * Compiles a cell.
   * @throws CompileError with all mistakes, in the cell and in local modules
   */
  compile(source: string, options?: CompileOptions): CompiledCell;
  /** What could be written at a place; offsets are UTF-16. */
  complete(source: string, offset: number): Completion;
  /** What is written at a place, or which function is called there. */
  inspect(source: string, offset: number): Inspection | undefined;
  isComplete(source: string): Completeness;
  /**
   * Reads library files and the declarations of packages ahead of time, in slices of a few milliseconds, and then compiles cells
   * that nobody sees: steps of a tenth of a second, after which the first real ones are fast. Resolves when done or no longer
   * idle, with whether it is done.
   */
  warm(specifiers?: readonly string[], options?: WarmOptions): Promise<boolean>;
  /** Forgets all earlier cells. */
  reset(): void;
  close(): void;
}

/**
 * A compiler for the cells of one notebook, on top of tslab's converter.
 *
 * Takes 0.2 s (TypeScript is loaded); library files are read with the first cell, or before by `warm`.
 */
export function createCellCompiler({ folder }: CompilerOptions): CellCompiler {
  const tslab = loadTslab();
  const cells = new CellCompilation(tslab, folder);
  return {
    compile: (source, { check = true } = {}) => cells.compile(source, check),
    complete: (source, offset) =>
      orNothing<Completion>(() => completeCell(cells, source, offset), { start: offset, end: offset, matches: [] }),
    inspect: (source, offset) => orNothing(() => inspectCell(cells, source, offset), undefined),
    isComplete: (source) => judgeCompleteness(tslab.ts, source),
    warm: async (specifiers = [], { isIdle = () => true, guard = (work: () => void) => work() }: WarmOptions = {}) => {
      if (!(await warmFiles(tslab.ts, cells.keeper, folder, specifiers, { isIdle, guard }))) return false;
      for (const cell of [...specifiers.map((name) => `import * as warm from '${name}'; warm`), '0']) {
        await setImmediate();
        if (!isIdle()) return false;
        guard(() => cells.rehearse(cell));
      }
      return true;
    },
    reset: () => cells.reset(),
    close: () => cells.close(),
  };
}

/** Half-written code may be too much for TypeScript; the user is in the middle of typing and wants no error then. */
function orNothing<T>(ask: () => T, nothing: T): T {
  try {
    return ask();
  } catch {
    return nothing;
  }
}
