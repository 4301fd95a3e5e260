import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

/**
 * Declarations of namespaces that earlier cells left and this one does not declare again, as text.
 *
 * tslab carries on all other kinds by itself.
 * @param earlier the file of the earlier declarations, which tslab has stripped; its text is `text` behind a prefix
 */
export function keepNamespaces(
  ts: TypeScript,
  earlier: TS.SourceFile,
  text: string,
  locals: ReadonlyMap<string, TS.Symbol>,
): string {
  if (!/\bnamespace\b/.test(text)) return '';
  const file = ts.createSourceFile(earlier.fileName, text, ts.ScriptTarget.ES2022, false);
  return file.statements
    .filter((statement): statement is TS.ModuleDeclaration => ts.isModuleDeclaration(statement))
    .filter(({ name }) => ts.isIdentifier(name) && !locals.has(name.text))
    .map((statement) => `${statement.getFullText(file).trim()}\n`)
    .join('');
}
