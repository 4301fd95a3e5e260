import { formatBytes } from '../../shared/formatBytes.js';
import { escapeHtml } from './escapeHtml.js';
import { formatCount, formatNumber } from './formatNumber.js';
import { cutText, describeError, inspectLine } from './inspectText.js';
import { sampleTensor, type TensorLike, type TensorSample } from './sampleTensor.js';
import { type ValueRange, valueRange } from './statistics.js';
import { nestElements, tensorElements } from './tensorValues.js';
import { LONGEST_SIDE, type Thumbnail, thumbnail } from './thumbnail.js';
import type { MimeBundle } from './types.js';

/** Tensors of at most so many elements are shown with their values. */
const FEW = 100;
/** The first values of a larger list of strings or complex numbers. */
const FIRST = 10;
/** Pictures with a shorter side are none. */
const SMALLEST_SIDE = 8;
const BYTES: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, complex64: 8 };

/** What is told of a tensor. */
interface Facts {
  /** `Tensor`, or `Variable 'name'`. */
  readonly kind: string;
  /** Further rows of the table. */
  readonly rows: readonly (readonly [name: string, text: string])[];
  /** What stands behind the shape in the text. */
  readonly summary: string;
  readonly values?: string;
  readonly picture?: Thumbnail;
}

/**
 * A tfjs tensor or Variable: type, shape, range, NaN; the values of a small one, a thumbnail of `[H, W]` and `[H, W, 3 | 4]`.
 * Its numbers are copied once; of more than 2²⁵ only evenly spaced rows are read.
 */
export async function renderTensor(tensor: TensorLike): Promise<MimeBundle> {
  const facts = await factsOf(tensor);
  const shape = `[${tensor.shape.join(', ')}]`;
  const title = [facts.kind, tensor.dtype, shape, facts.summary].filter((part) => part !== '').join(' ');
  const text = facts.values === undefined ? title : `${title}\n${facts.values}`;
  const data: Record<string, unknown> = { 'text/plain': text, 'text/html': htmlOf(tensor.dtype, shape, facts) };
  const metadata: Record<string, unknown> = {};
  if (facts.picture !== undefined) {
    const { png, height, width } = facts.picture;
    data['image/png'] = png.toString('base64');
    metadata['image/png'] = { height, width };
  }
  return facts.picture === undefined ? { data } : { data, metadata };
}

async function factsOf(tensor: TensorLike): Promise<Facts> {
  const kind = typeof tensor.trainable === 'boolean' ? `Variable ${inspectLine(tensor.name)}` : 'Tensor';
  const plain = (summary: string): Facts => ({ kind, rows: [['state', summary]], summary: `(${summary})` });
  if (tensor.isDisposed) return plain('disposed');
  if (tensor.size === 0) return plain('empty');
  try {
    if (tensor.dtype === 'string' || tensor.dtype === 'complex64') return await otherFacts(tensor, kind);
    const image = pictureShape(tensor.shape);
    const sample = await sampleTensor(tensor, image?.rowLength ?? rowLengthOf(tensor), image === undefined ? 256 : LONGEST_SIDE);
    return sample === undefined ? plain('too large to be looked at') : numberFacts(tensor, kind, sample, image);
  } catch (error) {
    return plain(`its values cannot be read: ${describeError(error)}`);
  }
}

function numberFacts(tensor: TensorLike, kind: string, sample: TensorSample, image: PictureShape | undefined): Facts {
  const range = valueRange(sample.values);
  const few = sample.complete && tensor.size <= FEW;
  const picture = image === undefined || few ? undefined : pictureOf(tensor, sample, image);
  const rows: [string, string][] = [
    ['range', rangeText(range, tensor.dtype)],
    ['memory', formatBytes(tensor.size * (BYTES[tensor.dtype] ?? 4))],
  ];
  const bad = badText(range);
  if (bad !== '') rows.splice(1, 0, ['not finite', bad]);
  const part = `${formatCount(sample.values.length)} of ${formatCount(tensor.size)} values`;
  if (!sample.complete) rows.push(['looked at', part]);
  const parts = [tensor.dtype === 'bool' ? rangeText(range, 'bool') : minMax(range), bad === '' ? '' : `(${bad})`];
  if (!sample.complete) parts.push(`(from ${part})`);
  const values = few ? nestElements(tensorElements(sample.values, tensor.dtype), tensor.shape) : undefined;
  return { kind, rows, summary: ` ${parts.filter((part) => part !== '').join(' ')}`, values, picture };
}

