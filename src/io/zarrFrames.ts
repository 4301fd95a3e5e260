import { join } from 'node:path';
import { DataFormatError } from '../errors.js';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { PixelArray, PixelType } from '../stack/types.js';
import { exists } from './fileAccess.js';
import { parseArrayDocument } from './zarrMetadata.js';
import { at, type ZarrArrayNode, type ZarrPlace, zarrErrors } from './zarrNodes.js';
import { eachIndex, readJson, readStoredChunk } from './zarrStore.js';

export type ReadFrame = (index: number, signal?: AbortSignal) => Promise<PixelArray>;

interface DecodedChunk {
  readonly data: PixelArray;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/**
 * A function that reads frame `index` of an array `[N, H, W]` or `[H, W]`: straight from its file where a chunk is one
 * frame in leemlab's own coding or plain bytes, else through zarrita with the chunks of the last frames kept.
 */
export async function frameReader(place: ZarrPlace, name: string, array: ZarrArrayNode): Promise<ReadFrame> {
  return (await directReader(place, name, array)) ?? chunkedReader(at(place, name), array);
}

async function directReader(place: ZarrPlace, name: string, array: ZarrArrayNode): Promise<ReadFrame | undefined> {
  if (place.folder === undefined) return undefined;
  const folder = join(place.folder, name);
  const file = join(folder, 'zarr.json');
  if (!(await exists(file))) return undefined;
  const metadata = parseArrayDocument(await readJson(file), file);
  const { shape, chunks, dtype, codec, fillValue } = metadata;
  const whole = shape.length === 3 ? [1, shape[1], shape[2]] : shape;
  if (codec === 'other' || chunks.some((size, axis) => size !== whole[axis])) return undefined;
  const frame = array.shape.slice(-2);
  return async (index) => {
    const key = shape.length === 3 ? [index, 0, 0] : [0, 0];
    const stored = await readStoredChunk(join(folder, 'c', ...key.map(String)), metadata);
    return stored ?? new PIXEL_ARRAYS[dtype](frame[0] * frame[1]).fill(fillValue);
  };
}

/** Bytes of decoded chunks that stay in memory for the next frames. */
const CACHE_BYTES = 128 * 2 ** 20;

function chunkedReader(path: string, array: ZarrArrayNode): ReadFrame {
  const cache = new Map<string, { chunk: Promise<DecodedChunk>; bytes: number }>();
  const dtype = array.dtype as PixelType;
  const bytes = array.chunks.reduce((a, b) => a * b, 1) * PIXEL_ARRAYS[dtype].prototype.BYTES_PER_ELEMENT;
  const stack = array.shape.length === 3;
  const [height, width] = array.shape.slice(-2);
  const sizes = stack ? array.chunks : [1, ...array.chunks];
  const perFrame = Math.ceil(height / sizes[1]) * Math.ceil(width / sizes[2]);
  // at least the chunks of one frame are kept, or each would be decoded again for every frame that it holds
  const keep = Math.max(perFrame, Math.floor(CACHE_BYTES / bytes));
  const load = (key: readonly number[], signal?: AbortSignal): Promise<DecodedChunk> => {
    const id = key.join('/');
    const known = cache.get(id);
    cache.delete(id);
    const chunk = known?.chunk ?? readChunk(path, array, key, signal);
    cache.set(id, { chunk, bytes });
    chunk.catch(() => cache.delete(id));
    for (const old of cache.keys()) {
      if (cache.size <= keep) break;
      cache.delete(old);
    }
    return chunk;
  };
  return async (index, signal) => {
    const out = new PIXEL_ARRAYS[dtype](height * width);
    const depth = Math.floor(index / sizes[0]);
    const places = [...eachIndex([Math.ceil(height / sizes[1]), Math.ceil(width / sizes[2])])];
    await Promise.all(
      places.map(async ([r, c]) => {
        const chunk = await load(stack ? [depth, r, c] : [r, c], signal);
        const { data, stride } = stack ? chunk : { data: chunk.data, stride: [0, ...chunk.stride] };
        const rows = Math.min(sizes[1], height - r * sizes[1]);
        const columns = Math.min(sizes[2], width - c * sizes[2]);
        for (let y = 0; y < rows; y++) {
          const from = (index - depth * sizes[0]) * stride[0] + y * stride[1];
          const to = (r * sizes[1] + y) * width + c * sizes[2];
          if (stride[2] === 1) out.set(data.subarray(from, from + columns), to);
          else for (let x = 0; x < columns; x++) out[to + x] = data[from + x * stride[2]];
        }
      }),
    );
    return out;
  };
}

async function readChunk(
  path: string,
  array: ZarrArrayNode,
  key: readonly number[],
  signal: AbortSignal | undefined,
): Promise<DecodedChunk> {
  const where = `${path}/${key.join('/')}`;
  const chunk = (await zarrErrors(where, () => array.getChunk([...key], signal ? { signal } : {}))) as unknown as DecodedChunk;
  const expected = array.chunks.reduce((a, b) => a * b, 1);
  if (chunk.data.length !== expected) {
    throw new DataFormatError(`the chunk must hold ${expected} values, got ${chunk.data.length}; the file is truncated`, {
      path: where,
    });
  }
  return chunk;
}
