import { formatColumn, formatNumber } from './formatNumber.js';
import { inspectLine } from './inspectText.js';

/** The elements of a tensor as texts: numbers with the same decimals, `1+2i` for complex, quoted strings, true and false. */
export function tensorElements(values: ArrayLike<unknown>, dtype: string): string[] {
  if (dtype === 'complex64') {
    return Array.from({ length: values.length / 2 }, (_, k) => complexText(values[2 * k] as number, values[2 * k + 1] as number));
  }
  if (dtype === 'string') return Array.from(values, (value) => inspectLine(value));
  if (dtype === 'bool') return Array.from(values, (value) => String(Boolean(value)));
  return formatColumn(Array.from(values));
}

/** Texts of elements in nested brackets, one line a row, numbers below each other. */
export function nestElements(elements: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return elements[0];
  const width = shape.length > 1 ? elements.reduce((widest, text) => Math.max(widest, text.length), 0) : 0;
  const nest = (start: number, axis: number, size: number): string => {
    const part = size / shape[axis];
    const inner = Array.from({ length: shape[axis] }, (_, k) =>
      axis === shape.length - 1 ? elements[start + k].padStart(width) : nest(start + k * part, axis + 1, part),
    );
    return `[${inner.join(axis === shape.length - 1 ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
  };
  return nest(0, 0, elements.length);
}

function complexText(real: number, imaginary: number): string {
  const text = formatNumber(Math.abs(imaginary));
  return `${formatNumber(real)}${imaginary < 0 ? '-' : '+'}${text}i`;
}
