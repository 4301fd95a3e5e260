import { inspectText } from './inspectText.js';
import type { MimeBundle } from './types.js';

/** The versions of Vega-Lite that JupyterLab, Notebook and VS Code render. */
const OLDEST_LITE = 3;
const NEWEST_LITE = 5;
const VEGA = 5;

/**
 * The bundle of a Vega-Lite or Vega spec, told by its `$schema`; undefined if the value is none. A version that front ends do
 * not know gets the nearest one that they render, in the MIME type and in the copy's `$schema`.
 */
export function renderVega(value: object): MimeBundle | undefined {
  const { $schema: schema } = value as { $schema?: unknown };
  if (typeof schema !== 'string') return undefined;
  const found = /\/(vega|vega-lite)\/v(\d+)(?:\.[\w.-]+)?\.json/.exec(schema);
  if (found === null) return undefined;
  const [, kind, digits] = found;
  const version = Number(digits);
  const lite = kind === 'vega-lite';
  const rendered = lite ? Math.min(NEWEST_LITE, Math.max(OLDEST_LITE, version)) : VEGA;
  const type = `application/vnd.${lite ? 'vegalite' : 'vega'}.v${rendered}+json`;
  const spec = rendered === version ? value : { ...value, $schema: `https://vega.github.io/schema/${kind}/v${rendered}.json` };
  return { data: { [type]: spec, 'text/plain': describe(lite ? 'Vega-Lite' : 'Vega', version, rendered, value) } };
}

function describe(name: string, version: number, rendered: number, spec: object): string {
  const { title, mark } = spec as { title?: unknown; mark?: unknown };
  const kind = typeof mark === 'string' ? mark : (mark as { type?: unknown } | undefined)?.type;
  const parts = [`${name} ${version} chart`];
  if (version !== rendered) parts[0] += ` (shown by version ${rendered})`;
  if (typeof kind === 'string') parts.push(kind);
  const heading = typeof title === 'object' && title !== null ? (title as { text?: unknown }).text : title;
  if (heading !== undefined) parts.push(inspectText(heading));
  return parts.join(', ');
}
