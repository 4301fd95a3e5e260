import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';

const VENV = resolve('.venv');
const PYTHON = join(VENV, 'bin/python');
const EXTENSION = join(VENV, 'share/jupyter/labextensions/@leemlab/jupyterlab/package.json');
const START_MS = 90_000;

/** What the tests in a browser lack here; undefined where they can run. */
export function missingJupyter(): string | undefined {
  if (!existsSync(join(VENV, 'bin/jupyter-lab'))) return 'no JupyterLab in .venv (npm run setup)';
  if (!existsSync(EXTENSION)) return 'the JupyterLab extension is not installed in .venv (npm run setup)';
  return undefined;
}

/** Why the TypeScript kernel cannot be tried; undefined where it is installed. */
export function missingKernel(): string | undefined {
  const places = [...(process.env.JUPYTER_PATH ?? '').split(delimiter).filter(Boolean), join(VENV, 'share/jupyter')];
  if (places.some((place) => existsSync(join(place, 'kernels/leemlab/kernel.js')))) return undefined;
  return 'the TypeScript kernel is not installed in .venv (npm run setup)';
}

/** A Jupyter Server of its own with JupyterLab, in a temporary folder. */
export interface JupyterServer {
  /** Address of JupyterLab with the token. */
  readonly address: string;
  /** The folder that it serves. */
  readonly folder: string;
  /** What it has printed so far. */
  log(): string;
  /** Ends it with its kernels and removes the folder. */
  stop(): Promise<void>;
}

/** Starts JupyterLab on a free port; no setting of the user is read or changed. */
export async function startJupyter(): Promise<JupyterServer> {
  const home = mkdtempSync(join(tmpdir(), 'leemlab-browser-'));
  const folder = join(home, 'notebooks');
  mkdirSync(folder);
  writeSetting(home, '@jupyterlab/apputils-extension/notification', { fetchNews: 'false', checkForUpdates: false });
  const port = await freePort();
  const token = `leemlab${process.pid}x${port}`;
  const options = [
    `--ServerApp.port=${port}`,
    '--ServerApp.port_retries=0',
    '--ServerApp.ip=127.0.0.1',
    `--ServerApp.root_dir=${folder}`,
    `--IdentityProvider.token=${token}`,
    '--ServerApp.open_browser=False',
    '--ServerApp.allow_root=True',
    '--ServerApp.quit_button=False',
    '--LabApp.expose_app_in_browser=True',
    '--LabApp.extension_manager=readonly',
    '--LanguageServerManager.autodetect=False',
  ];
  const output: string[] = [];
  const server = spawn(PYTHON, ['-m', 'jupyterlab', ...options], {
    cwd: folder,
    env: { ...process.env, ...ownPlaces(home) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => output.push(String(data)));
  const stop = async (): Promise<void> => {
    await end(server);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  const address = `http://127.0.0.1:${port}/lab?token=${token}`;
  try {
    await answers(`http://127.0.0.1:${port}/api/status?token=${token}`, server);
  } catch (cause) {
    await stop();
    throw new Error(`startJupyter(): JupyterLab did not start; it printed:\n${output.join('')}`, { cause });
  }
  return { address, folder, log: () => output.join(''), stop };
}

/** Folders that Jupyter and IPython would otherwise take from the user's home. */
function ownPlaces(home: string): Record<string, string> {
  return {
    HOME: home,
    IPYTHONDIR: join(home, 'ipython'),
    JUPYTER_CONFIG_DIR: join(home, 'config'),
    JUPYTER_DATA_DIR: join(home, 'data'),
    JUPYTER_RUNTIME_DIR: join(home, 'runtime'),
    JUPYTERLAB_SETTINGS_DIR: join(home, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(home, 'workspaces'),
    PATH: `${join(VENV, 'bin')}:${process.env.PATH ?? ''}`,
    PYTHONUNBUFFERED: '1',
  };
}

function writeSetting(home: string, plugin: string, setting: object): void {
  const path = join(home, 'settings', `${plugin}.jupyterlab-settings`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(setting));
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function answers(address: string, server: ChildProcess): Promise<void> {
  const last = Date.now() + START_MS;
  while (Date.now() < last) {
    if (server.exitCode !== null) throw new Error(`it ended with code ${server.exitCode}`);
    const response = await fetch(address).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error(`no answer within ${START_MS / 1000} s`);
}

/** SIGTERM lets the server end its kernels; one that hangs is killed. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((done) => server.once('exit', done));
  server.kill('SIGTERM');
  const timer = setTimeout(() => server.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(timer);
}
