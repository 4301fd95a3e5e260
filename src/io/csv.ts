import { readFile } from 'node:fs/promises';
import { DataFormatError, ShapeError } from '../errors.js';
import { readingFrom } from './fileAccess.js';
import { writeFileAtomic } from './writeFileAtomic.js';

/** Columns of a table by their names, all of one length. */
export type CsvColumns = Readonly<Record<string, ArrayLike<number | string>>>;

type Danfo = typeof import('danfojs-node');

/**
 * danfojs is loaded with the first table: it takes a second, and warns of what its own dependencies use. It comes with
 * tfjs-node, so it cannot be had where the portable backend computes; then undefined.
 */
export async function loadDanfo(): Promise<Danfo | undefined> {
  const { backendInfo } = await import('../backend/index.js'); // starts TensorFlow first, and quietly
  if (backendInfo.name !== 'tensorflow') return undefined;
  const flags = process as { noDeprecation?: boolean };
  const { noDeprecation = false } = flags;
  flags.noDeprecation = true;
  try {
    const module = await import('danfojs-node');
    return (module as unknown as { default?: Danfo }).default ?? module;
  } finally {
    flags.noDeprecation = noDeprecation;
  }
}

/** A text that a comma, a quote or a line break would tear apart goes into quotes. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Writes a table as CSV with a header row, through a danfojs DataFrame, atomically. NaN is written `NaN`, infinity
 * `inf`, so that pandas, danfojs and spreadsheets read them.
 *
 * @param columns one array a column, in the order in which they are written.
 * @throws ShapeError where the columns differ in length.
 * @throws OutputError where the file cannot be written.
 */
export async function writeCsv(path: string, columns: CsvColumns): Promise<void> {
  const names = Object.keys(columns);
  const rows = names.length === 0 ? 0 : columns[names[0]].length;
  for (const name of names) {
    if (columns[name].length !== rows) {
      throw new ShapeError(
        `writeCsv(): 'columns' must all hold ${rows} values as '${names[0]}' does, got ${columns[name].length} in '${name}'`,
      );
    }
  }
  const header = names.map(quoted);
  const cells = Array.from({ length: rows }, (_, r) => names.map((name) => cellText(columns[name][r])));
  const danfo = rows === 0 ? undefined : await loadDanfo();
  if (danfo === undefined) return writeFileAtomic(path, [header, ...cells].map((row) => `${row.join(',')}\n`).join(''));
  // the texts are made here: danfojs neither quotes nor spells infinity as others do
  const frame = new danfo.DataFrame(cells, { columns: header, dtypes: names.map(() => 'string') });
  await writeFileAtomic(path, danfo.toCSV(frame) as unknown as string);
}

function cellText(value: number | string): string {
  if (typeof value === 'string') return quoted(value);
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

const SPECIAL_NUMBERS: Readonly<Record<string, number>> = {
  '': Number.NaN,
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  '-infinity': Number.NEGATIVE_INFINITY,
};

/** A cell as a number; undefined where it is a text. An empty cell is NaN. */
function cellNumber(text: string): number | undefined {
  const key = text.trim().toLowerCase();
  if (key in SPECIAL_NUMBERS) return SPECIAL_NUMBERS[key];
  const value = Number(key);
  return Number.isNaN(value) ? undefined : value;
}

/**
 * Reads a CSV file with a header row: a column of numbers (with `NaN`, `inf` or empty cells) as Float64Array, any other
 * as texts. Cells may be quoted.
 *
 * @throws DataFormatError where the file is missing, or a row has another number of cells than the header, with the byte.
 */
export async function readCsv(path: string): Promise<Record<string, Float64Array | string[]>> {
  const text = await readingFrom(path, () => readFile(path, 'utf8'));
  const [header, ...rows] = parseRows(text);
  if (header === undefined) throw new DataFormatError('the table is empty: it must have a header row', { path, offset: 0 });
  const bad = rows.find((row) => row.cells.length !== header.cells.length);
  if (bad !== undefined) {
    throw new DataFormatError(
      `a row must have ${header.cells.length} cells as the header has, got ${bad.cells.length} in row ${rows.indexOf(bad) + 1}`,
      { path, offset: Buffer.byteLength(text.slice(0, bad.start)) },
    );
  }
  const columns: Record<string, Float64Array | string[]> = {};
  for (const [c, name] of header.cells.entries()) {
    const numbers = rows.map(({ cells }) => cellNumber(cells[c]));
    columns[name] = numbers.every((value) => value !== undefined)
      ? Float64Array.from(numbers)
      : rows.map(({ cells }) => cells[c]);
  }
  return columns;
}

/** The rows of a CSV text, each with the index at which it starts. Empty lines are left out. */
function parseRows(text: string): { start: number; cells: string[] }[] {
  const rows: { start: number; cells: string[] }[] = [];
  let start = text.startsWith('\ufeff') ? 1 : 0;
  let cells: string[] = [];
  // a cell, quoted or not, and what ends it
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  for (cell.lastIndex = start; cell.lastIndex < text.length || cells.length > 0; ) {
    const match = cell.exec(text);
    if (match === null) return [...rows, { start, cells: [] }];
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2]);
    if (match[3] === ',') continue;
    if (cells.length > 1 || cells[0] !== '') rows.push({ start, cells });
    start = cell.lastIndex;
    cells = [];
    if (match[3] === '') break;
  }
  return rows;
}
