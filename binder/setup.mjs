#!/usr/bin/env node
import { spawn, spawnSync } from 'node:child_process';
// Sets the project up after a clone: packages, native TensorFlow, Python environment, build, kernelspec.
// No dependencies, so that it runs before anything is installed. Binder's postBuild calls it too.
// Every step has a stamp of what it depends on; a second run skips what is done.
//
//   node binder/setup.mjs            what `npm start` needs
//   node binder/setup.mjs --tests    the same, and the Python packages of the tests
import { createHash } from 'node:crypto';
import {
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
const TENSORFLOW_VERSION = '2.21.0';
const WITH_TESTS = process.argv.includes('--tests');
const IS_WINDOWS = process.platform === 'win32';
const VENV_BIN = join(ROOT, '.venv', IS_WINDOWS ? 'Scripts' : 'bin');
const VENV_PYTHON = join(VENV_BIN, IS_WINDOWS ? 'python.exe' : 'python');
const TFJS_NODE = join(ROOT, 'node_modules', '@tensorflow', 'tfjs-node');

/** A condition of the machine that setup cannot mend itself: one line, what is missing and the command for it. */
class MissingError extends Error {}

const hash = (...parts) => createHash('sha256').update(parts.join('\0')).digest('hex');
const read = (file) => readFileSync(join(ROOT, file), 'utf8');

function run(command, args, { cwd = ROOT, env } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: IS_WINDOWS && command === 'npm',
    });
    let log = '';
    const keep = (data) => {
      log = (log + data).slice(-20000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0
        ? done(log)
        : fail(
            new Error(
              `${command} ${args.slice(0, 4).join(' ')} … ended with code ${code}\n${log.trim().split('\n').slice(-15).join('\n')}`,
            ),
          ),
    );
  });
}

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

function findPython() {
  const asked = process.env.LEEMLAB_PYTHON;
  const check = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
  for (const name of asked ? [asked] : ['python3', 'python', 'python3.13', 'python3.12', 'python3.11', 'python3.10'])
    if (works(name, ['-c', check])) return name;
  throw new MissingError(
    'Python 3.10 or newer with venv is missing: apt-get install python3 python3-venv (or set LEEMLAB_PYTHON)',
  );
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new MissingError(
      `Node ${process.versions.node} is too old, 20.19 or newer is needed: nvm install 22 (or your system's package of Node)`,
    );
}

// ---- the steps; each gives {stamp: what it depends on, done: is the result there, work: how to make it} ----

/** The rows of requirements.txt that a run needs: the part after "# tests" only with --tests. */
function requirements() {
  const [always, tests = ''] = read('binder/requirements.txt').split('# tests');
  return (WITH_TESTS ? `${always}${tests}` : always)
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l && !l.startsWith('#'));
}

function steps(python) {
  const lock = hash(read('package-lock.json'));
  const wheelDir = join(STATE, `tensorflow-${TENSORFLOW_VERSION}`);
  const tensorflow = process.platform === 'linux' && process.arch === 'x64';
  return [
    {
      name: 'npm packages',
      stamp: lock,
      done: () => existsSync(TFJS_NODE),
      work: () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']),
    },
    {
      name: 'Python environment (.venv)',
      stamp: hash(VENV_PYTHON, 'venv'),
      done: () => existsSync(VENV_PYTHON) && works(VENV_PYTHON, ['-m', 'pip', '--version']),
      work: () => run(python, ['-m', 'venv', '--clear', '.venv']),
    },
    {
      name: WITH_TESTS ? 'Python packages for JupyterLab and the tests' : 'Python packages for JupyterLab',
      group: 'pip',
      stamp: requirements().join('\n'),
      done: (stamp) => Boolean(stamp) && requirements().every((row) => stamp.split('\n').includes(row)),
      work: () => run(VENV_PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements()]),
    },
    tensorflow && {
      name: `native TensorFlow ${TENSORFLOW_VERSION} (274 MB)`,
      stamp: TENSORFLOW_VERSION,
      done: () => existsSync(join(wheelDir, 'lib', 'libtensorflow_framework.so.2')),
      optional: true,
      work: () => unpackTensorflow(wheelDir),
    },
    {
      name: 'TensorFlow binding for Node',
      stamp: hash(lock, TENSORFLOW_VERSION, process.platform, process.arch),
      done: () => existsSync(join(TFJS_NODE, 'lib', 'napi-v8', 'tfjs_binding.node')),
      optional: true,
      work: () => (existsSync(join(wheelDir, 'lib')) ? buildBinding(wheelDir) : downloadBinding()),
    },
    {
      name: 'leemlab (TypeScript build)',
      stamp: hash(lock, ...sources(join(ROOT, 'src')), read('tsconfig.json'), read('tsconfig.build.json')),
      done: () => existsSync(join(ROOT, 'dist', 'index.js')),
      work: async () => {
        rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
        await run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
      },
    },
    {
      name: 'Jupyter kernel',
      stamp: hash('kernel-1', ROOT, process.execPath),
      done: () => existsSync(kernelspec()),
      work: installKernel,
    },
  ].filter(Boolean);
}

function sources(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .sort()
    .filter((f) => f.endsWith('.ts'))
    .flatMap((f) => [f, readFileSync(join(folder, f), 'utf8')]);
}

