import { relative } from 'node:path';
import type * as TS from '@tslab/typescript-for-tslab';
import { type CellDiagnostic, CompileError } from './CompileError.js';
import { installRemedy } from './installRemedy.js';
import type { LocalModule } from './LocalModules.js';
import { plainTypes } from './plainTypes.js';
import { MODULE_PREFIX } from './prepareCell.js';
import type { BoundSourceFile, TypeScript } from './typescriptFork.js';

interface Checked {
  readonly ts: TypeScript;
  readonly program: TS.Program;
  /** The cell, behind tslab's prefix. */
  readonly source: BoundSourceFile;
  /** Length of the user's text in it. */
  readonly length: number;
  readonly folder: string;
  readonly modules: readonly { module: LocalModule; isAsync: boolean }[];
  readonly check: boolean;
}

const PREFIX_LINES = MODULE_PREFIX.split('\n').length - 1;

/** "Cannot find module", with and without a remark on declarations. */
const NOT_FOUND = new Set([2307, 2732, 2792]);

/** "Not under rootDir": that is where the compiler would write a file, and it writes none. */
const ABOUT_OUTPUT = 6059;

/**
 * Looks for mistakes in a cell and the local modules that it imports.
 *
 * Types that cannot be named in a declaration file are none: a notebook publishes nothing.
 * @throws CompileError with all of them, in the order of the text
 */
export function collectDiagnostics(checked: Checked): void {
  const { program, source, modules, check } = checked;
  const files = [source, ...modules.map(({ module }) => program.getSourceFile(module.path)).filter((file) => file !== undefined)];
  const found: CellDiagnostic[] = modules.filter(({ isAsync }) => isAsync).map(({ module }) => awaitInModule(checked, module));
  for (const file of files) {
    const syntax = program.getSyntacticDiagnostics(file);
    // Where the syntax is wrong the checker's messages only follow from it.
    const all = syntax.length > 0 || !check ? syntax : program.getSemanticDiagnostics(file);
    const { Error: error } = checked.ts.DiagnosticCategory;
    const errors = all.filter(({ category, code }) => category === error && code !== ABOUT_OUTPUT);
    found.push(...errors.map((diagnostic) => describe(checked, diagnostic)));
  }
  if (found.length === 0) found.push(...takenNames(checked));
  if (found.length > 0) throw new CompileError(found);
}

function describe(
  checked: Checked,
  { file, start = 0, length = 0, messageText, code }: Omit<TS.Diagnostic, 'category'>,
): CellDiagnostic {
  const { ts, source, folder } = checked;
  const isCell = file === source;
  const last = MODULE_PREFIX.length + checked.length;
  const clip = (position: number) => (isCell ? Math.min(Math.max(position, MODULE_PREFIX.length), last) : position);
  const begin = ts.getLineAndCharacterOfPosition(file!, clip(start));
  const end = ts.getLineAndCharacterOfPosition(file!, clip(start + length));
  const shift = isCell ? 1 - PREFIX_LINES : 1;
  const text = plainTypes(ts.flattenDiagnosticMessageText(messageText, '\n'));
  return {
    ...(isCell ? {} : { file: relative(folder, file!.fileName) }),
    line: begin.line + shift,
    column: begin.character + 1,
    endLine: end.line + shift,
    endColumn: end.character + 1,
    message: NOT_FOUND.has(code) ? withRemedy(text, folder) : text,
    code,
  };
}

/** Says how to get a package that is not there. */
function withRemedy(text: string, folder: string): string {
  const name = /'([^']+)'/.exec(text)?.[1] ?? '';
  const remedy = installRemedy(name, folder);
  return remedy ? `${text}\n${remedy}` : text;
}

/** The cell's code gets `require` and `exports` from outside, under these names. */
function takenNames(checked: Checked): CellDiagnostic[] {
  return ['require', 'exports'].flatMap((name) => {
    const declaration = checked.source.locals?.get(name)?.valueDeclaration;
    if (!declaration) return [];
    const messageText = `'${name}' cannot be declared at the top level of a cell, which uses it for imports: choose another name.`;
    const start = declaration.getStart(checked.source);
    const length = declaration.end - start;
    return [describe(checked, { file: checked.source, start, length, messageText, code: 2441 })];
  });
}

function awaitInModule({ folder }: Checked, { path }: LocalModule): CellDiagnostic {
  const message = 'A local module cannot await at its top level: export an async function and await that in the cell.';
  return { file: relative(folder, path), line: 1, column: 1, endLine: 1, endColumn: 1, message, code: 1378 };
}
