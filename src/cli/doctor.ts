import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SelfTestResult } from '../backend/selfTest.js';
import type { Command, CommandContext } from './command.js';
import { formatBytes } from './format.js';
import { availableMemoryBytes, defaultMemoryBudget } from './memory.js';
import { leemlabVersion } from './version.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** Version of the project's own `.venv`; undefined where there is none. */
function pythonVersion(signal: AbortSignal): Promise<string | undefined> {
  const python = join(PROJECT, '.venv', ...(process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']));
  if (!existsSync(python)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(python, ['-c', 'import platform; print(platform.python_version())'], { timeout: 20_000, signal }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim()),
    );
  });
}

function describeTest({ kernel, shape, tested, against, error, tolerance, passed, problem }: SelfTestResult): string {
  const outcome = problem ?? `difference ${error.toExponential(1)} of ${tolerance.toExponential(0)} allowed`;
  return `  ${passed ? 'ok    ' : 'FAILED'}  ${kernel.padEnd(8)} ${shape.join(' × ').padEnd(12)} ${tested} against ${against}: ${outcome}`;
}

function platformNotes(native: boolean): string[] {
  const notes: string[] = [];
  if (process.platform === 'darwin' || process.platform === 'win32') {
    notes.push(
      'the native TensorFlow library has not been tested on this system; LEEMLAB_BACKEND=cpu computes without it, more slowly',
    );
  }
  if (!native) notes.push('the portable backend computes: results are the same, registration takes many times longer');
  return notes;
}

function print(context: CommandContext, rows: readonly (readonly [string, string])[]): void {
  for (const [name, value] of rows) context.print(`${name.padEnd(16)} ${value}`);
}

export const command: Command = {
  name: 'doctor',
  summary: 'check this installation: versions, backend, memory, self-test',
  usage: '[--json]',
  positionals: [0, 0],
  options: {},
  details: `The self-test compares the portable kernels with their definition and the native kernels with the portable ones;
the exit code is 1 if one fails.`,
  async run(_args, context) {
    const [{ backendInfo, tf }, { selfTest }, python] = await Promise.all([
      import('../backend/index.js'),
      import('../backend/selfTest.js'),
      pythonVersion(context.signal),
    ]);
    context.signal.throwIfAborted();
    const native = backendInfo.name === 'tensorflow';
    const versions = {
      leemlab: leemlabVersion(),
      node: process.versions.node,
      tfjs: tf.version_core,
      tensorflow: native ? backendInfo.version : undefined,
      python,
    };
    const processor = cpus()[0]?.model.trim() ?? 'unknown';
    const memory = {
      machineBytes: totalmem(),
      availableBytes: availableMemoryBytes(),
      defaultBudgetBytes: defaultMemoryBudget(),
    };
    const limited = memory.availableBytes < memory.machineBytes ? ` (limited to ${formatBytes(memory.availableBytes)})` : '';
    print(context, [
      ['leemlab', versions.leemlab],
      ['Node', versions.node],
      ['tfjs', versions.tfjs],
      ['TensorFlow', versions.tensorflow ?? 'not loaded'],
      ['Python (.venv)', python ?? 'not there: npm run setup makes it'],
      ['platform', `${process.platform} ${release()} ${arch()}`],
      ['processor', `${processor}, ${availableParallelism()} cores`],
      [
        'memory',
        `${formatBytes(memory.machineBytes)}${limited}; a run takes ${formatBytes(memory.defaultBudgetBytes)} by default`,
      ],
      ['backend', native ? 'tensorflow (native)' : `cpu (portable), because: ${backendInfo.problem}`],
    ]);
    const notes = platformNotes(native);
    for (const note of notes) context.warn(note);
    const tests = await selfTest();
    const failed = tests.filter((test) => !test.passed);
    context.print('');
    context.print(
      `self-test: ${failed.length === 0 ? `all ${tests.length} comparisons agree` : `${failed.length} of ${tests.length} FAILED`}`,
    );
    for (const test of tests) context.print(describeTest(test));
    const json = {
      versions,
      platform: { system: process.platform, release: release(), architecture: arch(), processor, cores: availableParallelism() },
      memory,
      backend: backendInfo,
      selfTest: tests,
      passed: failed.length === 0,
      warnings: context.warnings,
    };
    return { json, exitCode: failed.length === 0 ? 0 : 1 };
  },
};
