import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataFormatError, OptionError, OutputError, ShapeError } from '../errors.js';
import { BYTES_PER_PIXEL, PIXEL_ARRAYS } from '../stack/pixels.js';
import type { PixelArray, PixelType } from '../stack/types.js';
import { bytesOf, decodeChunk, encodeChunk } from './chunkCodec.js';
import { exists, readingFrom, readWhole } from './fileAccess.js';
import { writeFileAtomic, writingTo } from './writeFileAtomic.js';
import { arrayDocument, groupDocument, parseArrayDocument, type ZarrArrayMetadata, type ZarrCodec } from './zarrMetadata.js';

/** How an array of a group is laid out. */
export interface ZarrArrayOptions {
  readonly shape: readonly number[];
  /** Sizes of a chunk; default: the whole array is one. */
  readonly chunks?: readonly number[];
  readonly dtype: PixelType;
  readonly dimensionNames?: readonly string[];
  /** What a chunk that is not there stands for; default 0. */
  readonly fillValue?: number;
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Default `blosc` (zstd 1, bitshuffle). */
  readonly codec?: ZarrCodec;
}

/**
 * A Zarr v3 group on the disk whose arrays are written and read chunk by chunk. Every chunk appears whole or not at all,
 * so that a stopped run can go on from what stands there.
 */
export class ZarrGroup {
  readonly path: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly #arrays = new Map<string, ZarrArrayMetadata>();
  readonly #folders = new Set<string>();

  /** Use {@link createZarrGroup} or {@link openZarrGroup}. */
  constructor(path: string, attributes: Readonly<Record<string, unknown>>) {
    this.path = path;
    this.attributes = attributes;
  }

  /** Adds an array; its chunks are all missing at first. An array of this name is replaced. */
  async createArray(name: string, options: ZarrArrayOptions): Promise<void> {
    const {
      shape,
      chunks = shape.map((size) => Math.max(1, size)),
      dtype,
      fillValue = 0,
      attributes = {},
      codec = 'blosc',
    } = options;
    if (chunks.length !== shape.length || chunks.some((size) => !Number.isInteger(size) || size < 1)) {
      throw new OptionError(`createArray(): 'chunks' must be ${shape.length} whole numbers from 1, got [${chunks}]`);
    }
    const dimensionNames = options.dimensionNames ?? shape.map(() => null);
    const metadata: ZarrArrayMetadata = { shape, chunks, dtype, fillValue, dimensionNames, attributes, codec };
    const folder = join(this.path, name);
    await writingTo(folder, async () => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    });
    await writeJson(join(folder, 'zarr.json'), arrayDocument(metadata));
    this.#arrays.set(name, metadata);
  }

  /** A short array, written at once as one chunk. */
  async writeArray(name: string, data: PixelArray, options: Partial<ZarrArrayOptions> = {}): Promise<void> {
    const shape = options.shape ?? [data.length];
    const dtype = options.dtype ?? (data.constructor.name.replace('Array', '').toLowerCase() as PixelType);
    await this.createArray(name, { codec: data.byteLength > 65536 ? 'blosc' : 'none', ...options, shape, dtype });
    await this.writeChunk(
      name,
      shape.map(() => 0),
      data,
    );
  }

  /**
   * Writes one chunk, atomically. A chunk at the end of an axis is written whole too: `chunks` values in every direction,
   * those beyond the array's end do not matter.
   *
   * @param coordinates index of the chunk along each axis.
   */
  async writeChunk(name: string, coordinates: readonly number[], data: PixelArray): Promise<void> {
    const metadata = await this.array(name);
    const { chunks, dtype, codec } = metadata;
    const size = chunks.reduce((a, b) => a * b, 1);
    if (!(data instanceof PIXEL_ARRAYS[dtype]) || data.length !== size) {
      throw new ShapeError(
        `writeChunk(): 'data' must hold ${size} ${dtype} values for a chunk of '${name}', got ${data.length} in a ${data.constructor.name}`,
      );
    }
    if (codec === 'other') throw new OptionError(`writeChunk(): '${name}' is stored with codecs that leemlab does not write`);
    const path = this.chunkPath(name, coordinates);
    await this.#makeFolder(dirname(path));
    await writeFileAtomic(path, await encodeChunk(bytesOf(data), codec));
  }

  /** Whether a chunk was written. */
  async hasChunk(name: string, ...coordinates: readonly number[]): Promise<boolean> {
    return exists(this.chunkPath(name, coordinates));
  }

  /** The values of a chunk; fill values where it was not written. */
  async readChunk(name: string, ...coordinates: readonly number[]): Promise<PixelArray> {
    const metadata = await this.array(name);
    const path = this.chunkPath(name, coordinates);
    return (await readStoredChunk(path, metadata)) ?? filledChunk(metadata);
  }

  /** All values of an array, row by row: for arrays that fit into memory. */
  async readArray(name: string): Promise<{ shape: readonly number[]; data: PixelArray }> {
    const metadata = await this.array(name);
    const { shape, chunks, dtype } = metadata;
    const data = new PIXEL_ARRAYS[dtype](shape.reduce((a, b) => a * b, 1));
    const counts = shape.map((size, i) => Math.ceil(size / chunks[i]));
    for (const coordinates of eachIndex(counts)) {
      copyChunk(await this.readChunk(name, ...coordinates), coordinates, metadata, data);
    }
    return { shape, data };
  }

  /** The metadata of an array of this group. */
  async array(name: string): Promise<ZarrArrayMetadata> {
    const known = this.#arrays.get(name);
    if (known !== undefined) return known;
    const path = join(this.path, name, 'zarr.json');
    const metadata = parseArrayDocument(await readJson(path), path);
    this.#arrays.set(name, metadata);
    return metadata;
  }

  /** Whether the group has an array of this name. */
  async hasArray(name: string): Promise<boolean> {
    return this.#arrays.has(name) || exists(join(this.path, name, 'zarr.json'));
  }

  /** The file of a chunk. */
  chunkPath(name: string, coordinates: readonly number[]): string {
    return join(this.path, name, 'c', ...coordinates.map(String));
  }

  /** Writes the metadata of all arrays into the group's own file too, where readers over a network find them at once. */
  async consolidate(): Promise<void> {
    const metadata: Record<string, unknown> = {};
    for (const name of (await readdir(this.path)).sort()) {
      const file = join(this.path, name, 'zarr.json');
      if (await exists(file)) metadata[name] = await readJson(file);
    }
    await writeJson(join(this.path, 'zarr.json'), {
      ...groupDocument(this.attributes),
      consolidated_metadata: { kind: 'inline', must_understand: false, metadata },
    });
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await writingTo(folder, () => mkdir(folder, { recursive: true }));
    this.#folders.add(folder);
  }
}

