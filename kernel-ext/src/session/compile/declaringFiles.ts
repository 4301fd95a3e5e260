import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

/** The files in which the name at a node is declared, and those of the classes and interfaces that its docs may come from. */
export function declaringFiles(ts: TypeScript, program: TS.Program, node: TS.Node): string[] {
  const checker = program.getTypeChecker();
  const files = new Set<string>();
  const seen = new Set<TS.Symbol>();
  const add = (symbol: TS.Symbol | undefined): void => {
    if (!symbol || seen.has(symbol)) return;
    seen.add(symbol);
    for (const declaration of symbol.declarations ?? []) {
      files.add(declaration.getSourceFile().fileName);
      if (ts.isClassElement(declaration) || ts.isTypeElement(declaration)) addBases(declaration.parent);
    }
    if (symbol.flags & ts.SymbolFlags.Alias) add(checker.getAliasedSymbol(symbol));
  };
  const addBases = (parent: TS.Node): void => {
    if (!ts.isClassLike(parent) && !ts.isInterfaceDeclaration(parent)) return;
    for (const clause of parent.heritageClauses ?? []) {
      for (const { expression } of clause.types) {
        const base = checker.getTypeAtLocation(expression).symbol as TS.Symbol | undefined;
        if (!base || seen.has(base)) continue;
        seen.add(base);
        for (const declaration of base.declarations ?? []) {
          files.add(declaration.getSourceFile().fileName);
          addBases(declaration);
        }
      }
    }
  };
  add(checker.getSymbolAtLocation(node));
  return [...files];
}
