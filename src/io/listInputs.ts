import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, sep } from 'node:path';
import { DataFormatError } from '../errors.js';
import { isFolder, readingFrom } from './fileAccess.js';
import { compareNatural } from './naturalOrder.js';

/** Names of files that lie beside images and are not images. */
const SIDE_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    '.yaml .yml .txt .csv .tsv .json .xml .log .md .rst .ini .cfg .conf .toml .html .htm .pdf .doc .docx .odt .xls .xlsx ' +
    '.ods .ppt .pptx .py .ipynb .m .js .ts .mjs .sh .bat .lnk .url .db .zip .gz .xz .7z .tar .svg .npy .npz .mat'
  ).split(' '),
);

/** Whether a file's name says that it lies beside the images (`notes.txt`, `.DS_Store`), without being one. */
export function isSideFile(path: string): boolean {
  const name = basename(path);
  return name.startsWith('.') || SIDE_EXTENSIONS.has(extname(name).toLowerCase());
}

/** The visible files and folders inside `folder`, each in natural order. */
export async function listFolder(folder: string): Promise<{ files: string[]; folders: string[] }> {
  const entries = await readingFrom(folder, () => readdir(folder, { withFileTypes: true }));
  const visible = entries.filter((entry) => !entry.name.startsWith('.')).sort((a, b) => compareNatural(a.name, b.name));
  const files: string[] = [];
  const folders: string[] = [];
  for (const entry of visible) {
    const path = join(folder, entry.name);
    // a link may lead to either
    const isOne = entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(path)));
    (isOne ? folders : files).push(path);
  }
  return { files, folders };
}

/** Whether a text holds the special characters of a glob. */
export function isGlob(text: string): boolean {
  return /[*?[{]/.test(text);
}

/**
 * The paths that match a glob, in natural order: `*`, `?`, `[a-z]` and `{one,two}` within a name, `**` for any folders.
 *
 * @throws DataFormatError where nothing matches.
 */
export async function expandGlob(pattern: string): Promise<string[]> {
  const parts = pattern.split(/[/\\]/);
  const start = isAbsolute(pattern) ? parts.shift() + sep : '';
  const found = (await matchParts(start, parts)).sort(compareNatural);
  if (found.length === 0) throw new DataFormatError('no file matches this pattern', { path: pattern });
  return [...new Set(found)];
}

async function matchParts(base: string, parts: readonly string[]): Promise<string[]> {
  const [part, ...rest] = parts;
  if (part === undefined) return [base];
  if (part === '**') {
    const deeper = (await listed(base)).filter((entry) => entry.folder);
    const found = await Promise.all(deeper.map((entry) => matchParts(join(base, entry.name), parts)));
    return [...(await matchParts(base, rest)), ...found.flat()];
  }
  if (!isGlob(part)) {
    const next = join(base, part);
    if (rest.length > 0) return matchParts(next, rest);
    const beside = await listed(dirname(next));
    return beside.some((entry) => entry.name === basename(next)) ? [next] : [];
  }
  const matches = toExpression(part);
  const named = (await listed(base)).filter(
    (entry) => matches.test(entry.name) && (part.startsWith('.') || !entry.name.startsWith('.')),
  );
  const below = named.filter((entry) => rest.length === 0 || entry.folder);
  return (await Promise.all(below.map((entry) => matchParts(join(base, entry.name), rest)))).flat();
}

async function listed(folder: string): Promise<{ name: string; folder: boolean }[]> {
  try {
    const entries = await readdir(folder === '' ? '.' : folder, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, folder: entry.isDirectory() }));
  } catch {
    return []; // what cannot be listed matches nothing
  }
}

function toExpression(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]*\]|\{[^}]*\}|[\s\S]/g, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (token.length > 1 && token.startsWith('[')) return token.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    if (token.length > 1 && token.startsWith('{')) return `(?:${token.slice(1, -1).split(',').map(escapeText).join('|')})`;
    return escapeText(token);
  });
  return new RegExp(`^${source}$`);
}

const escapeText = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
