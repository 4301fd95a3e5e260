import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AsyncReadable, DataType, Array as ZarritaArray, Group as ZarritaGroup } from 'zarrita';
import { DataFormatError, UnsupportedError } from '../errors.js';
import { exists, readInto, readWhole, withFile } from './fileAccess.js';

export type ZarrNode = ZarritaArray<DataType, AsyncReadable> | ZarritaGroup<AsyncReadable>;
export type ZarrArrayNode = ZarritaArray<DataType, AsyncReadable>;

/** Where a Zarr hierarchy lies. `folder` is undefined for one that is read over the network. */
export interface ZarrPlace {
  /** Path or URL, for messages. */
  readonly path: string;
  readonly store: AsyncReadable;
  readonly folder: string | undefined;
}

/** A folder as a store for zarrita: whole files, and parts of files for shards. */
export function folderStore(folder: string): AsyncReadable {
  return {
    get: (key) => readWhole(join(folder, key)),
    async getRange(key, range) {
      const path = join(folder, key);
      if (!(await exists(path))) return undefined;
      return withFile(path, async (file) => {
        const { size } = await file.stat();
        const [start, length] =
          'suffixLength' in range ? [size - range.suffixLength, range.suffixLength] : [range.offset, range.length];
        const bytes = new Uint8Array(length);
        await readInto(file, path, bytes, start);
        return bytes;
      });
    },
  };
}

/** Opens the array or group `name` (empty: the root), of Zarr v3 or v2. */
export async function openNode(place: ZarrPlace, name = ''): Promise<ZarrNode> {
  const zarr = await import('zarrita');
  const root = zarr.root(place.store);
  return zarrErrors(at(place, name), async () => (await zarr.open(name === '' ? root : root.resolve(name))) as ZarrNode);
}

/** The path of a node of the hierarchy. */
export function at(place: ZarrPlace, name: string): string {
  return name === '' ? place.path : `${place.path.replace(/[/\\]$/, '')}/${name}`;
}

/** Names of the arrays and groups directly inside a group. */
export async function childNames(place: ZarrPlace): Promise<string[]> {
  if (place.folder !== undefined) {
    const entries = await readdir(place.folder, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    const known = await Promise.all(
      folders.map(async (name) => {
        const inside = (file: string): Promise<boolean> => exists(join(place.folder as string, name, file));
        return (await inside('zarr.json')) || (await inside('.zarray'));
      }),
    );
    return folders.filter((_, i) => known[i]).sort();
  }
  // over the network only the consolidated metadata say what there is
  const read = async (key: '/zarr.json' | '/.zmetadata'): Promise<Record<string, unknown> | undefined> => {
    const bytes = await place.store.get(key);
    return bytes && JSON.parse(new TextDecoder().decode(bytes));
  };
  const v3 = (await read('/zarr.json'))?.consolidated_metadata as { metadata?: object } | undefined;
  const v2 = v3 === undefined ? ((await read('/.zmetadata')) as { metadata?: object } | undefined) : undefined;
  const keys = Object.keys(v3?.metadata ?? v2?.metadata ?? {});
  return v3 === undefined ? keys.filter((key) => key.endsWith('/.zarray')).map((key) => key.slice(0, -8)) : keys;
}

/** Runs `work`, and turns what zarrita throws into an error of leemlab that names `path`. */
export async function zarrErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { name, message } = error as Error;
    if (/UnknownCodec|^UnsupportedError$/.test(name) && !('tag' in (error as object))) {
      throw new UnsupportedError(`${path}: this Zarr store cannot be read here: ${message}`, { cause: error });
    }
    if (name === 'NotFoundError') throw new DataFormatError('no Zarr array or group is here', { path }, { cause: error });
    if (/InvalidMetadata|CodecPipeline|SyntaxError|InvalidSelection/.test(name)) {
      const inner = (error as Error).cause;
      const detail = inner instanceof Error ? `${message}: ${inner.message}` : message;
      throw new DataFormatError(`the Zarr store is damaged: ${detail}`, { path }, { cause: error });
    }
    if (/^https?:/.test(path) && !('tag' in (error as object))) {
      const why = (error as Error).cause instanceof Error ? ((error as Error).cause as Error).message : message;
      throw new DataFormatError(`cannot be reached: ${why || message}`, { path }, { cause: error });
    }
    throw error;
  }
}
