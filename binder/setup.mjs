#!/usr/bin/env node
// Sets the project up after a clone: packages, native TensorFlow, Python environment, build, kernelspec.
// No dependencies, so that it runs before anything is installed. Binder's postBuild calls it too.
// Every step has a stamp of what it depends on, which lies where the step's result lies; a second run skips what is done,
// and a step that was interrupted has no stamp and is done again.
//
//   node binder/setup.mjs            what `npm start` needs
//   node binder/setup.mjs --tests    the same, and the Python packages of the tests
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const STATE = join(ROOT, '.setup');
const MODULES = join(ROOT, 'node_modules');
const DIST = join(ROOT, 'dist');
const KERNEL = join(ROOT, 'kernel-ext');
const LAB = join(ROOT, 'lab-extension');
const TENSORFLOW_VERSION = '2.21.0';
const WITH_TESTS = process.argv.includes('--tests');
const IS_WINDOWS = process.platform === 'win32';
const VENV = join(ROOT, '.venv');
const VENV_PYTHON = join(VENV, IS_WINDOWS ? 'Scripts/python.exe' : 'bin/python');
const TFJS_NODE = join(MODULES, '@tensorflow', 'tfjs-node');
/** The wheel serves on Linux with x64 processors only; elsewhere tfjs-node's own download is tried. */
const HAS_WHEEL = process.platform === 'linux' && process.arch === 'x64';
const WHEEL = join(STATE, `tensorflow-${TENSORFLOW_VERSION}`);
const KERNELSPEC = join(VENV, 'share', 'jupyter', 'kernels', 'leemlab', 'kernel.json');
const LAB_LINK = join(VENV, 'share', 'jupyter', 'labextensions', '@leemlab', 'jupyterlab');
const OLDEST_PYTHON = [3, 10];
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'];

/** A condition of the machine that setup cannot mend itself: what is missing, and the command for it. */
class MissingError extends Error {}

const hash = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex');
const read = (file) => readFileSync(join(ROOT, file), 'utf8');
const say = (text) => process.stderr.write(`${text}\n`);
const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

// ---- programs that setup runs ----

let running;
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => {
    running?.kill(signal);
    say('\nSet-up stopped; the same command goes on with it.');
    process.exit(code);
  });
}

/** Runs a program and gives what it printed; an error holds the end of that, or its beginning where that tells more. */
function run(command, args, { cwd = ROOT, env, show = 'end' } = {}) {
  return new Promise((done, fail) => {
    const shell = IS_WINDOWS && command === 'npm';
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], shell });
    running = child;
    let log = '';
    const keep = (data) => {
      log = show === 'end' ? (log + data).slice(-20000) : (log + data).slice(0, 20000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', fail);
    child.on('close', (code, signal) => {
      running = undefined;
      if (code === 0) return done(log);
      const lines = log.trim().split('\n');
      const shown = show === 'end' ? lines.slice(-15) : lines.slice(0, 15);
      fail(new Error(`${command} ${args.slice(0, 4).join(' ')} … ended with ${signal ?? `code ${code}`}\n${shown.join('\n')}`));
    });
  });
}

// ---- what the machine must have ----

function installCommand(apt, brew, winget) {
  if (process.platform === 'darwin') return `brew install ${brew}`;
  if (IS_WINDOWS) return `winget install ${winget}`;
  return `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install ${apt}`;
}

