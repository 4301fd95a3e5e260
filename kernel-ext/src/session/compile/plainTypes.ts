import { TYPED_ARRAY } from './patchDeclarations.js';
import { namedFile } from './typeSpecifier.js';

const TYPED_ARRAY_DEFAULT = new RegExp(`\\b(${TYPED_ARRAY})<ArrayBufferLike>`, 'g');

/**
 * A type as the user would write it: without the parameter of typed arrays where it says nothing, and without the files that
 * types come from.
 */
export function plainTypes(text: string): string {
  return text
    .replace(TYPED_ARRAY_DEFAULT, '$1')
    .replace(/(typeof )?import\("([^"]*)"\)(\.default\b|\.)?/g, (_whole, query, specifier, member) => {
      const file = namedFile(specifier) ?? specifier;
      if (query) return `typeof import("${file}")${member ?? ''}`;
      return member === '.default' ? baseName(file) : '';
    });
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1).replace(/(?:\.d)?\.[mc]?[jt]sx?$/, '');
}
