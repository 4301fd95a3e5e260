const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it may stand in HTML, in an attribute, and in SVG. Control characters, which XML forbids, are dropped. */
export function escapeText(text: string): string {
  const printable = Array.from(text, (character) => (character < ' ' && !'\n\t'.includes(character) ? '' : character)).join('');
  return printable.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
