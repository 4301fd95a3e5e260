/** The package of an import: `@tensorflow/tfjs/dist/x` is of `@tensorflow/tfjs`. */
export function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** What to do about an import that leads nowhere; undefined where it is not a package. */
export function installRemedy(specifier: string, folder: string): string | undefined {
  if (specifier === '' || /^[./#]/.test(specifier) || specifier.startsWith('node:')) return undefined;
  return `Install it with: npm install ${packageName(specifier)}   (in ${folder})`;
}
