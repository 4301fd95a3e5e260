import { stripVTControlCharacters } from 'node:util';
import { escapeHtml } from './escapeHtml.js';
import { formatColumn, formatCount } from './formatNumber.js';
import { cutText, inspectLine } from './inspectText.js';
import type { MimeBundle } from './types.js';

/** What is used of a danfojs DataFrame or Series, of whatever copy of danfojs. */
export interface TableLike {
  readonly $isSeries: boolean;
  readonly index: readonly (string | number)[];
  readonly columns: readonly string[];
  readonly dtypes: readonly string[];
  readonly shape: readonly number[];
  readonly values: readonly unknown[] | readonly (readonly unknown[])[];
}

const MOST_ROWS = 60;
const MOST_COLUMNS = 20;
/** Of more than `MOST_ROWS` so many are shown at the start and at the end; of columns likewise. */
const END_ROWS = 10;
const END_COLUMNS = 10;
const LONGEST_CELL = 200;
const LONGEST_TEXT_CELL = 40;
const GAP = '…';

/** Whether a value is a DataFrame or a Series of danfojs. */
export function isTable(value: object): value is TableLike {
  const table = value as Partial<TableLike>;
  return (
    typeof table.$isSeries === 'boolean' &&
    Array.isArray(table.index) &&
    Array.isArray(table.columns) &&
    Array.isArray(table.dtypes) &&
    Array.isArray(table.shape) &&
    Array.isArray(table.values)
  );
}

/** One column as it is shown. */
interface Column {
  readonly name: string;
  readonly dtype: string;
  readonly isNumber: boolean;
  readonly cells: readonly string[];
}

/** What is shown of a table. */
interface Excerpt {
  readonly index: readonly string[];
  readonly columns: readonly Column[];
  /** Where something is left out: before this row, this column. */
  readonly rowGap: number | undefined;
  readonly columnGap: number | undefined;
  readonly footer: string;
}

/**
 * A danfojs DataFrame or Series as an HTML table and as text: up to 60 rows and 20 columns, of more the first and the last
 * ten. Everything is escaped.
 */
export function renderTable(table: TableLike): MimeBundle {
  const excerpt = excerptOf(table);
  return { data: { 'text/plain': textOf(excerpt), 'text/html': htmlOf(excerpt) } };
}

function excerptOf(table: TableLike): Excerpt {
  const { $isSeries: isSeries, index, columns, dtypes, values } = table;
  const rows = values.length;
  const names = rows === 0 && columns.length === 0 ? [] : columns;
  const shownRows = ends(rows, MOST_ROWS, END_ROWS);
  const shownColumns = ends(isSeries ? 1 : names.length, MOST_COLUMNS, END_COLUMNS);
  const cell = (row: number, column: number) =>
    isSeries ? values[row] : (values[row] as readonly unknown[] | undefined)?.[column];
  const shape = isSeries ? `${formatCount(rows)} values` : `${formatCount(rows)} rows × ${formatCount(names.length)} columns`;
  return {
    index: shownRows.map((row) => oneLine(index[row])),
    columns: shownColumns.map((column) =>
      columnOf(
        String(names[column] ?? ''),
        String(dtypes[column] ?? ''),
        shownRows.map((row) => cell(row, column)),
      ),
    ),
    rowGap: shownRows.length < rows ? END_ROWS : undefined,
    columnGap: shownColumns.length < names.length && !isSeries ? END_COLUMNS : undefined,
    footer: isSeries && dtypes.length > 0 ? `${shape}, ${oneLine(dtypes[0])}` : shape,
  };
}

/** The numbers from 0 below `count`, or the first and the last ones. */
function ends(count: number, most: number, end: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, k) => k);
  return [...Array.from({ length: end }, (_, k) => k), ...Array.from({ length: end }, (_, k) => count - end + k)];
}

function columnOf(name: string, dtype: string, values: readonly unknown[]): Column {
  const isNumber = values.some((value) => typeof value === 'number') && values.every(isNumberOrMissing);
  return { name: oneLine(name), dtype: oneLine(dtype), isNumber, cells: isNumber ? formatColumn(values) : values.map(oneLine) };
}

function isNumberOrMissing(value: unknown): boolean {
  return typeof value === 'number' || value === null || value === undefined;
}

/** A cell's value without line breaks and control characters. */
function oneLine(value: unknown): string {
  if (value instanceof Date && Number.isFinite(value.getTime())) return value.toISOString();
  const text = typeof value === 'string' ? value : inspectLine(value);
  return stripVTControlCharacters(cutCell(text, 2 * LONGEST_CELL))
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replace(/\p{Cc}/gu, ' ');
}

function cutCell(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}

function htmlOf({ index, columns, rowGap, columnGap, footer }: Excerpt): string {
  const align = (column: Column) => ` style="text-align:${column.isNumber ? 'right' : 'left'}"`;
  const heads = columns.map((column) => {
    const title = column.dtype === '' ? '' : ` title="${escapeHtml(column.dtype)}"`;
    return `<th scope="col"${title}${align(column)}>${escapeHtml(cutCell(column.name, LONGEST_CELL))}</th>`;
  });
  const gapCell = '<td>…</td>';
  const rows = index.map((name, row) => {
    const cells = columns.map((column) => `<td${align(column)}>${escapeHtml(cutCell(column.cells[row], LONGEST_CELL))}</td>`);
    return `<tr><th scope="row">${escapeHtml(cutCell(name, LONGEST_CELL))}</th>${withGap(cells, columnGap, gapCell).join('')}</tr>`;
  });
  const width = columns.length + (columnGap === undefined ? 0 : 1);
  const body = withGap(rows, rowGap, `<tr><th scope="row">…</th>${gapCell.repeat(width)}</tr>`);
  const head = `<thead><tr><th></th>${withGap(heads, columnGap, '<th>…</th>').join('')}</tr></thead>`;
  return `<table class="dataframe">${head}<tbody>${body.join('')}</tbody></table><div><small>${escapeHtml(footer)}</small></div>`;
}

function textOf({ index, columns, rowGap, columnGap, footer }: Excerpt): string {
  const cut = (text: string) => cutCell(text, LONGEST_TEXT_CELL);
  const left = [{ cells: withGap(['', ...index.map(cut)], shiftGap(rowGap), GAP), isNumber: false }];
  const others = columns.map((column) => ({
    cells: withGap([cut(column.name), ...column.cells.map(cut)], shiftGap(rowGap), GAP),
    isNumber: column.isNumber,
  }));
  const gap = { cells: left[0].cells.map(() => GAP), isNumber: false };
  const all = [...left, ...withGap(others, columnGap, gap)];
  const widths = all.map(({ cells }) => Math.max(...cells.map((text) => text.length)));
  const lines = left[0].cells.map((_, row) =>
    all
      .map(({ cells, isNumber }, k) => (isNumber ? cells[row].padStart(widths[k]) : cells[row].padEnd(widths[k])))
      .join('  ')
      .trimEnd(),
  );
  return cutText([...lines, footer].join('\n'));
}

function shiftGap(gap: number | undefined): number | undefined {
  return gap === undefined ? undefined : gap + 1;
}

function withGap<T>(items: readonly T[], gap: number | undefined, filler: T): T[] {
  return gap === undefined ? [...items] : [...items.slice(0, gap), filler, ...items.slice(gap)];
}
