const MINUS = '−';

/** A number with a fixed count of decimals, a true minus sign, and no minus before 0. */
export function decimals(value: number, digits: number): string {
  if (Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${MINUS}∞`;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', MINUS);
}

/** A number with a count of digits that matter: 0.0523, 12.4, 1,250. */
export function significant(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return decimals(value, 0);
  if (value === 0) return '0';
  const places = digits - 1 - Math.floor(Math.log10(Math.abs(value)));
  return places <= 0 ? Math.round(value).toLocaleString('en-US').replace('-', MINUS) : decimals(value, places);
}

/** Decimals that tell the values of an axis apart: 1 for −4, −3.9, −3.8 …; at most 3. */
export function axisDecimals(values: ArrayLike<number>): number {
  const all = Array.from(values).filter(Number.isFinite);
  const fits = (digits: number) => all.every((value) => Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 0.02);
  return [0, 1, 2].find(fits) ?? 3;
}

/** Text in which no line breaks between a number and its unit. */
export function keepUnits(text: string): string {
  return text.replace(/(\d) (px|nm|µm|%|s|eV|MiB)(?![\p{L}])/gu, '$1\u00a0$2');
}

/** A whole number with thousands apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US').replace('-', MINUS);
}

/** A length on the sample: nanometers, or micrometers from 1000 on. */
export function length(nanometers: number, digits = 3): string {
  return nanometers >= 1000 ? `${significant(nanometers / 1000, digits)} µm` : `${significant(nanometers, digits)} nm`;
}
