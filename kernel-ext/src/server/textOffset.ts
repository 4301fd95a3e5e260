/** The protocol counts Unicode characters, JavaScript UTF-16 units: the place in a string that lies `characters` along. */
export function utf16Offset(text: string, characters: number): number {
  let offset = 0;
  for (let n = 0; n < characters && offset < text.length; n++) offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
}

/** The other way round. */
export function characterOffset(text: string, offset: number): number {
  let characters = 0;
  for (let at = 0; at < offset && at < text.length; characters++) at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  return characters;
}
