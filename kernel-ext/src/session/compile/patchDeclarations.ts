import { browserTypes } from './browserTypes.js';
import { laterLibrary } from './laterLibrary.js';

/** Names of typed arrays, as a pattern. */
export const TYPED_ARRAY = '(?:(?:Ui|I)nt(?:8|16|32)|Uint8Clamped|Float(?:32|64)|Big(?:Int|Uint)64)Array';
const TYPED_ARRAY_HEADER = new RegExp(`interface (${TYPED_ARRAY}) \\{`, 'g');

const DATA_VIEW = /interface DataView \{(\s*readonly buffer: )ArrayBuffer;/;

/**
 * A library file of TypeScript 5.0 as later declarations need it.
 *
 * Since TypeScript 5.7 a typed array names its buffer, `Float32Array<ArrayBuffer>`. 5.0 would make `any` of it, silently, so
 * the interfaces get that parameter here; without it they mean what they always meant.
 */
export function patchLibrary(name: string, text: string): string {
  const generic = text.replace(TYPED_ARRAY_HEADER, 'interface $1<TArrayBuffer extends ArrayBufferLike = ArrayBufferLike> {');
  if (name.endsWith('lib.es2023.d.ts')) return generic + laterLibrary() + browserTypes();
  if (!name.endsWith('lib.es5.d.ts')) return generic;
  return generic
    .replace(/(interface \w+Array<TArrayBuffer [^{]*\{[^}]*?readonly buffer: )ArrayBufferLike;/g, '$1TArrayBuffer;')
    .replace(DATA_VIEW, 'interface DataView<TArrayBuffer extends ArrayBufferLike = ArrayBuffer> {$1TArrayBuffer;');
}

/** References to what every program holds anyway; looking them up costs more than all the rest of a small change. */
const NEEDLESS_REFERENCE = /^\/\/\/(?= *<reference (?:lib="es[^"]*"|types="node") *\/>)/gm;

/**
 * A package's declarations as TypeScript 5.0 reads them: import attributes were called assertions then, and
 * references to Node's types and to parts of the library are left out.
 */
export function patchPackage(text: string): string {
  const lean = text.includes('<reference') ? text.replace(NEEDLESS_REFERENCE, '// ') : text;
  if (!lean.includes('resolution-mode') && !/\bfrom\s*['"][^'"\n]*['"]\s*with\b/.test(lean)) return lean;
  return lean
    .replace(/\bwith(\s*:\s*\{\s*['"]resolution-mode)/g, 'assert$1')
    .replace(/(\bfrom\s*['"][^'"\n]*['"]\s*)with(\s*\{)/g, '$1assert$2');
}

const IMPORT_ATTRIBUTES = /(?<=\bfrom\s*(?:'[^'\n]*'|"[^"\n]*")\s*)with\s*\{[^{}]*\}/g;

/** The notebook's own code without `with { type: 'json' }`, which TypeScript 5.0 does not know and nobody needs; same length. */
export function withoutAttributes(text: string): string {
  return text.replace(IMPORT_ATTRIBUTES, (attributes) => attributes.replace(/[^\r\n]/g, ' '));
}

/**
 * Declarations without doc comments, of the same length: a third of the time that parsing takes goes into those, and most of
 * them nobody ever asks for.
 */
export function withoutDocs(text: string): string {
  return text.replace(/\/\*\*(?!\/)/g, '/* ');
}
