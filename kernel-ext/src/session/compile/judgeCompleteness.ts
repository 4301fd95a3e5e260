import type * as TS from '@tslab/typescript-for-tslab';
import { parseModule } from './prepareCell.js';
import type { TypeScript } from './typescriptFork.js';

export interface Completeness {
  readonly status: 'complete' | 'incomplete' | 'invalid';
  /** White space for the next line, where more is needed. */
  readonly indent?: string;
}

const STEP = '  ';

/** Unterminated strings and regular expressions end with their line. */
const ENDS_WITH_LINE = new Set([1002, 1161]);

/**
 * Whether a console should run the input, ask for another line, or complain.
 *
 * The first mistake decides: at the very end, more input can mend it; before, nothing can. Blank lines at the end change
 * nothing. Type errors do not count.
 */
export function judgeCompleteness(ts: TypeScript, source: string): Completeness {
  const file = parseModule(ts, source);
  const [first] = file.parseDiagnostics.toSorted((a, b) => a.start - b.start);
  if (!first) return endsInHeader(ts, file) ? incomplete(ts, source) : { status: 'complete' };
  const end = file.text.trimEnd().length;
  return first.start >= end && !ENDS_WITH_LINE.has(first.code) ? incomplete(ts, source) : { status: 'invalid' };
}

/** `function f(x: number)` may be a signature of an overloaded function, but hardly as the last thing typed; `const` is no more. */
function endsInHeader(ts: TypeScript, file: TS.SourceFile): boolean {
  const last = file.statements[file.statements.length - 1];
  if (last && ts.isVariableStatement(last)) return last.declarationList.declarations.length === 0;
  if (!last || !ts.isFunctionDeclaration(last) || last.body || file.text.trimEnd().endsWith(';')) return false;
  return !last.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword);
}

function incomplete(ts: TypeScript, source: string): Completeness {
  const lines = source.trimEnd().split('\n');
  const line = lines[lines.length - 1];
  const indent = /^[ \t]*/.exec(line)![0];
  return { status: 'incomplete', indent: opensBlock(ts, line) ? indent + STEP : indent };
}

/** Whether the line opens more brackets than it closes, or ends where an expression must follow. */
function opensBlock(ts: TypeScript, line: string): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.ES2022, true, ts.LanguageVariant.Standard, line);
  let open = 0;
  let last = ts.SyntaxKind.Unknown;
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    const text = scanner.getTokenText();
    if (text === '{' || text === '(' || text === '[') open++;
    else if (text === '}' || text === ')' || text === ']') open = Math.max(0, open - 1);
    last = token;
  }
  return open > 0 || last === ts.SyntaxKind.EqualsGreaterThanToken || last === ts.SyntaxKind.EqualsToken;
}
