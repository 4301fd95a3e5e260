import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { posix } from 'node:path';

/** Where the limits are read from; tests give their own. */
export interface MemorySources {
  /** The text of a file, or undefined where there is none. */
  readonly readText: (path: string) => string | undefined;
  /** Memory of the machine, in bytes. */
  readonly machineBytes: number;
}

const TWO_GIB = 2 * 1024 ** 3;
const CGROUP_ROOT = '/sys/fs/cgroup';

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The group's folder and its parents: a limit set further up holds as well. */
function withParents(path: string): string[] {
  const folders = [path];
  for (let folder = path; folder !== '/' && folder !== '.'; ) {
    folder = posix.dirname(folder);
    folders.push(folder);
  }
  return folders;
}

/** The files that may hold a limit: `memory.max` of version 2, `memory.limit_in_bytes` of version 1. */
function limitFiles(groups: string): string[] {
  const files: string[] = [];
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) continue;
    if (controllers === '') files.push(...withParents(path).map((folder) => posix.join(CGROUP_ROOT, folder, 'memory.max')));
    if (controllers.split(',').includes('memory')) {
      files.push(...withParents(path).map((folder) => posix.join(CGROUP_ROOT, 'memory', folder, 'memory.limit_in_bytes')));
    }
  }
  return files;
}

/**
 * Memory that this process may use at most: the machine's, or less where a container or a job scheduler limits it
 * (Linux control groups, both versions). What other processes hold at present is not taken off.
 *
 * @returns bytes.
 */
export function availableMemoryBytes(sources: Partial<MemorySources> = {}): number {
  const { readText: read = readText, machineBytes = totalmem() } = sources;
  const limits = limitFiles(read('/proc/self/cgroup') ?? '')
    .map((file) => Number((read(file) ?? '').trim() || Number.NaN))
    .filter((bytes) => Number.isFinite(bytes) && bytes > 0);
  return Math.min(machineBytes, ...limits);
}

/**
 * The memory budget of a run that gives none: 2 GiB, or half of {@link availableMemoryBytes} where that is less.
 *
 * @returns bytes.
 */
export function defaultMemoryBudget(sources: Partial<MemorySources> = {}): number {
  return Math.min(TWO_GIB, Math.floor(availableMemoryBytes(sources) / 2));
}
