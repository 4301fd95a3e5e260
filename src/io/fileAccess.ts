import { type FileHandle, open, stat } from 'node:fs/promises';
import { DataFormatError } from '../errors.js';

/** What the system's error codes mean to a user who reads a file. */
const READ_CAUSES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist; check the path',
  ENOTDIR: 'does not exist (a part of the path is a file); check the path',
  EACCES: 'cannot be read: permission denied',
  EPERM: 'cannot be read: permission denied',
  EISDIR: 'is a folder where a file was expected',
  EMFILE: 'cannot be opened: too many files are open',
  EIO: 'cannot be read: the disk reports an error',
};

/** Runs `work`, and turns the system's error codes into a {@link DataFormatError} that names `path`. */
export async function readingFrom<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined || !(code in READ_CAUSES)) throw error;
    throw new DataFormatError(READ_CAUSES[code], { path }, { cause: error });
  }
}

/** Size of a file in bytes. */
export async function fileSize(path: string): Promise<number> {
  return (await readingFrom(path, () => stat(path))).size;
}

/** Whether `path` is a folder; false where nothing is. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Whether anything stands at `path`. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads `bytes` bytes from `position` straight into a buffer of their own, with as few system calls as the system allows.
 *
 * @throws DataFormatError where the file ends before, with the offset at which it ends.
 */
export async function readBytes(path: string, position: number, bytes: number): Promise<ArrayBuffer> {
  const target = new ArrayBuffer(bytes);
  await withFile(path, (file) => readInto(file, path, new Uint8Array(target), position));
  return target;
}

/** Opens a file for reading, lets `work` use it, and closes it. */
export async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  return readingFrom(path, async () => {
    const file = await open(path, 'r');
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  });
}

/** Fills `target` from `position`; see {@link readBytes}. */
export async function readInto(file: FileHandle, path: string, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    const { bytesRead } = await file.read(target, done, target.byteLength - done, position + done);
    if (bytesRead === 0) {
      throw new DataFormatError(`the file ends here, but ${target.byteLength - done} more bytes were expected; it is truncated`, {
        path,
        offset: position + done,
      });
    }
    done += bytesRead;
  }
}

/** All bytes of a file; undefined where there is none. */
export async function readWhole(path: string): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return readingFrom(path, () => Promise.reject(error));
  }
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    await readingFrom(path, () => readInto(file, path, bytes, 0));
    return bytes;
  } finally {
    await file.close();
  }
}

/** The first bytes of a file, at most `bytes` of them, and the size of all of it. */
export async function readHead(path: string, bytes: number): Promise<{ head: Uint8Array; size: number }> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const head = new Uint8Array(Math.min(bytes, size));
    await readInto(file, path, head, 0);
    return { head, size };
  });
}

/** Applies `work` to every item, at most `limit` at a time, and gives the results in the order of the items. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run));
  return results;
}
