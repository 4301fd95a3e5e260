import { describe, expect, test } from 'vitest';
import { availableMemoryBytes, defaultMemoryBudget } from '../../../src/cli/memory.js';

const GIB = 1024 ** 3;

function sources(files: Readonly<Record<string, string>>, machineBytes = 16 * GIB) {
  return { readText: (path: string) => files[path], machineBytes };
}

describe('memory limit', () => {
  test('version 2: the smallest of the group and its parents', () => {
    const files = {
      '/proc/self/cgroup': '0::/user.slice/job\n',
      '/sys/fs/cgroup/user.slice/job/memory.max': 'max\n',
      '/sys/fs/cgroup/user.slice/memory.max': `${3 * GIB}\n`,
      '/sys/fs/cgroup/memory.max': `${8 * GIB}\n`,
    };
    expect(availableMemoryBytes(sources(files))).toBe(3 * GIB);
    expect(defaultMemoryBudget(sources(files))).toBe(1.5 * GIB);
  });

  test('version 2 in a container, where the group is the root', () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${GIB}\n` };
    expect(availableMemoryBytes(sources(files))).toBe(GIB);
    expect(defaultMemoryBudget(sources(files))).toBe(GIB / 2);
  });

  test('version 1: its own file, also where only the root is mounted', () => {
    const groups = '12:cpu,cpuacct:/docker/abc\n5:memory:/docker/abc\n1:name=systemd:/docker/abc\n';
    const own = { '/proc/self/cgroup': groups, '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${2 * GIB}\n` };
    expect(availableMemoryBytes(sources(own))).toBe(2 * GIB);
    const root = { '/proc/self/cgroup': groups, '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${GIB}\n` };
    expect(availableMemoryBytes(sources(root))).toBe(GIB);
    // "no limit" is written as a number beyond any machine
    const none = { '/proc/self/cgroup': groups, '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' };
    expect(availableMemoryBytes(sources(none))).toBe(16 * GIB);
  });

  test('without control groups the machine counts, and the budget stops at 2 GiB', () => {
    expect(availableMemoryBytes(sources({}))).toBe(16 * GIB);
    expect(defaultMemoryBudget(sources({}))).toBe(2 * GIB);
    expect(defaultMemoryBudget(sources({}, 3 * GIB))).toBe(1.5 * GIB);
  });

  test('nonsense in a file is no limit', () => {
    const files = { '/proc/self/cgroup': '0::/a\nnonsense', '/sys/fs/cgroup/a/memory.max': '', '/sys/fs/cgroup/memory.max': 'x' };
    expect(availableMemoryBytes(sources(files))).toBe(16 * GIB);
  });

  test('this machine has some memory', () => {
    expect(availableMemoryBytes()).toBeGreaterThan(2 ** 26);
  });
});
