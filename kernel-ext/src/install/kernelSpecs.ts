import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A kernelspec of this kernel somewhere in Jupyter's path. */
export interface InstalledSpec {
  readonly name: string;
  readonly folder: string;
  readonly displayName: string;
  /** The installation that it starts. */
  readonly target: string;
  /** Whether that is still there. */
  readonly works: boolean;
}

/** Where Jupyter looks for the user's own kernelspecs. */
export function userDataFolder(): string {
  const { JUPYTER_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Jupyter');
  if (process.platform === 'win32' && APPDATA) return join(APPDATA, 'jupyter');
  return join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'jupyter');
}

/** The prefix of the Python environment that is active here, or of the `python3` on the path. */
export function pythonPrefix(): string | undefined {
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  if (VIRTUAL_ENV || CONDA_PREFIX) return VIRTUAL_ENV || CONDA_PREFIX;
  for (const python of ['python3', 'python']) {
    const { status, stdout } = spawnSync(python, ['-c', 'import sys; print(sys.prefix)'], { encoding: 'utf8' });
    if (status === 0 && stdout.trim() !== '') return stdout.trim();
  }
  return undefined;
}

export const kernelsBelow = (data: string): string => join(data, 'kernels');
export const kernelsOfPrefix = (prefix: string): string => kernelsBelow(join(prefix, 'share', 'jupyter'));

/** The folders in which Jupyter looks for kernelspecs, in its order. */
export function kernelFolders(): string[] {
  const prefix = pythonPrefix();
  const given = (process.env.JUPYTER_PATH ?? '').split(process.platform === 'win32' ? ';' : ':').filter(Boolean);
  const shared = process.platform === 'win32' ? [] : ['/usr/local/share/jupyter', '/usr/share/jupyter'];
  const folders = [
    ...given.map(kernelsBelow),
    kernelsBelow(userDataFolder()),
    ...(prefix === undefined ? [] : [kernelsOfPrefix(prefix)]),
    ...shared.map(kernelsBelow),
  ];
  return [...new Set(folders)];
}

/** The kernelspec in `folder` if it is one of this kernel. */
export function readSpec(name: string, folder: string): InstalledSpec | undefined {
  try {
    const spec = JSON.parse(readFileSync(join(folder, 'kernel.json'), 'utf8')) as Record<string, unknown>;
    const { leemlab } = (spec.metadata ?? {}) as { leemlab?: { target?: unknown } };
    if (typeof leemlab?.target !== 'string') return undefined;
    const { target } = leemlab;
    return { name, folder, displayName: String(spec.display_name), target, works: existsSync(target) };
  } catch {
    return undefined; // no kernelspec, or another kernel's
  }
}

/** All kernelspecs of this kernel that Jupyter sees. */
export function findSpecs(folders: readonly string[] = kernelFolders()): InstalledSpec[] {
  return folders.flatMap((parent) => {
    if (!existsSync(parent)) return [];
    return readdirSync(parent).flatMap((name) => readSpec(name, join(parent, name)) ?? []);
  });
}
