import type { ErrorContent } from '../shared/messages.js';
import { CompileError } from './compile/index.js';
import { errorContent, excerpt } from './traceback.js';

const MOST_SHOWN = 10;
/** TypeScript's messages with numbers below this one are about syntax. */
const FIRST_SEMANTIC = 2000;

/** What the protocol says of a cell that did not compile: every message with its place and its line. */
export function compileErrorContent(error: unknown, source: string): ErrorContent {
  if (!(error instanceof CompileError)) return errorContent(error);
  const { diagnostics } = error;
  const [first] = diagnostics;
  const ename = diagnostics.some(({ code }) => code < FIRST_SEMANTIC) ? 'SyntaxError' : 'TypeScriptError';
  const describe = ({ file, line, column, message, code }: (typeof diagnostics)[number]): string =>
    `${file === undefined ? '' : `${file}, `}line ${line}, column ${column}: ${message} (TS${code})`;
  const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : '';
  const lines = diagnostics
    .slice(0, MOST_SHOWN)
    .flatMap((diagnostic) => [describe(diagnostic), ...(diagnostic.file === undefined ? excerpt(source, diagnostic) : [])]);
  const rest = diagnostics.length > MOST_SHOWN ? [`… and ${diagnostics.length - MOST_SHOWN} more`] : [];
  return {
    ename,
    evalue: first ? `${describe(first)}${more}` : error.message,
    traceback: [`\u001b[31m${ename}\u001b[39m: nothing was run`, ...lines, ...rest],
  };
}
