import { axisTitle } from './chartChannels.js';
import { axisDecimals, decimals, keepUnits, significant, whole } from './formatNumbers.js';
import { Html, html } from './html.js';
import type { RegistrationReport, ReportValue } from './types.js';

/** Longer tables are cut, and say so. */
const MAX_ROWS = 200;

type Cell = string | Html;

interface TableOptions {
  /** Columns of sentences, which do not become narrow. */
  readonly prose?: readonly number[];
  /** Columns of numbers, aligned to the right. */
  readonly numeric?: readonly number[];
  /** Where the rest of a cut table is. */
  readonly rest?: string;
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[], options: TableOptions = {}): Html {
  const { numeric = [], prose = [], rest = '' } = options;
  const kind = (k: number) => new Html(numeric.includes(k) ? ' class="number"' : prose.includes(k) ? ' class="prose"' : '');
  const shown = rows.slice(0, MAX_ROWS);
  const cut =
    rows.length > shown.length ? html`<p class="note">The first ${whole(MAX_ROWS)} of ${whole(rows.length)}${rest}.</p>` : '';
  const header = head.length > 0 ? html`<thead><tr>${head.map((cell, k) => html`<th${kind(k)}>${cell}</th>`)}</tr></thead>` : '';
  return html`<div class="scroll"><table>${header}<tbody>${shown.map((row) => html`<tr>${row.map((cell, k) => html`<td${kind(k)}>${cell}</td>`)}</tr>\n`)}</tbody></table></div>${cut}`;
}

/** The frames that were not used, and the used ones that are doubtful, each with the reason. */
export function unusedTable(report: RegistrationReport): Html {
  const { used, reason, axis, frame, drift, sigma, weight } = report;
  const digits = axisDecimals(axis.values);
  const rows = Array.from(used).flatMap((flag, n) => {
    if (flag === 1 && reason[n] === '') return [];
    const value = decimals(axis.values[n], digits);
    const place = `${decimals(drift.rows[n], 2)}, ${decimals(drift.columns[n], 2)}`;
    const error = `${significant(sigma.rows[n], 2)}, ${significant(sigma.columns[n], 2)}`;
    const state = flag === 1 ? 'doubtful' : 'interpolated';
    return [[String(frame[n]), value, state, keepUnits(reason[n] || 'not stated'), place, error, significant(weight[n], 2)]];
  });
  if (rows.length === 0) return html`<p>Every frame was used, and none is doubtful.</p>`;
  const head = ['frame', axisTitle(axis), 'drift is', 'reason', 'drift (px): row, column', 'standard error (px)', 'weight'];
  return table(head, rows, { numeric: [0, 1, 4, 5, 6], prose: [3], rest: '; drift.csv has all of them' });
}

/** Pairs that contradict the others. */
export function outlierTable(report: RegistrationReport): Html {
  const outliers = report.loopOutliers ?? [];
  if (outliers.length === 0) return html`<p>No pair contradicts the others.</p>`;
  const length = ({ rows, columns }: (typeof outliers)[number]) => Math.hypot(rows, columns);
  const rows = outliers
    .toSorted((a, b) => length(b) - length(a))
    .map((pair) => [
      String(pair.first),
      String(pair.second),
      decimals(pair.rows, 2),
      decimals(pair.columns, 2),
      decimals(length(pair), 2),
      decimals(pair.weight, 2),
    ]);
  const head = ['frame', 'and frame', 'off by (px): rows', 'columns', 'length', 'weight'];
  const shown = table(head, rows, { numeric: [0, 1, 2, 3, 4, 5], rest: ', largest first' });
  return html`<p>${whole(outliers.length)} ${outliers.length === 1 ? 'pair contradicts' : 'pairs contradict'} what the other pairs say.</p><details><summary>Show them</summary>${shown}</details>`;
}

function show(value: ReportValue): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

/** Two columns: name and value. */
export function valueTable(values: Readonly<Record<string, ReportValue>>): Html {
  return table(
    [],
    Object.entries(values).map(([name, value]) => [name, show(value)]),
  );
}

/** Seconds of each phase, with their share of the total. */
export function timingTable(timings: Readonly<Record<string, number>>): Html {
  const rows = Object.entries(timings).map(([name, seconds]) => {
    const share = timings.total > 0 && name !== 'total' ? `${decimals((100 * seconds) / timings.total, 0)} %` : '';
    return [name, decimals(seconds, seconds < 10 ? 2 : 1), share];
  });
  return table(['phase', 'seconds', 'of the total'], rows, { numeric: [1, 2] });
}
