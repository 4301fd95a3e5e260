const SCHEME = 'file-of-type:';

/**
 * How the declarations of a cell refer to a file where no name in scope leads to a type.
 *
 * TypeScript would take the package's name, and write `any` where its `exports` leave the file out or where a path leads through
 * node_modules. This names the file itself, in words of ours.
 */
export function typeSpecifier(file: string): string {
  return SCHEME + file.replaceAll('/node_modules/', '/~/');
}

/** The file that such a reference names; undefined for all other specifiers. */
export function namedFile(specifier: string): string | undefined {
  return specifier.startsWith(SCHEME) ? specifier.slice(SCHEME.length).replaceAll('/~/', '/node_modules/') : undefined;
}
