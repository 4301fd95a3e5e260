/** Text that is already HTML. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text as it may stand in HTML, in an attribute, and in SVG. Control characters, which XML forbids, are dropped. */
export function escapeText(text: string): string {
  const printable = Array.from(text, (character) => (character < ' ' && !'\n\t'.includes(character) ? '' : character)).join('');
  return printable.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

type Part = Html | string | number | undefined | readonly (Html | string | number)[];

function render(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escapeText(String(part));
  return part.map(render).join('');
}

/** HTML from a template: whatever is put in is escaped unless it is {@link Html} itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, k) => text + (k < parts.length ? render(parts[k]) : '')).join(''));
}
