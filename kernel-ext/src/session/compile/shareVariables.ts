import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as TS from '@tslab/typescript-for-tslab';
import type { BoundSourceFile, TypeScript } from './typescriptFork.js';

interface CellContext {
  readonly ts: TypeScript;
  readonly checker: TS.TypeChecker;
  readonly source: BoundSourceFile;
  /** The file that declares what earlier cells left. */
  readonly declarations: TS.SourceFile;
}

/**
 * Makes the cells share their variables, as a transformer that runs before TypeScript's own.
 *
 * A name of an earlier cell becomes a property of `exports`; so does a `let` or `var` of this cell, so that functions of this
 * cell see what a later cell assigns. `const`, functions and classes stay local, which is fast, and are exported as well.
 * `import()` goes through the cell's `require`, which knows where packages are; `import.meta` and `__dirname` name the
 * notebook's folder.
 */
export function shareVariables(cell: CellContext): TS.TransformerFactory<TS.SourceFile> {
  return (context) => (file) => {
    const shared = sharedStatements(cell);
    const dropped = new Set(ambientNames(cell));
    for (const names of shared.values()) for (const name of names) dropped.add(name);
    const visit = (node: TS.Node): TS.Node => replaceNode(cell, node, visit, context);
    const statements = file.statements.flatMap((statement) => {
      const visited = visit(statement) as TS.Statement;
      if (shared.has(statement)) return [exportStatement(cell, visited as TS.VariableStatement)];
      return ownExport(cell, visited, dropped);
    });
    nameLast(cell.ts, statements);
    return cell.ts.factory.updateSourceFile(file, statements);
  };
}

function replaceNode(cell: CellContext, node: TS.Node, visit: TS.Visitor, context: TS.TransformationContext): TS.Node {
  const { ts } = cell;
  if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return node;
  if (ts.isImportEqualsDeclaration(node)) return replaceAlias(cell, node);
  if (ts.isShorthandPropertyAssignment(node)) return replaceShorthand(cell, node, visit);
  if (ts.isIdentifier(node)) return replaceIdentifier(cell, node);
  if (ts.isCallExpression(node)) return replaceCall(cell, node, visit, context);
  if (ts.isTaggedTemplateExpression(node) && ts.isIdentifier(node.tag) && isEarlier(cell, node.tag)) {
    const rest = ts.visitEachChild(node, visit, context);
    return ts.factory.updateTaggedTemplateExpression(rest, unbound(ts, rest.tag), undefined, rest.template);
  }
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) {
    return importMeta(ts, node.getSourceFile().fileName);
  }
  return ts.visitEachChild(node, visit, context);
}

/** `import inner = N.inner` is a constant where N is of an earlier cell. */
function replaceAlias(cell: CellContext, node: TS.ImportEqualsDeclaration): TS.Node {
  const { ts } = cell;
  const { factory } = ts;
  if (ts.isExternalModuleReference(node.moduleReference)) return node;
  const value = aliasedValue(cell, node.moduleReference);
  if (!value) return node;
  const declaration = factory.createVariableDeclaration(node.name, undefined, undefined, value);
  return factory.createVariableStatement(undefined, factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const));
}

function aliasedValue(cell: CellContext, name: TS.EntityName): TS.Expression | undefined {
  const { ts } = cell;
  if (ts.isIdentifier(name)) return isEarlier(cell, name) ? ofExports(ts, name) : undefined;
  const left = aliasedValue(cell, name.left);
  return left && ts.factory.createPropertyAccessExpression(left, name.right.text);
}

/** `{ sigma }` is `{ sigma: exports.sigma }` where sigma is of an earlier cell; in a pattern it may have a default. */
function replaceShorthand(cell: CellContext, node: TS.ShorthandPropertyAssignment, visit: TS.Visitor): TS.Node {
  const { ts, checker } = cell;
  const symbol = checker.getShorthandAssignmentValueSymbol(node);
  const fallback = node.objectAssignmentInitializer && (ts.visitNode(node.objectAssignmentInitializer, visit) as TS.Expression);
  if (!isDeclaredEarlier(cell, symbol)) {
    return ts.factory.updateShorthandPropertyAssignment(node, node.name, fallback);
  }
  const value = ofExports(ts, node.name);
  const target = fallback ? ts.factory.createAssignment(value, fallback) : value;
  return ts.setTextRange(ts.factory.createPropertyAssignment(node.name.text, target), node);
}

function replaceIdentifier(cell: CellContext, node: TS.Identifier): TS.Node {
  const { ts } = cell;
  if (!node.parent || ts.isMetaProperty(node.parent) || !ts.isExpressionNode(node)) return node;
  if (isEarlier(cell, node)) return ofExports(ts, node);
  if (node.text !== '__dirname' && node.text !== '__filename') return node;
  if (!isAmbientGlobal(cell, node)) return node;
  const { fileName } = cell.source;
  return ts.factory.createStringLiteral(node.text === '__dirname' ? dirname(fileName) : fileName);
}

function replaceCall(cell: CellContext, node: TS.CallExpression, visit: TS.Visitor, context: TS.TransformationContext): TS.Node {
  const { ts } = cell;
  const rest = ts.visitEachChild(node, visit, context);
  if (node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const load = ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier('require'), 'import');
    return ts.factory.updateCallExpression(rest, load, undefined, rest.arguments);
  }
  if (!ts.isIdentifier(node.expression) || !isEarlier(cell, node.expression)) return rest;
  return ts.factory.updateCallExpression(rest, unbound(ts, rest.expression), undefined, rest.arguments);
}

