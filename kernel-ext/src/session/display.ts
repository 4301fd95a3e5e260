import { randomUUID } from 'node:crypto';
import { currentContext } from './cellContext.js';
import { html, json, latex, type MimeBundle, markdown, mime, png, render, svg } from './display/index.js';
import { showBundle } from './host.js';

export interface DisplayOptions {
  readonly id?: string;
  readonly update?: boolean;
}

/** What was shown, to be replaced later. */
class DisplayHandle {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }

  async update(value: unknown): Promise<void> {
    await show(value, { id: this.id, update: true });
  }
}

const shownPromises = new WeakSet<object>();

/** Shows a value: at once if it can be. */
function show(value: unknown, where: { id: string; update: boolean }): void | Promise<void> {
  const finish = (bundle: MimeBundle | undefined): void => {
    if (bundle) showBundle(bundle, where);
    else if (value === undefined) showBundle({ data: { 'text/plain': 'undefined' } }, where);
  };
  const rendered = render(value);
  return rendered instanceof Promise ? rendered.then(finish) : finish(rendered);
}

function showValue(value: unknown, { id = randomUUID(), update = false }: DisplayOptions = {}): Promise<DisplayHandle> {
  const shown = Promise.resolve(show(value, { id, update })).then(() => new DisplayHandle(id));
  shownPromises.add(shown);
  // the cell does not end before it is shown
  currentContext()?.pending.push(shown);
  return shown;
}

/** Shows a value in the front end's pager, below the notebook, instead of in the cell. */
export async function page(value: unknown): Promise<void> {
  const context = currentContext();
  const rendered = typeof value === 'string' ? { data: { 'text/plain': value } } : render(value);
  const shown = Promise.resolve(rendered).then((bundle) => {
    context?.payload.push({ source: 'page', data: bundle?.data ?? { 'text/plain': 'undefined' }, start: 0 });
  });
  context?.pending.push(shown);
  await shown;
}

/** Whether a cell's last value has been shown already, by `display` itself. */
export function isShown(value: unknown): boolean {
  return value instanceof DisplayHandle || (typeof value === 'object' && value !== null && shownPromises.has(value));
}

/** Makes a function that shows what `make` gives. */
function shower<Args extends unknown[]>(make: (...args: Args) => unknown): (...args: Args) => Promise<DisplayHandle> {
  return (...args) => showValue(make(...args));
}

/** Shows a value; with `display.html(…)` and its like, a text in that format. */
export const display: typeof showValue = Object.assign(showValue, {
  html: shower(html),
  markdown: shower(markdown),
  latex: shower(latex),
  svg: shower(svg),
  png: shower(png),
  json: shower(json),
  mime: shower(mime),
});
