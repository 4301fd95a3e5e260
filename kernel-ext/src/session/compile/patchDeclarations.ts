const TYPED_ARRAY = '(?:U?Int(?:8|16|32)|Uint8Clamped|Float(?:32|64)|Big(?:Int|Uint)64)Array';
const TYPED_ARRAY_HEADER = new RegExp(`interface (${TYPED_ARRAY}) \\{`, 'g');
const TYPED_ARRAY_DEFAULT = new RegExp(`\\b(${TYPED_ARRAY})<ArrayBufferLike>`, 'g');

/** Names of later library files that declarations use; Node 20 has the values behind them. */
const LATER_LIBRARY = `
type NoInfer<T> = [T][T extends any ? 0 : never];
type BuiltinIteratorReturn = any;
interface IteratorObject<T, TReturn = unknown, TNext = unknown> extends Iterator<T, TReturn, TNext> {
  [Symbol.iterator](): IteratorObject<T, TReturn, TNext>;
}
interface AsyncIteratorObject<T, TReturn = unknown, TNext = unknown> extends AsyncIterator<T, TReturn, TNext> {
  [Symbol.asyncIterator](): AsyncIteratorObject<T, TReturn, TNext>;
}
interface ArrayIterator<T> extends IterableIterator<T> {}
interface MapIterator<T> extends IterableIterator<T> {}
interface SetIterator<T> extends IterableIterator<T> {}
interface StringIterator<T> extends IterableIterator<T> {}
interface RegExpStringIterator<T> extends IterableIterator<T> {}
`;

/**
 * A library file of TypeScript 5.0 as later declarations need it.
 *
 * Since TypeScript 5.7 a typed array names its buffer, `Float32Array<ArrayBuffer>`. 5.0 would make `any` of it, silently, so
 * the interfaces get that parameter here; without it they mean what they always meant.
 */
export function patchLibrary(name: string, text: string): string {
  const generic = text.replace(TYPED_ARRAY_HEADER, 'interface $1<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {');
  if (name.endsWith('lib.es2023.d.ts')) return generic + LATER_LIBRARY;
  if (!name.endsWith('lib.es5.d.ts')) return generic;
  return generic.replace(/(interface \w+Array<TArrayBuffer [^{]*\{[^}]*?readonly buffer: )ArrayBufferLike;/g, '$1TArrayBuffer;');
}

/** A package's declarations in the syntax of TypeScript 5.0: import attributes were called assertions then. */
export function patchPackage(text: string): string {
  if (!text.includes('resolution-mode') && !/\bfrom\s*['"][^'"\n]*['"]\s*with\b/.test(text)) return text;
  return text
    .replace(/\bwith(\s*:\s*\{\s*['"]resolution-mode)/g, 'assert$1')
    .replace(/(\bfrom\s*['"][^'"\n]*['"]\s*)with(\s*\{)/g, '$1assert$2');
}

/** A type as the user writes it: what `patchLibrary` added is left out where it says nothing. */
export function plainTypes(text: string): string {
  return text.replace(TYPED_ARRAY_DEFAULT, '$1');
}
