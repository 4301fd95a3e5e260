/** A number with at most six digits that matter and no zeros at its end: 0.1, 1250, 1.23457e-7. */
export function formatNumber(value: number): string {
  if (Object.is(value, -0)) return '0';
  if (!Number.isFinite(value) || (Number.isInteger(value) && Math.abs(value) < 1e15)) return String(value);
  return String(Number(value.toPrecision(6)));
}

/** A count with thousands apart: 1,250. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** A stretch of time: 0.4 s, 17 s, 2 min 05 s, 1 h 12 min, 3 d 4 h. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  const hours = Math.round(minutes / 60);
  return `${formatCount(Math.floor(hours / 24))} d ${hours % 24} h`;
}

const DIGITS = 6;

/**
 * The numbers of one column with the same count of decimals: as many as the largest needs for six digits, without zeros that
 * all share. Where that would hide small values, each number stands for itself.
 */
export function formatColumn(values: readonly unknown[]): string[] {
  const numbers = values.filter((value): value is number => typeof value === 'number' && Number.isFinite(value));
  const sizes = numbers.map(Math.abs).filter((size) => size > 0);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const plain = (value: unknown) => (typeof value === 'number' ? formatNumber(value) : String(value));
  if (numbers.every(Number.isInteger) || largest >= 1e9) return values.map(plain);
  const decimals = Math.max(0, DIGITS - 1 - Math.floor(Math.log10(largest)));
  if (decimals > 8 || smallest < 10 ** (1 - decimals)) return values.map(plain);
  const needed = numbers.reduce((most, value) => Math.max(most, decimalsOf(value, decimals)), 0);
  return values.map((value) => (typeof value === 'number' && Number.isFinite(value) ? value.toFixed(needed) : plain(value)));
}

function decimalsOf(value: number, most: number): number {
  const text = value.toFixed(most).replace(/0+$/, '');
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}