/** A Python that can make the environment: the newest that the tests' packages know, else any from 3.10 on. */
function findPython() {
  const asked = process.env.LEEMLAB_PYTHON;
  const minors = [14, 13, 12, 11, 10];
  const names = asked ? [asked] : ['python3', 'python', ...minors.map((minor) => `python3.${minor}`)];
  const script =
    'import sys, importlib.util as u; print(*sys.version_info[:2], *[int(bool(u.find_spec(m))) for m in ("venv", "ensurepip")])';
  const found = names.flatMap((name) => {
    const { status, stdout } = spawnSync(name, ['-c', script], { encoding: 'utf8' });
    const [major, minor, venv, ensurepip] = status === 0 ? stdout.trim().split(' ').map(Number) : [];
    return major === undefined
      ? []
      : [{ name, version: `${major}.${minor}`, minor, major, complete: venv === 1 && ensurepip === 1 }];
  });
  const recent = found.filter(({ major, minor }) => major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
  const complete = recent.filter((python) => python.complete);
  const best = complete.find(({ minor }) => minor > OLDEST_PYTHON[1] && minor <= minors[0]) ?? complete[0];
  if (best) return best.name;
  const command = installCommand('python3 python3-venv', 'python', 'Python.Python.3.13');
  if (recent.length > 0) {
    const { version } = recent[0];
    throw new MissingError(
      `Python ${version} lacks venv and ensurepip: ${installCommand(`python${version}-venv`, 'python', 'Python.Python.3.13')}`,
    );
  }
  const needed = OLDEST_PYTHON.join('.');
  if (found.length > 0) {
    throw new MissingError(
      `Python ${found[0].version} is too old, ${needed} or newer is needed: ${command} (or set LEEMLAB_PYTHON to a newer one)`,
    );
  }
  throw new MissingError(`Python ${needed} or newer is missing${asked ? ` (LEEMLAB_PYTHON=${asked})` : ''}: ${command}`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new MissingError(
      `Node ${process.versions.node} is too old, 20.19 or newer is needed: nvm install 22 (or your system's package of Node)`,
    );
}

/** Looks for everything before anything is downloaded, so that all that is missing is told at once. */
function checkMachine(todo) {
  const missing = [];
  const look = (check) => {
    try {
      check();
    } catch (error) {
      missing.push(error.message);
    }
  };
  if (todo.some(({ needs }) => needs === 'python')) look(findPython);
  if (todo.some(({ needs }) => needs === 'g++') && !works('g++', ['--version']))
    missing.push(`g++ is missing: ${installCommand('g++', 'gcc', 'g++')}`);
  if (missing.length > 0) throw new MissingError(missing.join('\nSet-up: '));
}

/** The tests of the report run in a browser, and are skipped where there is none; a bare CI machine gets one. */
async function findChromium() {
  if (CHROMIUM.some(existsSync)) return;
  const isDebian = existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));
  if (process.env.CI === 'true' && isDebian && process.getuid() === 0) {
    const end = ticker('Chromium for the browser tests (CI)');
    try {
      await run('apt-get', ['update', '-qq']);
      await run('apt-get', ['install', '-qq', '--no-install-recommends', 'chromium'], {
        env: { DEBIAN_FRONTEND: 'noninteractive' },
      });
      return end();
    } catch (error) {
      end('failed');
      say(`  ${error.message.split('\n').at(-1)}`);
    }
  }
  say(`Chromium is missing, so the browser tests will be skipped: ${installCommand('chromium', 'chromium', 'Hibbiki.Chromium')}`);
}

// ---- the steps; each gives {stamp: what it depends on, at: where the stamp lies, done: is the result there, work} ----

