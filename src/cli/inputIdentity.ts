import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { throwIfAborted } from '../errors.js';

/** One file of the input and its contents' hash. */
export interface InputHash {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function filesUnder(path: string): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) return [];
  if (!info.isDirectory()) return [path];
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  return inside
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A short identity of the input: names, sizes and times of change of its files; tells runs of other data apart. */
export async function inputIdentity(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    // by its full path: the same input may be named in several ways
    const full = resolve(path);
    for (const file of await filesUnder(full)) {
      const { size, mtimeMs } = await stat(file);
      hash.update(`${file}\0${size}\0${mtimeMs}\n`);
    }
    hash.update(`${full}\n`);
  }
  return hash.digest('hex');
}

/** SHA-256 of every input file; of a folder such as a Zarr store, one over all its files in order of name. */
export async function hashInputs(paths: readonly string[], signal: AbortSignal): Promise<InputHash[]> {
  const out: InputHash[] = [];
  const buffer = Buffer.alloc(2 ** 22);
  for (const path of paths) {
    const files = await filesUnder(path);
    const hash = createHash('sha256');
    let bytes = 0;
    for (const file of files) {
      throwIfAborted(signal, 'Hashing the input');
      if (files.length > 1) hash.update(`${file.slice(path.length)}\0`);
      const handle = await open(file, 'r');
      try {
        for (;;) {
          const { bytesRead } = await handle.read(buffer, 0, buffer.length);
          if (bytesRead === 0) break;
          hash.update(buffer.subarray(0, bytesRead));
          bytes += bytesRead;
        }
      } finally {
        await handle.close();
      }
    }
    out.push({ path, bytes, sha256: hash.digest('hex') });
  }
  return out;
}