/**
 * Makes an empty Zarr v3 group at `path`, with its parent folders.
 *
 * @throws OutputError where something stands there already, or the folder cannot be written.
 */
export async function createZarrGroup(
  path: string,
  options: { attributes?: Readonly<Record<string, unknown>> } = {},
): Promise<ZarrGroup> {
  const { attributes = {} } = options;
  if (await exists(join(path, 'zarr.json'))) {
    throw new OutputError('holds a Zarr store already; open it, remove it, or choose another name', path);
  }
  await writingTo(path, () => mkdir(path, { recursive: true }));
  await writeJson(join(path, 'zarr.json'), groupDocument(attributes));
  return new ZarrGroup(path, attributes);
}

/**
 * Opens a Zarr v3 group that leemlab wrote, for reading or to go on writing.
 *
 * @throws DataFormatError where `path` is no Zarr v3 group.
 */
export async function openZarrGroup(path: string): Promise<ZarrGroup> {
  const file = join(path, 'zarr.json');
  const document = await readJson(file);
  if (document.zarr_format !== 3 || document.node_type !== 'group') {
    throw new DataFormatError(
      `must be the metadata of a Zarr v3 group, got zarr_format ${document.zarr_format}, node_type ${document.node_type}`,
      { path: file },
    );
  }
  return new ZarrGroup(path, (document.attributes ?? {}) as Record<string, unknown>);
}

/** The values of the chunk file at `path`; undefined where there is none. */
export async function readStoredChunk(path: string, metadata: ZarrArrayMetadata): Promise<PixelArray | undefined> {
  const { chunks, dtype, codec } = metadata;
  if (codec === 'other')
    throw new OptionError(`readChunk(): ${path} is stored with codecs that leemlab reads through openStack() only`);
  const count = chunks.reduce((a, b) => a * b, 1);
  const bytes = count * BYTES_PER_PIXEL[dtype];
  const stored = await readWhole(path);
  if (stored === undefined) return undefined;
  const decoded = await decodeChunk(stored, codec, bytes, path);
  return new PIXEL_ARRAYS[dtype](decoded.buffer, decoded.byteOffset, count);
}

function filledChunk({ chunks, dtype, fillValue }: ZarrArrayMetadata): PixelArray {
  return new PIXEL_ARRAYS[dtype](chunks.reduce((a, b) => a * b, 1)).fill(fillValue);
}

/** Every index below `counts`, the last axis fastest. */
export function* eachIndex(counts: readonly number[]): Generator<number[]> {
  const index = counts.map(() => 0);
  if (counts.some((count) => count < 1)) return;
  for (;;) {
    yield [...index];
    let axis = counts.length - 1;
    while (axis >= 0 && ++index[axis] === counts[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/** Copies the part of a chunk that lies inside the array to its place. */
function copyChunk(chunk: PixelArray, at: readonly number[], { shape, chunks }: ZarrArrayMetadata, target: PixelArray): void {
  if (shape.length === 0) {
    target[0] = chunk[0];
    return;
  }
  const start = at.map((index, axis) => index * chunks[axis]);
  const inside = shape.map((size, axis) => Math.min(chunks[axis], size - start[axis]));
  const last = shape.length - 1;
  for (const row of eachIndex(inside.slice(0, -1))) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis <= last; axis++) {
      from = from * chunks[axis] + (row[axis] ?? 0);
      to = to * shape[axis] + start[axis] + (row[axis] ?? 0);
    }
    target.set(chunk.subarray(from, from + inside[last]), to);
  }
}

async function writeJson(path: string, document: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(document, null, 2)}\n`);
}

/** Reads a JSON file that must hold an object. */
export async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readingFrom(path, () => readFile(path, 'utf8'));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    const offset = /position (\d+)/.exec((cause as Error).message)?.[1];
    throw new DataFormatError(
      'the file must hold JSON; it is damaged',
      { path, ...(offset ? { offset: Number(offset) } : {}) },
      { cause },
    );
  }
  throw new DataFormatError('the file must hold a JSON object', { path, offset: 0 });
}