/** Takes the two libraries and the headers out of the Python wheel; the rest of it (500 MB) is not unpacked. */
async function unpackTensorflow(target) {
  const work = `${target}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await run(VENV_PYTHON, [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--python-version',
    '3.12',
    '--dest',
    work,
    `tensorflow-cpu==${TENSORFLOW_VERSION}`,
  ]);
  const script = `
import glob, os, shutil, sys, zipfile
work = sys.argv[1]
wheel, = glob.glob(os.path.join(work, '*.whl'))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith('tensorflow/include/'):
            target = os.path.join(work, 'include', name[len('tensorflow/include/'):])
        elif name in ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'):
            target = os.path.join(work, 'lib', os.path.basename(name))
        else:
            continue
        if name.endswith('/'):
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(name) as source, open(target, 'wb') as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
os.remove(wheel)
`;
  await run(VENV_PYTHON, ['-c', script, work]);
  rmSync(target, { recursive: true, force: true });
  renameSync(work, target);
}

/** Compiles tfjs-node's own binding against these libraries (needs only g++ and npm's node-api-headers). */
async function buildBinding(wheelDir) {
  if (!works('g++', ['--version'])) throw new MissingError('g++ is missing: apt-get install g++');
  const deps = join(TFJS_NODE, 'deps');
  rmSync(deps, { recursive: true, force: true });
  mkdirSync(join(deps, 'lib'), { recursive: true });
  const link = (from, to) => {
    if (!lstatSync(to, { throwIfNoEntry: false })) symlinkSync(from, to);
  };
  link(join(wheelDir, 'include'), join(deps, 'include'));
  for (const [file, names] of [
    ['libtensorflow_cc.so.2', ['libtensorflow_cc.so.2', 'libtensorflow.so', 'libtensorflow.so.2']],
    ['libtensorflow_framework.so.2', ['libtensorflow_framework.so.2', 'libtensorflow_framework.so']],
  ])
    for (const name of names) link(join(wheelDir, 'lib', file), join(deps, 'lib', name));
  const out = join(TFJS_NODE, 'lib', 'napi-v8');
  mkdirSync(out, { recursive: true });
  const binding = join(TFJS_NODE, 'binding');
  await run('g++', [
    '-O2',
    '-shared',
    '-fPIC',
    '-std=c++17',
    '-DNAPI_VERSION=8',
    '-I',
    join(ROOT, 'node_modules', 'node-api-headers', 'include'),
    '-I',
    TFJS_NODE,
    '-I',
    join(deps, 'include'),
    ...readdirSync(binding)
      .filter((f) => f.endsWith('.cc'))
      .map((f) => join(binding, f)),
    '-L',
    join(deps, 'lib'),
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
    '-o',
    join(out, 'tfjs_binding.node'),
  ]);
}

/** tfjs-node's own installer, where the wheel cannot serve: it downloads libtensorflow and a prebuilt binding. */
async function downloadBinding() {
  await run(process.execPath, ['scripts/install.js'], { cwd: TFJS_NODE });
}

const kernelspec = () => join(ROOT, '.venv', 'share', 'jupyter', 'kernels', 'leemlab', 'kernel.json');

async function installKernel() {
  // The notebooks import 'leemlab' by its name, as a user's notebook does.
  const self = join(ROOT, 'node_modules', 'leemlab');
  if (!lstatSync(self, { throwIfNoEntry: false })) symlinkSync(ROOT, self, 'junction');
  mkdirSync(dirname(kernelspec()), { recursive: true });
  const spec = {
    argv: [
      process.execPath,
      '--conditions=import',
      '--no-warnings',
      join(ROOT, 'node_modules', 'tslab', 'bin', 'tslab'),
      'kernel',
      '--config-path',
      '{connection_file}',
    ],
    display_name: 'TypeScript (leemlab)',
    language: 'typescript',
    env: { TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' },
  };
  writeFileSync(kernelspec(), `${JSON.stringify(spec, null, 2)}\n`);
}

// ---- run them ----

function ticker(label) {
  const start = Date.now();
  const terminal = process.stderr.isTTY;
  if (!terminal) process.stderr.write(`${label} …\n`);
  const timer =
    terminal && setInterval(() => process.stderr.write(`\r${label} … ${Math.round((Date.now() - start) / 1000)} s `), 500);
  return (end) => {
    if (timer) clearInterval(timer);
    process.stderr.write(`${terminal ? '\r' : ''}${label}: ${end ?? `${((Date.now() - start) / 1000).toFixed(1)} s`}      \n`);
  };
}

async function main() {
  checkNode();
  const python = findPython();
  mkdirSync(STATE, { recursive: true });
  const all = steps(python);
  let worked = 0;
  for (const [index, step] of all.entries()) {
    const stampFile = join(STATE, `${hash(step.group ?? step.name).slice(0, 12)}.stamp`);
    const stamp = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
    const fresh = step.group ? step.done(stamp) : stamp === step.stamp && step.done(stamp);
    if (fresh) continue;
    worked++;
    const end = ticker(`[${index + 1}/${all.length}] ${step.name}`);
    try {
      await step.work();
      writeFileSync(stampFile, step.stamp);
      end();
    } catch (error) {
      end('failed');
      if (error instanceof MissingError || !step.optional) throw error;
      process.stderr.write(
        `  ${error.message.split('\n')[0]}\n  leemlab goes on with the portable backend, which is slower; \`npx leem doctor\` says more.\n`,
      );
    }
  }
  if (worked === 0) process.stderr.write('Set-up: everything is in place.\n');
}

main().catch((error) => {
  process.stderr.write(`${error instanceof MissingError ? 'Set-up: ' : 'Set-up failed: '}${error.message}\n`);
  process.exitCode = 1;
});
