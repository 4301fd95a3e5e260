import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../../binder/start.mjs');

interface Start {
  outputName(inputs: readonly string[]): string;
  chooseOutput(root: string, name: string): string;
  readArguments(argv: readonly string[]): { inputs: string[]; options: string[]; out: string | undefined };
}
const start = (await import(pathToFileURL(SCRIPT).href)) as Start;

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'leem-start-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('npm start', () => {
  test.each([
    [['/data/20141023'], '20141023'],
    [['/data/series.v2/'], 'series.v2'],
    [['/data/stack.tif'], 'stack'],
    [['/data/my series (1).h5'], 'my_series_1_'],
    [['/data/run7/*.dat'], 'run7'],
    [['/data/run7/a.dat', '/data/run7/b.dat'], 'run7'],
    [['https://host.example/x/bright.zarr?token=1'], 'bright'],
    [['/'], 'series'],
  ])('the output of %j is called %s', (inputs, name) => {
    expect(start.outputName(inputs)).toBe(name);
  });

  test('a finished run is left alone, a stopped one goes on', () => {
    const out = (name: string) => join(root, 'out', name);
    expect(start.chooseOutput(root, 'a')).toBe(out('a'));
    mkdirSync(join(out('a'), 'pairs.zarr'), { recursive: true });
    expect(start.chooseOutput(root, 'a')).toBe(out('a'));
    writeFileSync(join(out('a'), 'provenance.json'), '');
    expect(start.chooseOutput(root, 'a')).toBe(out('a-2'));
    mkdirSync(out('a-2'));
    writeFileSync(join(out('a-2'), 'notes.txt'), 'not a run at all');
    expect(start.chooseOutput(root, 'a')).toBe(out('a-3'));
  });

  test('inputs come first, and --out is seen in both forms', () => {
    expect(start.readArguments(['a', 'b', '--window', '256'])).toEqual({
      inputs: ['a', 'b'],
      options: ['--window', '256'],
      out: undefined,
    });
    expect(start.readArguments(['a', '--out', 'x']).out).toBe('x');
    expect(start.readArguments(['a', '--out=x y']).out).toBe('x y');
    expect(start.readArguments([])).toEqual({ inputs: [], options: [], out: undefined });
  });

  test('help and wrong use need no set-up', () => {
    const run = (...args: string[]) => spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' });
    expect(run('--help')).toMatchObject({ status: 0, stderr: '' });
    const wrong = run('--window', '256');
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain('npm start: INPUT must come first, got --window');
  });
});

/** A project whose set-up and `leem` only write down how they were called; `leem` then does what `body` says. */
function fakeProject(body: string): { script: string; calls: () => { args: string[]; cwd: string }[] } {
  const project = join(root, 'project');
  for (const folder of ['binder', 'dist/cli']) mkdirSync(join(project, folder), { recursive: true });
  copyFileSync(SCRIPT, join(project, 'binder', 'start.mjs'));
  writeFileSync(join(project, 'package.json'), '{"version":"9.9.9","type":"module"}');
  const log = join(root, 'calls');
  const record = (name: string) =>
    `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
const args = [${JSON.stringify(name)}, ...process.argv.slice(2)];
appendFileSync(${JSON.stringify(log)}, JSON.stringify({ args, cwd: process.cwd() }) + '\\n');
`;
  writeFileSync(join(project, 'binder', 'setup.mjs'), record('setup'));
  writeFileSync(join(project, 'dist', 'cli', 'main.js'), record('leem') + body);
  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  return { script: join(project, 'binder', 'start.mjs'), calls: () => lines().map((line) => JSON.parse(line)) };
}

const SIMULATE = `if (args[1] === 'simulate') { mkdirSync(args[4], { recursive: true }); writeFileSync(args[4] + '/truth.csv', ''); }`;

describe('npm start in a project', () => {
  const project = () => join(root, 'project');

  test('without INPUT: simulates once, registers against the truth, names the report', () => {
    const { script, calls } = fakeProject(
      `${SIMULATE} else { mkdirSync(args[4], { recursive: true }); writeFileSync(args[4] + '/report.html', ''); }`,
    );
    const demo = join(project(), 'out', 'demo');
    const registered = [
      ...['leem', 'register', join(demo, 'series'), '--out', join(demo, 'registered'), '--overwrite'],
      ...['--truth', join(demo, 'series', 'truth.csv')],
    ];
    const first = spawnSync(process.execPath, [script], { encoding: 'utf8', cwd: root });
    expect(first.status).toBe(0);
    expect(first.stderr).toContain(join('out', 'demo', 'registered', 'report.html'));
    expect(calls().map(({ args }) => args)).toEqual([
      ['setup'],
      ['leem', 'simulate', 'series', '--out', join(demo, 'series'), '--overwrite'],
      registered,
    ]);
    expect(spawnSync(process.execPath, [script], { cwd: root }).status).toBe(0);
    expect(
      calls()
        .slice(3)
        .map(({ args }) => args),
    ).toEqual([['setup'], registered]);
  });

  test('a simulation that fails ends it with its code, and is done again the next time', () => {
    const { script, calls } = fakeProject(`if (args[1] === 'simulate') process.exit(1);`);
    for (const times of [1, 2]) {
      expect(spawnSync(process.execPath, [script]).status).toBe(1);
      expect(calls().filter(({ args }) => args[1] === 'simulate')).toHaveLength(times);
      expect(calls().some(({ args }) => args[1] === 'register')).toBe(false);
    }
  });

  test('with INPUT: in the folder of the user, all options passed on, the exit code passed back', () => {
    const { script, calls } = fakeProject('process.exit(2);');
    const user = join(root, 'user');
    mkdirSync(user);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [script, ...args], { cwd: project(), env: { ...process.env, INIT_CWD: user } }).status;
    expect(run('data/run7', '--mask', 'm.tif', '--json')).toBe(2);
    expect(calls()[1]).toEqual({
      args: ['leem', 'register', 'data/run7', '--mask', 'm.tif', '--json', '--out', join(project(), 'out', 'run7')],
      cwd: user,
    });
    expect(run('data/run7', '--out', 'mine')).toBe(2);
    expect(calls()[3]).toEqual({ args: ['leem', 'register', 'data/run7', '--out', 'mine'], cwd: user });
  });

  test('Ctrl-C reaches leem, and its exit code comes back', async () => {
    const { script } = fakeProject(
      `process.on('SIGINT', () => process.exit(130)); console.log('running'); setInterval(() => {}, 1000);`,
    );
    const child = spawn(process.execPath, [script, 'data']);
    await new Promise((resolve) => child.stdout.on('data', resolve));
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
  });
});
