import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

/**
 * Declarations of namespaces that earlier cells left and this one does not declare again, as text.
 *
 * tslab carries on all other kinds by itself.
 * @param text declarations that earlier cells left
 * @param locals what this cell declares
 */
export function keepNamespaces(ts: TypeScript, text: string, locals: ReadonlyMap<string, TS.Symbol>): string {
  if (!/\bnamespace\b/.test(text)) return '';
  const file = ts.createSourceFile('earlier.d.ts', text, ts.ScriptTarget.ES2022, false);
  return file.statements
    .filter((statement): statement is TS.ModuleDeclaration => ts.isModuleDeclaration(statement))
    .filter(({ name }) => ts.isIdentifier(name) && !locals.has(name.text))
    .map((statement) => `${statement.getFullText(file).trim()}\n`)
    .join('');
}
