#!/usr/bin/env node
// What `npm start` runs: sets the project up, then registers a series. No dependencies.
//
//   npm start                          simulates a series, registers it, compares the drift with the true one
//   npm start -- INPUT [options]       registers INPUT; options go to `leem register`
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const USAGE = `npm start                       simulate a series with known drift, register it, compare
npm start -- INPUT [options]    register your own series; INPUT is a folder, a file or a glob in quotes,
                                the options are those of leem register (npx leem register --help)
`;
/** What the demo's series differs in from the simulation's own defaults. */
const SERIES_OPTIONS = [];
const EXTENSIONS = /\.(zarr|tiff?|h5|hdf5|nc|dat|dav|nlp|png)$/i;

/** A name for the output of these inputs: of the folder that holds them where there are several. */
export function outputName(inputs) {
  const [first] = inputs;
  const isPattern = inputs.length > 1 || (!isUrl(first) && /[*?]/.test(basename(first)));
  const path = isUrl(first) ? new URL(first).pathname : resolve(first);
  const name = basename(isPattern ? dirname(path) : path);
  const plain = (EXTENSIONS.test(name) ? name.slice(0, -extname(name).length) : name).replace(/[^\p{L}\p{N}._-]+/gu, '_');
  return /[\p{L}\p{N}]/u.test(plain) ? plain : 'series';
}

function isUrl(text) {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text);
}

/** Whether a run may write there: nothing is there yet, or a run that was stopped, which goes on. */
function isFree(folder) {
  if (!existsSync(folder)) return true;
  const inside = readdirSync(folder);
  return inside.length === 0 || (inside.includes('pairs.zarr') && !inside.includes('provenance.json'));
}

/** `out/NAME`, or the first of NAME-2, NAME-3 … that holds no finished run. */
export function chooseOutput(root, name) {
  for (let k = 1; ; k++) {
    const folder = join(root, 'out', k === 1 ? name : `${name}-${k}`);
    if (isFree(folder)) return folder;
  }
}

/** What was asked for: the inputs, the options behind them, and the output folder if it is among the options. */
export function readArguments(argv) {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const inputs = end < 0 ? argv : argv.slice(0, end);
  const options = end < 0 ? [] : argv.slice(end);
  const at = options.findIndex((word) => word === '--out' || word.startsWith('--out='));
  const out = at < 0 ? undefined : options[at] === '--out' ? options[at + 1] : options[at].slice('--out='.length);
  return { inputs, options, out };
}

/** Runs Node with a script, passes signals on, and gives its exit code. */
function run(script, args, cwd) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [script, ...args], { cwd, stdio: 'inherit' });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM'];
    for (const signal of signals) process.on(signal, forward);
    child.on('error', fail);
    child.on('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      done(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

const leem = (args, cwd) => run(join(ROOT, 'dist', 'cli', 'main.js'), args, cwd);
const say = (text) => process.stderr.write(`${text}\n`);

/** Simulates the demo's series unless the same one is there. The stamp is written last: a stopped run leaves none. */
async function simulate(series) {
  const stamp = join(dirname(series), 'series.stamp');
  const version = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
  const wanted = `leemlab ${version}: simulate series ${SERIES_OPTIONS.join(' ')}`.trim();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(join(series, 'truth.csv'))) {
    say(`The simulated series is there: ${relative(process.cwd(), series)}`);
    return 0;
  }
  rmSync(stamp, { force: true });
  mkdirSync(dirname(series), { recursive: true });
  const code = await leem(['simulate', 'series', '--out', series, '--overwrite', ...SERIES_OPTIONS], ROOT);
  if (code === 0) writeFileSync(stamp, wanted);
  return code;
}

async function runDemo() {
  const demo = join(ROOT, 'out', 'demo');
  const series = join(demo, 'series');
  const out = join(demo, 'registered');
  const simulated = await simulate(series);
  if (simulated !== 0) return simulated;
  const code = await leem(['register', series, '--out', out, '--overwrite', '--truth', join(series, 'truth.csv')], ROOT);
  return finish(code, out, ROOT);
}

async function runInput({ inputs, options, out: given }, cwd) {
  const out = given ?? chooseOutput(ROOT, outputName(inputs.map((input) => (isUrl(input) ? input : resolve(cwd, input)))));
  // The user's folder is the working folder, so that every path among the options means what the user meant.
  const code = await leem(['register', ...inputs, ...options, ...(given === undefined ? ['--out', out] : [])], cwd);
  return finish(code, resolve(cwd, out), cwd);
}

function finish(code, out, cwd) {
  const report = join(out, 'report.html');
  if (code === 0 && existsSync(report)) say(`Open the report: ${relative(cwd, report) || report}`);
  return code;
}

async function main(argv) {
  const asked = readArguments(argv);
  if (asked.options.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (asked.inputs.length === 0 && asked.options.length > 0) {
    process.stderr.write(`npm start: INPUT must come first, got ${asked.options[0]}\n${USAGE}`);
    return 2;
  }
  const prepared = await run(join(ROOT, 'binder', 'setup.mjs'), [], ROOT);
  if (prepared !== 0) return prepared;
  // npm runs this in the project's folder and tells in INIT_CWD where the user is.
  return asked.inputs.length === 0 ? runDemo() : runInput(asked, process.env.INIT_CWD ?? process.cwd());
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
