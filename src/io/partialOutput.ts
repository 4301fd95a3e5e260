import { constants } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { OutputError } from '../errors.js';
import { exists } from './fileAccess.js';
import { writingTo } from './writeFileAtomic.js';

/** A result that is written beside its final name and gets that name only when it is complete. */
export interface PartialOutput {
  /** Where to write meanwhile. */
  readonly path: string;
  /** Gives the result its final name. */
  commit(): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** Makes a folder and those above it. Throws the system's own error. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    // on a file system that is read-only the system says that there is no such folder: ask the one above it
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') await access(await nearestFolder(path), constants.W_OK);
    throw error;
  }
}

async function nearestFolder(path: string): Promise<string> {
  let folder = resolve(path);
  while (!(await exists(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/**
 * Prepares `path` for a result: makes its folder, and clears what a killed run left under the temporary name `.NAME.part`.
 *
 * @throws OutputError where a result has the name already and `overwrite` is not set, or the folder cannot be written.
 */
export async function startOutput(path: string, overwrite = false): Promise<PartialOutput> {
  const folder = dirname(path);
  const part = join(folder, `.${basename(path)}.part`);
  if (!overwrite && (await exists(path))) {
    throw new OutputError('exists already; choose another name, or let it be overwritten', path);
  }
  await writingTo(path, async () => {
    await makeFolder(folder);
    await rm(part, { recursive: true, force: true });
  });
  return {
    path: part,
    commit: () => writingTo(path, () => replace(part, path, overwrite)),
    discard: () => rm(part, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Renames `part` to `path`; an old result is put aside first and comes back if that fails. */
async function replace(part: string, path: string, overwrite: boolean): Promise<void> {
  if (!(await exists(path))) return rename(part, path);
  if (!overwrite) throw new OutputError('exists already; it was made while this result was written', path);
  const old = join(dirname(path), `.${basename(path)}.old`);
  await rm(old, { recursive: true, force: true });
  await rename(path, old);
  try {
    await rename(part, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}
