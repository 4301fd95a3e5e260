import type * as TS from '@tslab/typescript-for-tslab';
import { withoutAttributes } from './patchDeclarations.js';
import type { BoundSourceFile, TypeScript } from './typescriptFork.js';

/** What a look at the syntax of a cell or local module tells. */
export interface PreparedSource {
  /** The source, of the same length, without the `export` of its top level: everything there is known to later cells. */
  readonly text: string;
  readonly isAsync: boolean;
  /** Whether a `// @ts-nocheck` stands before the first statement. */
  readonly unchecked: boolean;
  /** Specifiers of imports, `import()` and `require()` that begin with a dot. */
  readonly localImports: readonly string[];
  /** Names of packages and files that are imported, all of them. */
  readonly imports: readonly string[];
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Makes a file with top-level await a module, as tslab's own prefix does. */
export const MODULE_PREFIX = 'export {};\n';

/** Parses a cell and finds what the later steps need to know. */
export function prepareCell(ts: TypeScript, written: string): PreparedSource {
  const source = withoutAttributes(written);
  const file = parseModule(ts, source);
  const edits: Edit[] = [];
  for (const statement of file.statements.slice(1)) editExport(ts, file, statement, edits);
  const found = survey(ts, file);
  return { ...found, text: applyEdits(source, edits), unchecked: isUnchecked(source) };
}

/** Parses a source as a module; positions are shifted by `MODULE_PREFIX`. */
export function parseModule(ts: TypeScript, source: string): BoundSourceFile {
  return ts.createSourceFile('cell.ts', MODULE_PREFIX + source, ts.ScriptTarget.ES2022, true) as BoundSourceFile;
}

function isUnchecked(source: string): boolean {
  const leading = /^(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(source)![0];
  return /^\s*(?:\/\/|\/\*)\s*@ts-nocheck\b/m.test(leading);
}

function applyEdits(source: string, edits: readonly Edit[]): string {
  let text = source;
  for (const { start, end, text: replacement } of edits) {
    const from = start - MODULE_PREFIX.length;
    const to = end - MODULE_PREFIX.length;
    text = text.slice(0, from) + replacement + blank(text.slice(from + replacement.length, to)) + text.slice(to);
  }
  return text;
}

/** Spaces in place of a text, with its line ends. */
function blank(text: string): string {
  return text.replace(/[^\r\n]/g, ' ');
}

/** Everything at the top of a cell is exported by itself; what says so again must go, or it would clash. */
function editExport(ts: TypeScript, file: TS.SourceFile, statement: TS.Statement, edits: Edit[]): void {
  const start = statement.getStart(file);
  if (ts.isExportDeclaration(statement)) {
    const { moduleSpecifier, exportClause } = statement;
    if (!moduleSpecifier) edits.push({ start, end: statement.end, text: '' });
    else if (exportClause) edits.push({ start, end: start + 'export'.length, text: 'import' });
    else edits.push({ start, end: moduleSpecifier.getStart(file), text: 'import' });
    return;
  }
  if (ts.isExportAssignment(statement)) {
    if (!statement.isExportEquals) edits.push({ start, end: statement.expression.getStart(file), text: '' });
    return;
  }
  if (ts.isImportEqualsDeclaration(statement) && ts.isExternalModuleReference(statement.moduleReference)) {
    const specifier = statement.moduleReference.expression;
    const text = `import * as ${statement.name.text} from ${specifier.getText(file)}`;
    const end = statement.moduleReference.end;
    if (text.length <= end - start) edits.push({ start, end, text });
    return;
  }
  editModifiers(ts, file, statement, edits);
}

function editModifiers(ts: TypeScript, file: TS.SourceFile, statement: TS.Statement, edits: Edit[]): void {
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  const marked = modifiers.filter(({ kind }) => kind === ts.SyntaxKind.ExportKeyword || kind === ts.SyntaxKind.DefaultKeyword);
  if (marked.length === 0) return;
  const named = !(ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) || statement.name !== undefined;
  const start = marked[0].getStart(file);
  // A function or class without a name can only stand in an expression.
  edits.push({ start, end: marked[marked.length - 1].end, text: named ? '' : 'void' });
}

function survey(ts: TypeScript, file: TS.SourceFile): Pick<PreparedSource, 'isAsync' | 'localImports' | 'imports'> {
  const imports = new Set<string>();
  let isAsync = false;
  const visit = (node: TS.Node, inFunction: boolean): void => {
    if (!inFunction && (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier))) isAsync = true;
    const specifier = specifierOf(ts, node);
    if (specifier !== undefined) imports.add(specifier);
    const inner = inFunction || (ts.isFunctionLike(node) && !ts.isTypeNode(node)) || ts.isClassStaticBlockDeclaration(node);
    ts.forEachChild(node, (child) => visit(child, isInner(ts, node, child, inFunction, inner)));
  };
  visit(file, false);
  const all = [...imports];
  return { isAsync, imports: all, localImports: all.filter((name) => /^\.{0,2}\//.test(name) || /^\.{1,2}$/.test(name)) };
}

/** Field initializers run like functions; computed names and decorators run where the class stands. */
function isInner(ts: TypeScript, node: TS.Node, child: TS.Node, outer: boolean, inner: boolean): boolean {
  if (ts.isPropertyDeclaration(node)) return outer || child === node.initializer;
  if (ts.isComputedPropertyName(child) || ts.isDecorator(child)) return outer;
  return inner;
}

function specifierOf(ts: TypeScript, node: TS.Node): string | undefined {
  if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
    return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  }
  if (!ts.isCallExpression(node) || node.arguments.length === 0) return undefined;
  const [argument] = node.arguments;
  const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require';
  return (isImport || isRequire) && ts.isStringLiteralLike(argument) ? argument.text : undefined;
}
