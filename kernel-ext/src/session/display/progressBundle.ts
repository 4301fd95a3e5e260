import { escapeHtml } from './escapeHtml.js';
import { formatCount, formatSeconds } from './formatNumber.js';
import { cutText, inspectLine } from './inspectText.js';
import type { MimeBundle } from './types.js';

/** What a bar shows. */
export interface ProgressView {
  readonly label: string;
  readonly unit: string;
  readonly done: number;
  /** Undefined where it is not known. */
  readonly total: number | undefined;
  readonly elapsedMs: number;
  /** Done in a second, where it is known. */
  readonly rate: number | undefined;
  readonly state: 'running' | 'ended' | 'failed';
  /** Why it failed. */
  readonly reason: string;
}

const SIGNS = 20;
const LONGEST_LABEL = 200;
/** Longer estimates (a hundred days, in seconds) are none. */
const LONGEST_LEFT = 100 * 86_400;

/** A bar as HTML (`<progress>`, which sanitizers keep) and as text. */
export function progressBundle(view: ProgressView): MimeBundle {
  const share = shareOf(view);
  const figures = figuresOf(view, share);
  const label = cutText(view.label.replace(/\s+/g, ' ').trim(), LONGEST_LABEL);
  const text = [label, share === undefined ? '' : bar(share), figures].filter((part) => part !== '').join(' ');
  return { data: { 'text/plain': text, 'text/html': htmlOf(view, share, label, figures) } };
}

/** From 0 to 1; undefined as long as the end is not known. */
function shareOf({ done, total, state }: ProgressView): number | undefined {
  if (total === undefined) return state === 'ended' ? 1 : undefined;
  return total <= 0 ? 1 : Math.min(1, done / total);
}

function bar(share: number): string {
  const full = Math.floor(share * SIGNS + 1e-9);
  return '█'.repeat(full) + '░'.repeat(SIGNS - full);
}

/** `45 % 315/700 frames · 23/s · 17 s left`. */
function figuresOf(view: ProgressView, share: number | undefined): string {
  const { done, total, unit, rate, elapsedMs, state } = view;
  const elapsed = formatSeconds(elapsedMs / 1000);
  const percent = share === undefined || total === undefined ? '' : `${percentOf(share)} % `;
  const count = total === undefined ? formatAmount(done) : `${formatAmount(done)}/${formatAmount(total)}`;
  // of a share, count and speed say nothing more
  const isShare = unit === '%' && percent !== '';
  const parts = [isShare ? percent.trim() : `${percent}${count}${unit === '' ? '' : ` ${unit}`}`];
  if (state === 'failed') return [...parts, `${view.reason} after ${elapsed}`].join(' · ');
  if (state === 'ended') {
    const early = total !== undefined && done < total;
    return [
      ...parts,
      early ? `ended after ${elapsed}` : elapsed,
      ...(isShare ? [] : speed(elapsedMs > 0 ? (1000 * done) / elapsedMs : undefined)),
    ].join(' · ');
  }
  if (!isShare) parts.push(...speed(rate));
  if (total === undefined) parts.push(elapsed);
  else if (rate !== undefined && done < total) {
    const left = (total - done) / rate;
    if (left < LONGEST_LEFT) parts.push(`${formatSeconds(left)} left`);
  }
  return parts.join(' · ');
}

/** Rounded down, so that 100 % means done; 0.29 is 29 in spite of its binary digits. */
function percentOf(share: number): number {
  return share === 1 ? 100 : Math.min(99, Math.floor(share * 100 + 1e-9));
}

function speed(rate: number | undefined): string[] {
  if (rate === undefined || rate === 0 || !Number.isFinite(rate)) return [];
  if (rate >= 0.1) return [`${formatAmount(rate)}/s`];
  return rate * 60 >= 0.1 ? [`${formatAmount(rate * 60)}/min`] : [`${formatAmount(rate * 3600)}/h`];
}

/** Whole numbers as they are, others with about two digits. */
function formatAmount(amount: number): string {
  if (amount >= 1e15) return amount.toExponential(2);
  return Number.isInteger(amount) || amount >= 100 ? formatCount(amount) : String(Number(amount.toPrecision(2)));
}

function htmlOf({ done, total, state }: ProgressView, share: number | undefined, label: string, figures: string): string {
  const value =
    share === undefined
      ? ''
      : total === undefined || total <= 0
        ? ' value="1" max="1"'
        : ` value="${Math.min(done, total)}" max="${total}"`;
  const idle = share === undefined && state === 'failed' ? ' value="0" max="1"' : value;
  const faint = state === 'failed' ? ';opacity:0.5' : '';
  const style = `width:16em;max-width:40%;vertical-align:middle;margin:0 0.5em${faint}`;
  const name = label === '' ? 'progress' : label;
  return (
    `<div><label>${escapeHtml(label)}<progress${idle} title="${escapeHtml(name)}" style="${style}">` +
    `${escapeHtml(figures)}</progress></label><span style="font-variant-numeric:tabular-nums">${escapeHtml(figures)}</span></div>`
  );
}

/** A label as text, whatever was given. */
export function labelText(label: unknown): string {
  if (label === undefined || label === null) return '';
  return typeof label === 'string' ? label : inspectLine(label);
}