/** Strings and complex numbers, which have no range. */
async function otherFacts(tensor: TensorLike, kind: string): Promise<Facts> {
  const first = tensor.size > FEW && tensor.reshape !== undefined && tensor.slice !== undefined;
  const values = await (first ? firstValues(tensor) : tensor.data());
  const width = tensor.dtype === 'complex64' ? 2 : 1;
  const memory = BYTES[tensor.dtype];
  const rows: [string, string][] = memory === undefined ? [] : [['memory', formatBytes(tensor.size * memory)]];
  if (tensor.size <= FEW) {
    return { kind, rows, summary: '', values: cutText(nestElements(tensorElements(values, tensor.dtype), tensor.shape), 20_000) };
  }
  const shown = tensorElements(
    Array.from({ length: FIRST * width }, (_, k) => values[k]),
    tensor.dtype,
  );
  return { kind, rows, summary: '', values: cutText(`${shown.join(', ')}, …`, 20_000) };
}

async function firstValues(tensor: TensorLike): Promise<ArrayLike<unknown>> {
  const flat = tensor.reshape?.([tensor.size]);
  const part = flat?.slice?.([0], [FIRST]);
  try {
    return (await part?.data()) ?? [];
  } finally {
    part?.dispose();
    flat?.dispose();
  }
}

/** Height, width and channels of a shape that is a picture. */
interface PictureShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly rowLength: number;
}

function pictureShape(shape: readonly number[]): PictureShape | undefined {
  const isColor = shape.length === 3 && (shape[2] === 3 || shape[2] === 4);
  if (shape.length !== 2 && !isColor) return undefined;
  const [height, width] = shape;
  const channels = isColor ? shape[2] : 1;
  const factor = Math.max(1, Math.max(height, width) / LONGEST_SIDE);
  if (Math.min(height, width) < SMALLEST_SIDE || Math.min(height, width) / factor < SMALLEST_SIDE / 2) return undefined;
  return { height, width, channels, rowLength: width * channels };
}

/** Rows in which a tensor that is no picture is read if it is very large. */
function rowLengthOf({ size }: TensorLike): number {
  return Math.min(size, 2 ** 15);
}

function pictureOf({ dtype }: TensorLike, { values, rows }: TensorSample, image: PictureShape): Thumbnail {
  return thumbnail({ height: rows, width: image.width, channels: image.channels, values }, { dtype, fullHeight: image.height });
}

function minMax({ min, max }: ValueRange): string {
  return Number.isNaN(min) ? 'no finite value' : `min ${formatNumber(min)}  max ${formatNumber(max)}`;
}

function rangeText({ min, max }: ValueRange, dtype: string): string {
  if (dtype === 'bool') return min === max ? `all ${Boolean(min)}` : 'false and true';
  return Number.isNaN(min) ? 'no finite value' : `${formatNumber(min)} … ${formatNumber(max)}`;
}

function badText({ nanCount, infiniteCount }: ValueRange): string {
  const parts = [
    nanCount > 0 ? `${formatCount(nanCount)} NaN` : '',
    infiniteCount > 0 ? `${formatCount(infiniteCount)} infinite` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function htmlOf(dtype: string, shape: string, { kind, rows, values, picture }: Facts): string {
  const cell = ([name, text]: readonly [string, string]) =>
    `<tr><th scope="row" style="text-align:left">${escapeHtml(name)}</th><td style="text-align:left">${escapeHtml(text)}</td></tr>`;
  const table = [['type', `${kind} ${dtype}`] as const, ['shape', shape] as const, ...rows].map(cell).join('');
  const parts = [`<table>${table}</table>`];
  if (values !== undefined) parts.push(`<pre style="font-family:monospace">${escapeHtml(values)}</pre>`);
  if (picture !== undefined) {
    const { png, width, height, caption } = picture;
    const source = `data:image/png;base64,${png.toString('base64')}`;
    parts.push(`<img src="${source}" width="${width}" height="${height}" alt="${escapeHtml(`${kind} ${dtype} ${shape}`)}">`);
    parts.push(`<div><small>${escapeHtml(caption)}</small></div>`);
  }
  return `<div>${parts.join('')}</div>`;
}
