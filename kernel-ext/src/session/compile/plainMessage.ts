/**
 * The message of an error as the user's own code would give it: V8 names what was called in the compiled code, where variables of
 * cells are properties of `exports` and imported names those of a module.
 *
 * `(0 , exports.f) is not a function` becomes `f is not a function`.
 */
export function plainMessage(message: string): string {
  return message
    .replace(/\(0\s*,\s*(?:exports|\w+_\d+)\.(\w+)\)/g, '$1')
    .replace(/\bexports\.(?=[\w$]+(?:\S*) is not (?:a function|a constructor|iterable|defined)\b)/g, '')
    .replace(/\b\w+_\d+\.(?=[\w$]+(?:\S*) is not (?:a function|a constructor|iterable)\b)/g, '');
}