/** The rows of requirements.txt that a run needs: the part after "# tests" only with --tests. */
function requirements() {
  const [always, tests = ''] = read('binder/requirements.txt').split(/^# tests.*$/m);
  return (WITH_TESTS ? `${always}${tests}` : always)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

function steps() {
  const lock = hash(read('package-lock.json'));
  const rows = requirements();
  return [
    {
      name: 'npm packages',
      at: MODULES,
      stamp: () => lock,
      done: () => existsSync(TFJS_NODE),
      work: () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']),
    },
    {
      name: 'Python environment (.venv)',
      at: VENV,
      needs: 'python',
      stamp: () => hash(VENV),
      done: () => existsSync(VENV_PYTHON),
      work: () => run(findPython(), ['-m', 'venv', '--clear', VENV]),
    },
    {
      name: WITH_TESTS ? 'Python packages for JupyterLab and the tests' : 'Python packages for JupyterLab',
      at: VENV,
      key: 'packages',
      // with the tests' packages there, a run without --tests has what it needs
      stamp: () => rows.join('\n'),
      holds: (old) => rows.every((row) => old.split('\n').includes(row)),
      done: () => true,
      work: () => run(VENV_PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...rows]),
    },
    HAS_WHEEL && {
      name: `native TensorFlow ${TENSORFLOW_VERSION} (274 MB)`,
      at: STATE,
      optional: true,
      stamp: () => TENSORFLOW_VERSION,
      done: () => existsSync(join(WHEEL, 'lib', 'libtensorflow_framework.so.2')),
      work: unpackTensorflow,
    },
    {
      name: 'TensorFlow binding for Node',
      at: MODULES,
      needs: HAS_WHEEL ? 'g++' : undefined,
      optional: true,
      // libraries are linked by absolute paths; once the wheel can be had, a download of another version is replaced
      stamp: () => hash(lock, TENSORFLOW_VERSION, process.platform, process.arch, ROOT, existsSync(WHEEL)),
      done: () => existsSync(join(TFJS_NODE, 'lib', 'napi-v8', 'tfjs_binding.node')),
      work: () => (existsSync(WHEEL) ? buildBinding() : downloadBinding()),
    },
    {
      name: 'leemlab (TypeScript build)',
      at: STATE,
      stamp: () => hash(lock, ...sources(join(ROOT, 'src')), read('tsconfig.json'), read('tsconfig.build.json')),
      done: () => existsSync(join(DIST, 'index.js')) && existsSync(join(DIST, 'backend', 'correlation.wasm')),
      work: buildLibrary,
    },
    {
      name: 'Jupyter kernel (TypeScript build)',
      at: STATE,
      stamp: () => hash(lock, ...sources(join(KERNEL, 'src')), read('tsconfig.json'), read('kernel-ext/tsconfig.json')),
      done: () => existsSync(join(KERNEL, 'dist', 'server', 'main.js')),
      work: buildKernel,
    },
    {
      name: 'Jupyter kernel',
      at: VENV,
      stamp: () => hash('kernel-2', ROOT, process.execPath, read('kernel-ext/src/install/writeSpec.ts')),
      done: () => existsSync(KERNELSPEC) && existsSync(join(MODULES, 'leemlab')),
      work: installKernel,
    },
    {
      name: 'JupyterLab extension',
      at: STATE,
      stamp: () =>
        hash(lock, ...sources(join(LAB, 'src')), ...sources(join(LAB, 'style')), ...sources(join(ROOT, 'src', 'wire'))),
      done: () => existsSync(join(LAB, 'labextension', 'package.json')) && existsSync(join(LAB_LINK, 'package.json')),
      work: installLabExtension,
    },
  ].filter(Boolean);
}

function sources(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .sort()
    .filter((f) => /\.(tsx?|json|css)$/.test(f))
    .flatMap((f) => [f, readFileSync(join(folder, f), 'utf8')]);
}

/** Takes the two libraries and the headers out of the Python wheel; the rest of it (500 MB) is not unpacked. */
async function unpackTensorflow() {
  const work = `${WHEEL}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const choice = ['--no-deps', '--only-binary=:all:', '--python-version', '3.12', `tensorflow-cpu==${TENSORFLOW_VERSION}`];
  await run(VENV_PYTHON, ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--dest', work, ...choice]);
  await run(VENV_PYTHON, [join(ROOT, 'binder', 'unpackWheel.py'), work]);
  rmSync(WHEEL, { recursive: true, force: true });
  renameSync(work, WHEEL);
}

/** Compiles tfjs-node's own binding against these libraries (needs only g++ and npm's node-api-headers). */
async function buildBinding() {
  const deps = join(TFJS_NODE, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  symlinkSync(join(WHEEL, 'include'), join(deps, 'include'));
  for (const [file, names] of [
    ['libtensorflow_cc.so.2', ['libtensorflow_cc.so.2', 'libtensorflow.so', 'libtensorflow.so.2']],
    ['libtensorflow_framework.so.2', ['libtensorflow_framework.so.2', 'libtensorflow_framework.so']],
  ])
    for (const name of names) symlinkSync(join(WHEEL, 'lib', file), join(deps, 'lib', name));
  const out = join(TFJS_NODE, 'lib', 'napi-v8');
  const part = join(out, 'tfjs_binding.part');
  mkdirSync(out, { recursive: true });
  const binding = join(TFJS_NODE, 'binding');
  const code = readdirSync(binding).filter((file) => file.endsWith('.cc'));
  await run(
    'g++',
    [
      ...['-O2', '-shared', '-fPIC', '-std=c++17', '-DNAPI_VERSION=8'],
      ...[join(MODULES, 'node-api-headers', 'include'), TFJS_NODE, join(deps, 'include')].flatMap((path) => ['-I', path]),
      ...code.map((file) => join(binding, file)),
      ...['-L', join(deps, 'lib'), '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'],
      ...['-o', part],
    ],
    { show: 'start' },
  );
  renameSync(part, join(out, 'tfjs_binding.node'));
}

/** tfjs-node's own installer, where the wheel cannot serve: it downloads libtensorflow and a prebuilt binding. */
async function downloadBinding() {
  await run(process.execPath, ['scripts/install.js'], { cwd: TFJS_NODE });
}

/** Compiles into a folder apart, so that an error leaves the last build in its place. */
async function buildLibrary() {
  const part = join(STATE, 'dist.part');
  const old = join(STATE, 'dist.old');
  for (const folder of [part, old]) rmSync(folder, { recursive: true, force: true });
  // not .bin/tsc: that is the older TypeScript which tslab brings along
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', part, '--pretty', 'false'], { show: 'start' });
  const assembly = join('src', 'backend', 'assembly');
  const options = ['--config', join(assembly, 'asconfig.json'), '--outFile', join(part, 'backend', 'correlation.wasm')];
  await run(process.execPath, [join(MODULES, 'assemblyscript', 'bin', 'asc.js'), join(assembly, 'index.ts'), ...options], {
    show: 'start',
  });
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(part, DIST);
  rmSync(old, { recursive: true, force: true });
}

/** The kernel's own build, likewise. */
async function buildKernel() {
  const part = join(STATE, 'kernel.part');
  const dist = join(KERNEL, 'dist');
  rmSync(part, { recursive: true, force: true });
  const compiler = join(MODULES, 'typescript', 'bin', 'tsc');
  await run(process.execPath, [compiler, '-p', 'kernel-ext/tsconfig.json', '--outDir', part, '--pretty', 'false'], {
    show: 'start',
  });
  // npx runs it as a program, and npm made its link before it was there
  chmodSync(join(part, 'install', 'main.js'), 0o755);
  rmSync(dist, { recursive: true, force: true });
  renameSync(part, dist);
}

/** The notebooks, and the JupyterLab extension, import 'leemlab' by its name, as a user's notebook does. */
function linkLibrary() {
  const self = join(MODULES, 'leemlab');
  if (!lstatSync(self, { throwIfNoEntry: false })) symlinkSync(ROOT, self, 'junction');
}

async function installKernel() {
  linkLibrary();
  await run(process.execPath, [join(KERNEL, 'dist', 'install', 'main.js'), 'install', '--prefix', VENV]);
}

/** Builds the extension, and shows it to this environment's JupyterLab where it lies. */
async function installLabExtension() {
  linkLibrary();
  await run(process.execPath, [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', join(LAB, 'tsconfig.json')], { show: 'start' });
  const builder = join(MODULES, '@jupyter', 'builder', 'lib', 'build-labextension.js');
  const core = join(MODULES, '@jupyterlab', 'core-meta', 'core.package.json');
  await run(process.execPath, [builder, '--core-package-file', core, LAB]);
  mkdirSync(dirname(LAB_LINK), { recursive: true });
  rmSync(LAB_LINK, { recursive: true, force: true });
  symlinkSync(join(LAB, 'labextension'), LAB_LINK, 'junction');
  // JupyterLab's own scripts are CommonJS, and the project's package.json above them says otherwise
  writeFileSync(join(VENV, 'package.json'), '{ "type": "commonjs" }\n');
}

// ---- run them ----

function ticker(label) {
  const start = Date.now();
  const terminal = process.stderr.isTTY;
  if (!terminal) say(`${label} …`);
  const timer =
    terminal && setInterval(() => process.stderr.write(`\r${label} … ${Math.round((Date.now() - start) / 1000)} s `), 500);
  return (end) => {
    if (timer) clearInterval(timer);
    say(`${terminal ? '\r' : ''}${label}: ${end ?? `${((Date.now() - start) / 1000).toFixed(1)} s`}      `);
  };
}

const stampFile = ({ at, key, name }) => join(at, `.leemlab-${hash(key ?? name).slice(0, 12)}.stamp`);

function isFresh(step) {
  const file = stampFile(step);
  const old = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  return old !== undefined && (step.holds ? step.holds(old) : old === step.stamp()) && step.done();
}

async function work(step, label) {
  const end = ticker(label);
  try {
    // without the stamp, an interrupted step is done again
    rmSync(stampFile(step), { force: true });
    await step.work();
    writeFileSync(stampFile(step), step.stamp());
    end();
  } catch (error) {
    end('failed');
    if (error instanceof MissingError || !step.optional) throw error;
    const [first, ...rest] = error.message.split('\n');
    say(`  ${first}\n  ${rest.at(-1) ?? ''}`);
    say(
      `  Without it leemlab goes on with tfjs-node's own download, or with the portable backend, which is much slower; npx leem doctor tells which.`,
    );
  }
}

async function main() {
  checkNode();
  mkdirSync(STATE, { recursive: true });
  const all = steps();
  const todo = all.filter((step) => !isFresh(step));
  checkMachine(todo);
  let worked = 0;
  for (const [index, step] of all.entries()) {
    // looked at again: an earlier step may have removed what was there
    if (isFresh(step)) continue;
    worked++;
    await work(step, `[${index + 1}/${all.length}] ${step.name}`);
  }
  if (WITH_TESTS) await findChromium();
  if (worked === 0) say('Set-up: everything is in place.');
}

main().catch((error) => {
  say(`${error instanceof MissingError ? 'Set-up: ' : 'Set-up failed: '}${error.message}`);
  process.exitCode = 1;
});