/** `(0, exports.f)`: the function does not get `exports` as its `this`. */
function unbound(ts: TypeScript, access: TS.Expression): TS.Expression {
  const { factory } = ts;
  return factory.createParenthesizedExpression(factory.createComma(factory.createNumericLiteral(0), access));
}

function ofExports(ts: TypeScript, name: TS.Identifier): TS.Expression {
  const access = ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier('exports'), name.text);
  return ts.setTextRange(access, name);
}

function isEarlier(cell: CellContext, name: TS.Identifier): boolean {
  const { parent } = name;
  if (cell.ts.isPropertyAccessExpression(parent) && parent.name === name) return false;
  return isDeclaredEarlier(cell, cell.checker.getSymbolAtLocation(name));
}

function isDeclaredEarlier(cell: CellContext, symbol: TS.Symbol | undefined): boolean {
  return symbol?.declarations?.some((declaration) => isTopOf(cell, declaration)) ?? false;
}

/** Members of types that earlier cells declared are in the same file, but are no variables. */
function isTopOf({ ts, declarations }: CellContext, declaration: TS.Declaration): boolean {
  if (declaration.getSourceFile() !== declarations) return false;
  for (let node: TS.Node = declaration; node.parent; node = node.parent) {
    if (node.parent === declarations) return true;
    const { kind } = node.parent;
    const carries =
      kind === ts.SyntaxKind.VariableDeclarationList ||
      kind === ts.SyntaxKind.VariableStatement ||
      kind === ts.SyntaxKind.ImportClause ||
      kind === ts.SyntaxKind.NamedImports ||
      kind === ts.SyntaxKind.ImportDeclaration;
    if (!carries) return false;
  }
  return false;
}

function isAmbientGlobal({ checker, source, declarations }: CellContext, name: TS.Identifier): boolean {
  const declaration = checker.getSymbolAtLocation(name)?.declarations?.[0];
  const file = declaration?.getSourceFile();
  return file !== undefined && file !== source && file !== declarations;
}

/** `let` and `var` statements whose names are declared nowhere else. */
function sharedStatements({ ts, source }: CellContext): Map<TS.Statement, readonly string[]> {
  const shared = new Map<TS.Statement, readonly string[]>();
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement) || statement.declarationList.flags & ts.NodeFlags.Const) continue;
    if (statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DeclareKeyword)) continue;
    const names = statement.declarationList.declarations.flatMap(({ name }) => boundNames(ts, name));
    const single = names.every(
      (name) => source.locals?.get(ts.escapeLeadingUnderscores(name) as string)?.declarations?.length === 1,
    );
    if (single) shared.set(statement, names);
  }
  return shared;
}

function boundNames(ts: TypeScript, name: TS.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(ts, element.name)));
}

/** Names that exist for the type checker only (`declare const x`): there is nothing to export. */
function ambientNames({ ts, source }: CellContext): string[] {
  const isAmbient = (node: TS.Node) => (ts.getCombinedModifierFlags(node as TS.Declaration) & ts.ModifierFlags.Ambient) !== 0;
  return [...(source.locals ?? [])]
    .filter(([, symbol]) => symbol.declarations?.length && symbol.declarations.every(isAmbient))
    .map(([name]) => ts.unescapeLeadingUnderscores(name as TS.__String));
}

function exportStatement({ ts }: CellContext, statement: TS.VariableStatement): TS.Statement {
  const { factory } = ts;
  const list = statement.declarationList;
  const declarations = list.declarations.map((declaration) =>
    declaration.initializer
      ? declaration
      : factory.updateVariableDeclaration(declaration, declaration.name, undefined, undefined, factory.createVoidZero()),
  );
  return factory.updateVariableStatement(
    statement,
    [factory.createModifier(ts.SyntaxKind.ExportKeyword)],
    factory.updateVariableDeclarationList(list, declarations),
  );
}

/** tslab's own `export { … }` without the names that are exported where they stand. */
function ownExport({ ts }: CellContext, statement: TS.Statement, dropped: ReadonlySet<string>): TS.Statement[] {
  if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier) return [statement];
  const clause = statement.exportClause;
  if (!clause || !ts.isNamedExports(clause) || clause.elements.length === 0) return [statement];
  const elements = clause.elements.filter(({ name }) => !dropped.has(name.text));
  if (elements.length === clause.elements.length) return [statement];
  if (elements.length === 0) return [];
  const kept = ts.factory.updateNamedExports(clause, elements);
  return [ts.factory.updateExportDeclaration(statement, undefined, false, kept, undefined, undefined)];
}

/** A function that is a cell's value must not be named after the variable that tslab keeps it in. */
function nameLast(ts: TypeScript, statements: TS.Statement[]): void {
  const last = statements.findLastIndex((statement) => !ts.isExportDeclaration(statement));
  const statement = statements[last];
  if (!statement || !ts.isExpressionStatement(statement)) return;
  let value = statement.expression;
  while (ts.isParenthesizedExpression(value)) value = value.expression;
  const nameless = ts.isArrowFunction(value) || ((ts.isFunctionExpression(value) || ts.isClassExpression(value)) && !value.name);
  if (nameless) statements[last] = ts.factory.updateExpressionStatement(statement, unbound(ts, value));
}

/** What Node gives to ES modules, for code that becomes CommonJS. */
export function importMeta(ts: TypeScript, path: string): TS.Expression {
  const { factory } = ts;
  const text = (name: string, value: string) => factory.createPropertyAssignment(name, factory.createStringLiteral(value));
  return factory.createParenthesizedExpression(
    factory.createObjectLiteralExpression([
      text('url', pathToFileURL(path).href),
      text('filename', path),
      text('dirname', dirname(path)),
    ]),
  );
}
