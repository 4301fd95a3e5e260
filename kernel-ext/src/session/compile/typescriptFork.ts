import type * as ts from '@tslab/typescript-for-tslab';

/** What the compiler's services need to look at folders for paths in import strings. */
export type CompletionHost = Pick<
  ts.System,
  'fileExists' | 'readFile' | 'directoryExists' | 'getDirectories' | 'readDirectory' | 'getCurrentDirectory'
> & {
  getCompilationSettings(): ts.CompilerOptions;
  useCaseSensitiveFileNames(): boolean;
};

/** A completion with the symbol it stands for. */
export type CompletionEntryWithSymbol = ts.CompletionEntry & { symbol?: ts.Symbol };

/** Parts of TypeScript 5.0 that its declarations leave out and that tslab or this kernel calls. */
interface Internals {
  bindSourceFile(file: ts.SourceFile, options: ts.CompilerOptions): void;
  isExpressionNode(node: ts.Node): boolean;
  getPreEmitDiagnosticsOfFiles(program: ts.Program, files: readonly ts.SourceFile[]): ts.Diagnostic[];
  getTouchingPropertyName(file: ts.SourceFile, position: number): ts.Node;
  Completions: {
    getCompletionsAtPosition(
      host: CompletionHost,
      program: ts.Program,
      log: () => void,
      file: ts.SourceFile,
      position: number,
      preferences: ts.UserPreferences,
      triggerCharacter: undefined,
      kind: ts.CompletionTriggerKind | undefined,
      cancellation: ts.CancellationToken,
      formatContext: undefined,
      includeSymbol: boolean,
    ): ts.CompletionInfo | undefined;
  };
}

/** The TypeScript 5.0 that tslab brings, internals included. */
export type TypeScript = typeof ts & Internals;

/** A parsed file after binding: `locals` holds what it declares at its top level. */
export type BoundSourceFile = ts.SourceFile & {
  locals?: Map<string, ts.Symbol>;
  parseDiagnostics: ts.DiagnosticWithLocation[];
};
