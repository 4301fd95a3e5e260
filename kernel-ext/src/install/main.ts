#!/usr/bin/env node
import { realpathSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findSpecs, kernelsBelow, kernelsOfPrefix, pythonPrefix, userDataFolder } from './kernelSpecs.js';
import { DISPLAY_NAME, SERVER, writeSpec } from './writeSpec.js';

const USAGE = `leem-kernel install [--user | --sys-prefix | --prefix P] [--name N] [--display-name TEXT]
                     makes the kernel known to Jupyter: for you (--user), in the active Python environment
                     (--sys-prefix), or below P. Default: the environment if one is active, else for you
leem-kernel list     shows where it is installed, and whether what it starts is still there
leem-kernel remove [--name N] [--user | --sys-prefix | --prefix P]
                     takes it away again, everywhere unless a place is given
`;

/** Wrong use: told with the usage, exit code 2. */
class UsageError extends Error {}

interface Place {
  readonly user?: boolean | undefined;
  readonly 'sys-prefix'?: boolean | undefined;
  readonly prefix?: string | undefined;
}

/** The folder that was asked for; undefined if none was. */
function chosenFolder(place: Place): string | undefined {
  const chosen = [place.user, place['sys-prefix'], place.prefix !== undefined].filter(Boolean).length;
  if (chosen > 1) throw new UsageError('give one of --user, --sys-prefix and --prefix');
  if (place.user) return kernelsBelow(userDataFolder());
  if (place.prefix !== undefined) return kernelsOfPrefix(resolve(place.prefix));
  if (!place['sys-prefix']) return undefined;
  const prefix = pythonPrefix();
  if (prefix === undefined) throw new Error('install: no Python was found for --sys-prefix; give --prefix P or --user');
  return kernelsOfPrefix(prefix);
}

function defaultFolder(): string {
  const { VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const environment = VIRTUAL_ENV || CONDA_PREFIX;
  return environment ? kernelsOfPrefix(environment) : kernelsBelow(userDataFolder());
}

function install(place: Place, name: string | undefined, displayName: string | undefined): void {
  const { folder, replaced } = writeSpec(chosenFolder(place) ?? defaultFolder(), { name, displayName });
  process.stdout.write(`Installed '${displayName ?? DISPLAY_NAME}' in ${folder}\n`);
  if (replaced && replaced.target !== SERVER) process.stdout.write(`It replaces one that started ${replaced.target}\n`);
  const others = findSpecs().filter((spec) => spec.folder !== folder && spec.name === (name ?? 'leemlab'));
  for (const other of others) {
    process.stdout.write(`Note: another one of the same name is in ${other.folder}; Jupyter takes the one that it finds first\n`);
  }
}

function list(): void {
  const specs = findSpecs();
  if (specs.length === 0) process.stdout.write('Not installed; npx leem-kernel install does it\n');
  for (const { name, displayName, folder, target, works } of specs) {
    const state = works ? `starts ${target}` : `BROKEN: ${target} is gone; run npx leem-kernel install again`;
    process.stdout.write(`${name}  ${displayName}\n    ${folder}\n    ${state}\n`);
  }
}

function remove(place: Place, name: string): void {
  const folder = chosenFolder(place);
  const specs = findSpecs(folder === undefined ? undefined : [folder]).filter((spec) => spec.name === name);
  if (specs.length === 0)
    throw new Error(`remove: no kernel of leemlab is installed as '${name}'; npx leem-kernel list shows all`);
  for (const spec of specs) {
    rmSync(spec.folder, { recursive: true });
    process.stdout.write(`Removed ${spec.folder}\n`);
  }
}

/** Runs the command; gives its exit code. */
export function runInstaller(argv: readonly string[]): number {
  try {
    const { values, positionals } = parse(argv);
    const [command, ...rest] = positionals;
    if (values.help || command === undefined) {
      process.stdout.write(USAGE);
      return values.help ? 0 : 2;
    }
    if (rest.length > 0) throw new UsageError(`'${rest[0]}' is one word too many`);
    if (command === 'install') install(values, values.name, values['display-name']);
    else if (command === 'list') list();
    else if (command === 'remove') remove(values, values.name ?? 'leemlab');
    else throw new UsageError(`there is no command '${command}'`);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`leem-kernel: ${message}\n${error instanceof UsageError ? USAGE : ''}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        user: { type: 'boolean' },
        'sys-prefix': { type: 'boolean' },
        prefix: { type: 'string' },
        name: { type: 'string' },
        'display-name': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('.')[0] : String(error));
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = runInstaller(process.argv.slice(2));
}
