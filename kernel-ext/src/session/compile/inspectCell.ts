import type * as TS from '@tslab/typescript-for-tslab';
import type { CellCompilation } from './CellCompilation.js';
import { plainTypes } from './plainTypes.js';

/** What is known about a name. */
export interface Inspection {
  /** Its declaration on one line, as editors show it. */
  readonly signature: string;
  /** Its doc comment as Markdown; empty where there is none. */
  readonly documentation: string;
}

const WORD_BEFORE = /[\p{ID_Continue}$]$/u;
const WORD_AFTER = /^[\p{ID_Continue}$]/u;

/** Describes the name at a place or just before it; between the parentheses of a call, the function that is called. */
export function inspectCell(cells: CellCompilation, source: string, offset: number): Inspection | undefined {
  for (const place of places(cells, source, offset)) {
    const info = cells.quickInfo(source, place);
    if (info && isKnown(info)) return describe(info);
  }
  return undefined;
}

function places(cells: CellCompilation, source: string, offset: number): number[] {
  const inWord = WORD_AFTER.test(source.slice(offset));
  const afterWord = WORD_BEFORE.test(source.slice(0, offset));
  const word = inWord ? [offset] : afterWord ? [offset - 1] : [];
  const callee = calledAt(cells, source, offset);
  return callee === undefined ? word : [...word, callee];
}

/** The last character of the function's name in whose parentheses the place lies. */
function calledAt(cells: CellCompilation, source: string, offset: number): number | undefined {
  const { ts } = cells.tslab;
  const file = ts.createSourceFile('cell.ts', source, ts.ScriptTarget.ES2022, true);
  let found: number | undefined;
  // White space before the place belongs to no node while the parenthesis is open.
  const last = source.slice(0, offset).trimEnd().length;
  const visit = (node: TS.Node): void => {
    if (node.pos > offset || node.end < last) return;
    if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && node.arguments) {
      const open = node.arguments.pos;
      const isClosed = source[node.end - 1] === ')';
      if (open <= offset && (offset < node.end || (!isClosed && last <= node.end))) found = node.expression.end - 1;
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** For a name that it does not find, TypeScript says `any` and of what kind it is not. */
function isKnown({ kind, displayParts = [] }: TS.QuickInfo): boolean {
  return displayParts.length > 0 && ((kind as string) !== '' || joinParts(displayParts) !== 'any');
}

/** An imported name is described as what it stands for. */
function withoutAlias(signature: string): string {
  return signature.replace(/^\(alias\) /, '').replace(/\n(?:import|export) [^\n]*$/, '');
}

function describe({ displayParts, documentation, tags }: TS.QuickInfo): Inspection {
  const paragraphs = [joinParts(documentation), ...tagParagraphs(tags ?? [])].filter((text) => text !== '');
  return { signature: plainTypes(withoutAlias(joinParts(displayParts))), documentation: paragraphs.join('\n\n') };
}

/** Parameters as a list, then what comes back, what is thrown, examples, and other tags under their names. */
function tagParagraphs(tags: readonly TS.JSDocTagInfo[]): string[] {
  const of = (...names: string[]) => tags.filter(({ name }) => names.includes(name));
  const parameters = of('param', 'template').map((tag) => `- ${parameterLine(tag)}`);
  const returns = of('returns', 'return').map((tag) => `**Returns** ${joinParts(tag.text)}`);
  const throws = of('throws', 'exception').map((tag) => `**Throws** ${joinParts(tag.text)}`);
  const examples = of('example').map((tag) => `**Example**\n\n${codeBlock(joinParts(tag.text))}`);
  const known = new Set(['param', 'template', 'returns', 'return', 'throws', 'exception', 'example']);
  const others = tags.filter(({ name }) => !known.has(name)).map(({ name, text }) => `**@${name}** ${joinParts(text)}`.trim());
  const list = parameters.length > 0 ? [`**Parameters**\n\n${parameters.join('\n')}`] : [];
  return [...list, ...returns, ...throws, ...examples, ...others];
}

/** TypeScript gives the parameter's name as a part of its own. */
function parameterLine({ text = [] }: TS.JSDocTagInfo): string {
  const name = text.find(({ kind }) => kind === 'parameterName' || kind === 'typeParameterName')?.text;
  if (name === undefined) return joinParts(text);
  const rest = joinParts(text.filter((part) => part.text !== name || part.kind === 'text'));
  return `\`${name}\` ${rest.replace(/^-\s*/, '')}`.trim();
}

function codeBlock(text: string): string {
  return text.includes('```') ? text : `\`\`\`ts\n${text}\n\`\`\``;
}

function joinParts(parts: readonly TS.SymbolDisplayPart[] | undefined): string {
  return (parts ?? [])
    .map(({ text }) => text)
    .join('')
    .trim();
}
