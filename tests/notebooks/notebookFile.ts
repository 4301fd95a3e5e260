import { readFileSync } from 'node:fs';

export interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly text?: string | string[];
  readonly data?: Readonly<Record<string, unknown>>;
  readonly ename?: string;
}

export interface Cell {
  readonly cell_type: string;
  readonly source: string | string[];
  readonly outputs?: readonly Output[];
}

/** A notebook as it lies in its file. */
export interface Notebook {
  readonly cells: readonly Cell[];
  readonly metadata: { readonly kernelspec: Readonly<Record<string, string>> };
}

/** A text that a notebook's file may hold as lines. */
export function whole(text: unknown): string {
  return Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';
}

export function readNotebook(path: string): Notebook {
  return JSON.parse(readFileSync(path, 'utf8')) as Notebook;
}

export function outputsOf({ cells }: Notebook): Output[] {
  return cells.flatMap((cell) => cell.outputs ?? []);
}

/** All that the cells print. */
export function printed(notebook: Notebook): string {
  return outputsOf(notebook)
    .map(({ text }) => whole(text))
    .join('');
}

/** The library's progress bars appear only where the machine takes its time. */
const isBar = ({ data }: Output): boolean => whole(data?.['text/html']).includes('<progress');

/** What each cell shows: its streams by name, its other outputs by their richest type; without progress bars. */
export function kindsOf({ cells }: Notebook): string[][] {
  return cells.map(({ outputs = [] }) => {
    const kinds = outputs.filter((output) => !isBar(output)).map(kindOf);
    return [...new Set(kinds)];
  });
}

export function kindOf({ output_type: type, name, data }: Output): string {
  return name ?? Object.keys(data ?? {})[0] ?? type;
}
