import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type InstalledSpec, readSpec } from './kernelSpecs.js';

const RESOURCES = fileURLToPath(new URL('../../resources/', import.meta.url));
/** What a kernelspec starts: the server of this installation. */
export const SERVER: string = fileURLToPath(new URL('../server/main.js', import.meta.url));

export const DISPLAY_NAME: string = 'TypeScript (leemlab)';

/** The content of kernel.json. */
export function kernelJson(displayName: string): object {
  const nodeFolder = dirname(process.execPath);
  return {
    argv: ['node', '--conditions=import', '--no-warnings', '{resource_dir}/kernel.js', '{connection_file}'],
    display_name: displayName,
    language: 'typescript',
    // Ctrl-C reaches the kernel as a message, which also works where signals do not
    interrupt_mode: 'message',
    // `node` is found where it was when the kernel was installed, also by a Jupyter that was not started from a shell
    env: { PATH: `${nodeFolder}${delimiter}\${PATH}`, TF_CPP_MIN_LOG_LEVEL: '2', TF_ENABLE_ONEDNN_OPTS: '0' },
    metadata: { debugger: false, leemlab: { target: SERVER } },
  };
}

/** The program in the kernelspec's folder: plain and old JavaScript, so that even an old Node can say that it is too old. */
export function kernelScript(): string {
  const url = pathToFileURL(SERVER).href;
  return `'use strict';
var fs = require('fs');
var version = process.versions.node.split('.').map(Number);
function stop(message) {
  process.stderr.write('leemlab kernel: ' + message + '\\n');
  process.exit(1);
}
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  stop('Node ' + process.versions.node + ' (' + process.execPath + ') is too old, 20.19 or newer is needed. Install it, then run "npx leem-kernel install" with it.');
}
if (!fs.existsSync(${JSON.stringify(SERVER)})) {
  stop(${JSON.stringify(`${SERVER} is gone: leemlab was moved, removed, or not built. Run "npx leem-kernel install" in its new place.`)});
}
import(${JSON.stringify(url)}).then(function (server) {
  return server.main(process.argv.slice(2));
}).catch(function (error) {
  stop(error && error.stack ? error.stack : String(error));
});
`;
}

/**
 * Writes a kernelspec; it appears whole or not at all.
 *
 * @param kernels the folder that holds kernelspecs.
 * @returns its folder, and what was there before.
 * @throws Error if the folder holds another kernel's spec, or cannot be written.
 */
export function writeSpec(
  kernels: string,
  { name = 'leemlab', displayName = DISPLAY_NAME }: { name?: string; displayName?: string } = {},
): { folder: string; replaced: InstalledSpec | undefined } {
  if (!/^[a-z0-9._-]+$/i.test(name)) {
    throw new Error(`install: '--name' must hold letters, digits, '.', '_' and '-' only, got '${name}'`);
  }
  const folder = join(kernels, name);
  const replaced = readSpec(name, folder);
  if (existsSync(join(folder, 'kernel.json')) && !replaced && !isOlderOfOurs(folder)) {
    throw new Error(`install: ${folder} belongs to another kernel; choose another name with --name`);
  }
  makeFolder(kernels);
  const part = mkdtempSync(join(kernels, `.${name}-`));
  try {
    for (const file of readdirSync(RESOURCES)) copyFileSync(join(RESOURCES, file), join(part, file));
    writeFileSync(join(part, 'kernel.json'), `${JSON.stringify(kernelJson(displayName), null, 2)}\n`);
    writeFileSync(join(part, 'kernel.js'), kernelScript());
    // the folder may lie inside a project of ES modules
    writeFileSync(join(part, 'package.json'), '{ "type": "commonjs" }\n');
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return { folder, replaced };
}

/** One level at a time: Node's `recursive` never returns where the system makes no folders, as below /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    throw new Error(
      `install: the folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code}); choose another place`,
    );
  }
}

/** A spec that only starts tslab, as set-up wrote it before this kernel existed. */
function isOlderOfOurs(folder: string): boolean {
  return readdirSync(folder).length === 1 && folder.endsWith('leemlab');
}
