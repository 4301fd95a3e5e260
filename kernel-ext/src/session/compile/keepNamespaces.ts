import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

/**
 * Namespaces and aliases that earlier cells left and this one does not declare again, and their `declare global`, as text.
 *
 * tslab carries on all other kinds by itself.
 * @param text declarations that earlier cells left
 * @param locals what this cell declares
 */
export function keepNamespaces(ts: TypeScript, text: string, locals: ReadonlyMap<string, TS.Symbol>): string {
  if (!/\b(?:namespace|global|module)\b|\bimport \w+ =/.test(text)) return '';
  const file = ts.createSourceFile('earlier.d.ts', text, ts.ScriptTarget.ES2022, false);
  return file.statements
    .filter(
      (statement): statement is TS.ModuleDeclaration | TS.ImportEqualsDeclaration =>
        ts.isModuleDeclaration(statement) || ts.isImportEqualsDeclaration(statement),
    )
    .filter(({ name }) => !locals.has(ts.escapeLeadingUnderscores(name.text) as string))
    .map((statement) => `${statement.getFullText(file).trim()}\n`)
    .join('');
}
