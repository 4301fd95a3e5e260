import { DataFormatError } from '../errors.js';
import { BYTES_PER_PIXEL, PIXEL_ARRAYS } from '../stack/pixels.js';
import type { PixelType } from '../stack/types.js';

/** Zarr v3 metadata of an array, as far as leemlab uses them. */
export interface ZarrArrayMetadata {
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly dtype: PixelType;
  readonly fillValue: number;
  readonly dimensionNames: readonly (string | null)[];
  readonly attributes: Readonly<Record<string, unknown>>;
  /** How chunks are stored, where it is one of our own two ways; `other` for zarrita to read. */
  readonly codec: ZarrCodec | 'other';
}

/** `blosc`: zstd level 1 with bitshuffle, for pixels; `none`: plain little-endian bytes, for short tables. */
export type ZarrCodec = 'blosc' | 'none';

/** Bytes that blosc shuffles and compresses at a time: of those tried, from 32 KiB to 1 MiB, the fastest and smallest. */
export const BLOSC_BLOCK_BYTES: number = 2 ** 20;

/** The `zarr.json` of a group. */
export function groupDocument(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { zarr_format: 3, node_type: 'group', attributes };
}

/** The `zarr.json` of an array. */
export function arrayDocument(metadata: ZarrArrayMetadata): Record<string, unknown> {
  const { shape, chunks, dtype, fillValue, dimensionNames, attributes, codec } = metadata;
  const typesize = BYTES_PER_PIXEL[dtype];
  const blosc = {
    name: 'blosc',
    configuration: { typesize, cname: 'zstd', clevel: 1, shuffle: 'bitshuffle', blocksize: BLOSC_BLOCK_BYTES },
  };
  const bytes = typesize === 1 ? { name: 'bytes' } : { name: 'bytes', configuration: { endian: 'little' } };
  return {
    zarr_format: 3,
    node_type: 'array',
    shape,
    data_type: dtype,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunks } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: Number.isNaN(fillValue) ? 'NaN' : fillValue,
    codecs: codec === 'blosc' ? [bytes, blosc] : [bytes],
    attributes,
    dimension_names: dimensionNames,
    storage_transformers: [],
  };
}

interface NamedConfiguration {
  readonly name?: string;
  readonly configuration?: Readonly<Record<string, unknown>>;
}

/**
 * Reads the `zarr.json` of an array.
 *
 * @throws DataFormatError where a field is missing or is none that leemlab reads.
 */
export function parseArrayDocument(document: Readonly<Record<string, unknown>>, path: string): ZarrArrayMetadata {
  const fail = (rule: string): never => {
    throw new DataFormatError(rule, { path });
  };
  const { shape, data_type: dtype, fill_value: fill, attributes, dimension_names: names } = document;
  const grid = document.chunk_grid as NamedConfiguration | undefined;
  const chunks = grid?.configuration?.chunk_shape;
  if (document.node_type !== 'array') fail(`'node_type' must be "array", got ${JSON.stringify(document.node_type)}`);
  if (!isSizes(shape)) return fail(`'shape' must be a list of whole numbers, got ${JSON.stringify(shape)}`);
  if (grid?.name !== 'regular' || !isSizes(chunks) || chunks.length !== shape.length) {
    return fail(`'chunk_grid' must be regular with ${shape.length} sizes, got ${JSON.stringify(document.chunk_grid)}`);
  }
  if (typeof dtype !== 'string' || !(dtype in PIXEL_ARRAYS)) {
    return fail(`'data_type' must be one of ${Object.keys(PIXEL_ARRAYS).join(', ')}, got ${JSON.stringify(dtype)}`);
  }
  return {
    shape,
    chunks,
    dtype: dtype as PixelType,
    fillValue: typeof fill === 'number' ? fill : Number(fill ?? 0),
    dimensionNames: Array.isArray(names) ? (names as (string | null)[]) : shape.map(() => null),
    attributes: (attributes ?? {}) as Record<string, unknown>,
    codec: codecOf(document),
  };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isInteger(size) && size >= 0);
}

/** Whether the chunks are plain files of little-endian bytes, as they are or in a blosc frame. */
function codecOf(document: Readonly<Record<string, unknown>>): ZarrCodec | 'other' {
  const keys = document.chunk_key_encoding as NamedConfiguration | undefined;
  const separator = keys?.configuration?.separator ?? '/';
  const [bytes, second, ...rest] = (document.codecs ?? []) as NamedConfiguration[];
  if (keys?.name !== 'default' || separator !== '/' || bytes?.name !== 'bytes' || rest.length > 0) return 'other';
  if ((bytes.configuration?.endian ?? 'little') !== 'little') return 'other';
  if (second === undefined) return 'none';
  return second.name === 'blosc' ? 'blosc' : 'other';
}
