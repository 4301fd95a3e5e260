/** One mistake that the compiler found; lines and columns count from 1. */
export interface CellDiagnostic {
  /** Path of the local module that holds it, relative to the notebook's folder; absent for the cell itself. */
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** The whole chain of messages, one a line, inner ones indented. */
  readonly message: string;
  /** TypeScript's number of the message, as in TS2322. */
  readonly code: number;
}

/** Thrown before anything of a cell has run: its TypeScript is wrong. */
export class CompileError extends Error {
  override readonly name: 'CompileError' = 'CompileError';
  readonly diagnostics: readonly CellDiagnostic[];

  constructor(diagnostics: readonly CellDiagnostic[], options?: ErrorOptions) {
    super(diagnostics.map(describe).join('\n'), options);
    this.diagnostics = diagnostics;
  }
}

function describe({ file, line, column, message }: CellDiagnostic): string {
  return `${file ? `${file}:` : ''}${line}:${column} - ${message}`;
}
