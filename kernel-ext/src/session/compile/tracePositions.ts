import { SourceMap } from 'node:module';

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Gives the place in the original text from which a place in generated code comes, if it comes from there. */
export type Trace = (line: number, column: number) => Position | undefined;

const INLINE_MAP = /\n?\/\/# sourceMappingURL=data:application\/json;base64,([A-Za-z0-9+/=]+)\s*$/;

/** Takes the source map off the end of generated code. */
export function splitMap(code: string): { code: string; map: string } {
  const match = INLINE_MAP.exec(code);
  if (!match) return { code, map: '' };
  return { code: code.slice(0, match.index), map: Buffer.from(match[1], 'base64').toString() };
}

/**
 * Follows a place back through the steps of a compilation, the last step first.
 *
 * The maps are read when somebody asks, which only errors do.
 *
 * @param maps source maps as JSON, from the first step to the last
 * @param prefixLines lines before the original text that are not part of it
 */
export function tracePositions(maps: readonly string[], prefixLines: number): Trace {
  let steps: SourceMap[] | undefined;
  return (line, column) => {
    steps ??= maps.toReversed().map((map) => new SourceMap(JSON.parse(map)));
    let place = { line: line - 1, column: column - 1 };
    for (const step of steps) {
      const entry = step.findEntry(place.line, place.column);
      if (!('originalLine' in entry) || entry.originalLine === undefined) return undefined;
      place = { line: entry.originalLine, column: entry.originalColumn };
    }
    if (place.line < prefixLines) return undefined;
    return { line: place.line - prefixLines + 1, column: place.column + 1 };
  };
}
