import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function leem(args: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { code: status, stdout, stderr };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leem-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the built leem', () => {
  test('help and version load no TensorFlow', () => {
    // A module that were loaded would appear among the files that Node reports.
    for (const args of [['--help'], ['info', '--help'], ['doctor', '--help'], ['--version'], ['nonsense']]) {
      const { stderr } = leem(args, { NODE_DEBUG: 'module,esm' });
      expect(stderr).not.toMatch(/@tensorflow|tfjs/);
    }
    expect(leem(['--help']).code).toBe(0);
  });

  test('wrong use ends with 2 and one line', () => {
    expect(leem(['register2'])).toMatchObject({ code: 2, stdout: '' });
    const { code, stderr } = leem(['info', 'x', '--fram', '1']);
    expect(code).toBe(2);
    expect(stderr).toBe('leem info: unknown option --fram; did you mean --frame?\n');
  });

  test('a missing input ends with 1 and one line', () => {
    const { code, stdout, stderr } = leem(['info', join(folder, 'nothing')]);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^leem info: .*nothing.*\n$/);
    expect(stderr).not.toContain('    at ');
  });
});

describe('leem info', () => {
  test('tells what a folder of images is, as text and as JSON', () => {
    const series = join(folder, 'series');
    mkdirSync(series);
    for (const n of [0, 1, 2]) {
      const data = Uint8Array.from({ length: 20 * 30 }, (_, i) => (i + n) % 251);
      writeFileSync(join(series, `frame${n}.png`), encode({ width: 30, height: 20, data, channels: 1, depth: 8 }));
    }
    const text = leem(['info', series]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/frames +3\n/);
    expect(text.stdout).toContain('20 rows × 30 columns, uint8');
    const { code, stdout, stderr } = leem(['info', series, '--json', '--frame', '1']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ frames: 3, height: 20, width: 30, pixelType: 'uint8', frame: 1 });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain('20 rows × 30 columns');
    const beyond = leem(['info', series, '--frame', '3']);
    expect(beyond.code).toBe(2);
    expect(beyond.stderr).toContain("--frame must be a whole number from 0 to 2, got '3'");
  });
});

describe('leem doctor', () => {
  test.each([
    ['native or not', {}] as const,
    ['portable', { LEEMLAB_BACKEND: 'cpu' }] as const,
  ])('gives one JSON object and passes its self-test (%s)', (_name, env) => {
    const { code, stdout, stderr } = leem(['doctor', '--json'], env);
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ passed: true, versions: { node: process.versions.node } });
    expect(found.selfTest.length).toBeGreaterThan(0);
    expect(found.memory.defaultBudgetBytes).toBeLessThanOrEqual(found.memory.availableBytes / 2);
    expect(stderr).toContain('self-test: all');
    if ('LEEMLAB_BACKEND' in env) expect(found.backend.name).toBe('cpu');
  });
});

/** Starts a script that runs one command of its own as `leem` does, and waits for its first output. */
function start(body: string, args: readonly string[] = []) {
  const script = join(folder, `command-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(
    script,
    `import { runProcess } from ${JSON.stringify(pathToFileURL(join(ROOT, 'dist/cli/runProcess.js')).href)};
const command = { name: 'work', summary: '', usage: '', positionals: [0, 0], options: {}, async run(args, context) { ${body} } };
void runProcess([{ name: 'work', summary: '', load: async () => command }]);`,
  );
  const child = spawn(process.execPath, [script, 'work', ...args]);
  let stdout = '';
  let stderr = '';
  const ready = new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      stdout += data;
      resolve();
    });
    child.stderr.on('data', (data) => {
      stderr += data;
      resolve();
    });
  });
  const ended = new Promise<Outcome>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ready, ended };
}

const WAIT_FOR_SIGNAL = 'await new Promise((resolve) => context.signal.addEventListener("abort", resolve));';

describe('stopping', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s lets the command clean up, then ends with 130', async (signal) => {
    const { child, ready, ended } = start(
      `context.note('ready'); setInterval(() => {}, 1000); ${WAIT_FOR_SIGNAL} context.note('cleaned up'); throw new Error('aborted');`,
    );
    await ready;
    child.kill(signal);
    expect(await ended).toEqual({ code: 130, stdout: '', stderr: 'ready\ncleaned up\nleem work: stopped\n' });
  });

  test('a command that does not stop is ended', async () => {
    const { child, ready, ended } = start(`context.note('ready'); setInterval(() => {}, 1000); await new Promise(() => {});`);
    await ready;
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: 'ready\n' });
  });

  test('the second Ctrl-C ends at once, the same one twice does not', async () => {
    const { child, ready, ended } = start(
      `context.note('ready'); setInterval(() => {}, 1000); ${WAIT_FOR_SIGNAL}
       process.kill(process.pid, 'SIGINT'); await new Promise((resolve) => setTimeout(resolve, 150)); context.note('still here');
       process.kill(process.pid, 'SIGINT'); await new Promise((resolve) => setTimeout(resolve, 400)); context.note('too late');`,
    );
    await ready;
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: 'ready\nstill here\n' });
  });
});

describe('streams', () => {
  test('under --json nothing but the object reaches stdout, whatever is printed', async () => {
    const { ended } = start(
      `console.log('chatter'); process.stdout.write('more'); context.print('a line'); return { json: { answer: 42 } };`,
      ['--json'],
    );
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stdout).toBe('{"answer":42}\n');
    expect(stderr).toBe('chatter\nmorea line\n');
  });

  test('a reader that went away is no error', async () => {
    const { child, ready, ended } = start(
      `context.print('first'); await new Promise((resolve) => setTimeout(resolve, 200));
       for (let i = 0; i < 1000; i++) context.print('x'.repeat(1000)); return { json: {} };`,
    );
    await ready;
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('an error that nothing waits for still ends in one line', async () => {
    const { ended } = start(`Promise.reject(new Error('lost')); await new Promise((resolve) => setTimeout(resolve, 1000));`);
    expect(await ended).toEqual({ code: 1, stdout: '', stderr: 'leem: lost\n' });
  });

  test('a command that waits for what never comes has failed', async () => {
    const { ended } = start(`await new Promise(() => {});`);
    expect(await ended).toEqual({ code: 1, stdout: '', stderr: 'leem: ended before the work was done\n' });
  });
});
