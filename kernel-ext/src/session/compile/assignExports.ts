import type * as TS from '@tslab/typescript-for-tslab';
import type { TypeScript } from './typescriptFork.js';

/**
 * Lets the CommonJS code of a cell assign to `exports` only, so that a plain object will do there.
 *
 * TypeScript defines imported names as properties without a setter, which a later cell could not declare again; it sets
 * all names to `undefined` first, which would lose earlier values when the cell fails; and it marks `exports` as a module.
 */
export function assignExports(ts: TypeScript): TS.TransformerFactory<TS.SourceFile> {
  return () => (file) => {
    const statements = file.statements.flatMap((statement) => {
      if (!ts.isExpressionStatement(statement)) return [statement];
      if (isReset(ts, statement.expression)) return [];
      const definition = definedExport(ts, statement.expression);
      if (!definition) return [statement];
      if (!definition.value) return [];
      const target = ts.factory.createPropertyAccessExpression(ts.factory.createIdentifier('exports'), definition.name);
      return [ts.factory.createExpressionStatement(ts.factory.createAssignment(target, definition.value))];
    });
    return ts.factory.updateSourceFile(file, statements);
  };
}

/** `exports.a = exports.b = void 0`, which only the compiler writes: the user's code has a position in the source. */
function isReset(ts: TypeScript, node: TS.Expression): boolean {
  if (node.pos >= 0 || !ts.isBinaryExpression(node) || !ts.isPropertyAccessExpression(node.left)) return false;
  const { expression } = node.left;
  if (!ts.isIdentifier(expression) || expression.text !== 'exports') return false;
  return isReset(ts, node.right) || (ts.isVoidExpression(node.right) && node.right.pos < 0);
}

/** The parts of `Object.defineProperty(exports, "name", { get: function () { return value; } })`. */
function definedExport(ts: TypeScript, node: TS.Expression): { name: string; value: TS.Expression | undefined } | undefined {
  if (node.pos >= 0 || !ts.isCallExpression(node) || node.arguments.length !== 3) return undefined;
  const [target, name, attributes] = node.arguments;
  if (!ts.isIdentifier(target) || target.text !== 'exports' || !ts.isStringLiteral(name)) return undefined;
  if (!ts.isObjectLiteralExpression(attributes)) return undefined;
  if (name.text === '__esModule') return { name: name.text, value: undefined };
  for (const property of attributes.properties) {
    if (!ts.isPropertyAssignment(property) || !ts.isFunctionExpression(property.initializer)) continue;
    const [result] = property.initializer.body.statements;
    if (result && ts.isReturnStatement(result)) return { name: name.text, value: result.expression };
  }
  return undefined;
}
