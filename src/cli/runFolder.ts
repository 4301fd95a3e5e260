import { constants } from 'node:fs';
import { access, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OptionError, OutputError } from '../errors.js';
import { makeFolder } from '../io/partialOutput.js';
import { writingTo } from '../io/writeFileAtomic.js';
import { pairStoreFingerprint } from './pairStore.js';

/** What a registration writes into its folder, besides `registered.*`. */
const RESULTS = ['drift.csv', 'pairs.zarr', 'pattern.zarr', 'report.html', 'figures', 'provenance.json'];
const STACKS = ['registered.zarr', 'registered.tif', 'registered.h5'];

/** What to do where the folder holds a run already. */
export interface RunFolderChoice {
  readonly overwrite: boolean;
  readonly resume: boolean;
}

/**
 * Makes the output folder ready: new, or with the unfinished run of the same input and options, which goes on.
 *
 * @param fingerprint of input and options, as `pairs.zarr` keeps it.
 * @returns whether an earlier run's pairs are there to go on from.
 * @throws OptionError where another run's results stand there and neither choice was made; OutputError where the folder
 *   cannot be written.
 */
export async function prepareRunFolder(
  path: string,
  fingerprint: string,
  choice: RunFolderChoice,
): Promise<{ resumed: boolean }> {
  if (choice.overwrite && choice.resume) throw new OptionError('--overwrite and --resume exclude each other');
  const info = await stat(path).catch(() => undefined);
  if (info && !info.isDirectory()) throw new OutputError('is a file, the output needs a folder: give another --out', path);
  await writingTo(path, async () => {
    await makeFolder(path);
    await access(path, constants.W_OK | constants.X_OK);
  });
  const present = new Set(await readdir(path));
  const held = [...RESULTS, ...STACKS].filter((name) => present.has(name));
  await removeParts(path, present);
  if (held.length === 0) return { resumed: false };
  if (choice.overwrite) {
    for (const name of held) await rm(join(path, name), { recursive: true, force: true });
    return { resumed: false };
  }
  const earlier = present.has('pairs.zarr') ? await pairStoreFingerprint(join(path, 'pairs.zarr')) : undefined;
  const finished = present.has('provenance.json');
  if (earlier === fingerprint && (!finished || choice.resume)) return { resumed: true };
  if (choice.resume) {
    throw new OptionError(
      `--out ${path} holds a run of another input or other options, which cannot be resumed: use --overwrite to replace it, or another --out`,
    );
  }
  const what = earlier === fingerprint ? 'holds this run already, finished' : 'holds the results of another run';
  const remedy =
    earlier === fingerprint
      ? '--resume writes them again from its pairs, --overwrite computes everything anew'
      : '--overwrite replaces it, --resume goes on with the same input and options';
  throw new OptionError(`--out ${path} ${what} (${held.join(', ')}): ${remedy}, or give another --out`);
}

/** What a killed run left under temporary names. */
async function removeParts(path: string, present: ReadonlySet<string>): Promise<void> {
  for (const name of present) {
    if ([...RESULTS, ...STACKS].some((result) => name.startsWith(`.${result}.`)))
      await rm(join(path, name), { recursive: true, force: true });
  }
}
