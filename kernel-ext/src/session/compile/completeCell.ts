import type * as TS from '@tslab/typescript-for-tslab';
import type { CellCompilation } from './CellCompilation.js';
import { plainTypes } from './plainTypes.js';
import type { CompletionEntryWithSymbol } from './typescriptFork.js';

export interface CompletionMatch {
  readonly text: string;
  /** TypeScript's word for what it is: function, class, property, const, module … */
  readonly type: string;
  /** Its type, where there are few matches. */
  readonly signature?: string;
}

export interface Completion {
  /** The piece of the source that a match replaces, UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
  readonly matches: readonly CompletionMatch[];
}

/** Types are worked out for so many matches at most: each takes up to a millisecond. */
const SIGNATURES = 40;
const SIGNATURE_LENGTH = 160;

/** What could be written at a place, best matches first. */
export function completeCell(cells: CellCompilation, source: string, offset: number): Completion {
  const { info, entries } = cells.complete(source, offset);
  const quoted = quotedStart(cells, source, offset);
  if (quoted !== undefined) return completeText(entries, source, offset, quoted);
  const byName = new Map((entries?.entries ?? []).map((entry) => [entry.name, entry as CompletionEntryWithSymbol]));
  const all = [...new Set(info.candidates)];
  // tslab also gives names that only contain what was typed, or in another case: where nothing begins with it
  const typed = source.slice(info.start, offset);
  const beginning = all.filter((name) => name.startsWith(typed));
  const names = beginning.length > 0 ? beginning : all;
  const describe = names.length <= SIGNATURES ? signatures(cells) : () => undefined;
  const matches = names.map((text): CompletionMatch => {
    const entry = byName.get(text);
    const signature = entry?.symbol && describe(entry.symbol);
    return { text, type: kindOf(cells, entry), ...(signature ? { signature } : {}) };
  });
  return { start: info.start, end: info.end, matches };
}

/** TypeScript's word for what a name is; of a name that stands for another, what that is. */
function kindOf(cells: CellCompilation, entry: CompletionEntryWithSymbol | undefined): string {
  const { ts } = cells.tslab;
  if (entry === undefined) return ts.ScriptElementKind.unknown;
  if (!entry.symbol || (entry.symbol.flags & ts.SymbolFlags.Alias) === 0) return entry.kind;
  const { flags } = cells.keeper.current().getTypeChecker().getAliasedSymbol(entry.symbol);
  const kinds = [
    [ts.SymbolFlags.Class, ts.ScriptElementKind.classElement],
    [ts.SymbolFlags.Function, ts.ScriptElementKind.functionElement],
    [ts.SymbolFlags.Enum, ts.ScriptElementKind.enumElement],
    [ts.SymbolFlags.Variable, ts.ScriptElementKind.constElement],
    [ts.SymbolFlags.Module, ts.ScriptElementKind.moduleElement],
    [ts.SymbolFlags.Interface, ts.ScriptElementKind.interfaceElement],
    [ts.SymbolFlags.TypeAlias, ts.ScriptElementKind.typeElement],
  ] as const;
  return kinds.find(([flag]) => (flags & flag) !== 0)?.[1] ?? entry.kind;
}

/** Where the text of the string begins in which the place lies, if it lies in one. */
function quotedStart(cells: CellCompilation, source: string, offset: number): number | undefined {
  const { ts } = cells.tslab;
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
  let start: number | undefined;
  const visit = (node: TS.Node): void => {
    const begin = node.getStart(file);
    if (ts.isStringLiteralLike(node) && begin < offset && (offset < node.end || isOpen(node.getText(file)))) {
      if (offset <= node.end) start = begin + 1;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return start;
}

function isOpen(literal: string): boolean {
  return literal.length === 1 || literal[0] !== literal[literal.length - 1];
}

/** Module names, paths and the strings that a type allows; of a path the part after the last slash is replaced. */
function completeText(entries: TS.CompletionInfo | undefined, source: string, offset: number, quoted: number): Completion {
  const head = source.slice(quoted, offset);
  const matches = (text: string): CompletionMatch[] =>
    (entries?.entries ?? []).filter(({ name }) => name.startsWith(text)).map(({ name, kind }) => ({ text: name, type: kind }));
  const whole = matches(head);
  if (whole.length > 0) return { start: quoted, end: offset, matches: whole };
  const part = head.slice(head.lastIndexOf('/') + 1);
  return { start: offset - part.length, end: offset, matches: matches(part) };
}

function signatures(cells: CellCompilation): (symbol: TS.Symbol) => string | undefined {
  const { ts } = cells.tslab;
  const checker = cells.keeper.current().getTypeChecker();
  const { source } = cells.keeper.parsedCell();
  const flags = ts.TypeFormatFlags.OmitParameterModifiers | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope;
  return (symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if ((target.flags & ts.SymbolFlags.Value) === 0) return undefined;
    const type = checker.getTypeOfSymbolAtLocation(target, source);
    const text = plainTypes(checker.typeToString(type, source, flags));
    return text.length > SIGNATURE_LENGTH ? `${text.slice(0, SIGNATURE_LENGTH - 1)}…` : text;
  };
}
