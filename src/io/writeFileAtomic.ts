import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { isLeemError, OutputError } from '../errors.js';

const WRITE_CAUSES: Readonly<Record<string, string>> = {
  ENOSPC: 'cannot be written: the disk is full; make room or choose another folder',
  EDQUOT: 'cannot be written: the disk quota is used up; make room or choose another folder',
  EFBIG: 'cannot be written: the file system does not hold files of this size; use the zarr format',
  EACCES: 'cannot be written: permission denied; choose a folder that you may write to',
  EPERM: 'cannot be written: permission denied; choose a folder that you may write to',
  EROFS: 'cannot be written: the file system is read-only; choose another folder',
  ENOENT: 'cannot be written: the folder does not exist',
  ENOTDIR: 'cannot be written: a part of the path is a file, not a folder',
  EISDIR: 'cannot be written: a folder has this name',
  EEXIST: 'cannot be written: a part of the path is a file, not a folder',
  EIO: 'cannot be written: the disk reports an error',
};

/** An {@link OutputError} that says what the system's error means for `path`; errors of leemlab pass unchanged. */
export function toOutputError(error: unknown, path: string): Error {
  if (isLeemError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const words = (code && WRITE_CAUSES[code]) ?? `cannot be written: ${message ?? String(error)}`;
  return new OutputError(words, path, { cause: error });
}

/** Runs `work`, and turns what it throws into an {@link OutputError} for `path`. */
export async function writingTo<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toOutputError(error, path);
  }
}

let counter = 0;

/** A hidden name beside `path` that no other writer uses. */
function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${threadId}-${counter++}.part`);
}

/**
 * Writes a file so that its name always holds the whole old or the whole new contents: under a temporary name in the
 * same folder, to the disk (fsync), then renamed.
 *
 * @throws OutputError with the path, where the disk is full or the folder cannot be written; nothing is left behind.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  await writingTo(path, async () => {
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  });
}

/** {@link writeFileAtomic} for worker threads, which have nothing else to do meanwhile. Throws the system's own error. */
export function writeFileAtomicSync(path: string, data: Uint8Array): void {
  const temporary = temporaryName(path);
  try {
    const file = openSync(temporary, 'wx');
    try {
      for (let done = 0; done < data.byteLength; ) done += writeSync(file, data, done);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
