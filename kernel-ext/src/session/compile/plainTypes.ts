import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TYPED_ARRAY } from './patchDeclarations.js';
import { namedFile } from './typeSpecifier.js';

const TYPED_ARRAY_DEFAULT = new RegExp(`\\b(${TYPED_ARRAY})<ArrayBufferLike>`, 'g');

/**
 * A type, or a message with types in it, as the user would write it: without the parameter of typed arrays where it says nothing, and without the files that
 * types come from.
 */
export function plainTypes(text: string): string {
  return text
    .replace(TYPED_ARRAY_DEFAULT, '$1')
    .replace(/(typeof )?import\("([^"]*)"\)(\.default\b|\.)?/g, (_whole, query, specifier, member) => {
      const file = namedFile(specifier) ?? specifier;
      if (query) return `typeof import("${moduleOf(file)}")${member ?? ''}`;
      return member === '.default' ? baseName(file) : '';
    });
}

/** The package that a declaration file belongs to; a module of the notebook by its own name. */
function moduleOf(file: string): string {
  const inside = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file);
  if (inside) return inside[1];
  if (!/\.d\.[mc]?ts$/.test(file)) return baseName(file);
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { name?: string }).name ?? file;
  }
  return file;
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/(?:\.d)?\.[mc]?[jt]sx?$/, '');
}
