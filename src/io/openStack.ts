import { basename, join } from 'node:path';
import { DataFormatError, OptionError, throwIfAborted, UnsupportedError } from '../errors.js';
import { type Operation, runOperation } from '../host.js';
import { ImageStack } from '../stack/ImageStack.js';
import type { FrameSource } from '../stack/types.js';
import { detectFile, type FileFormat, FORMAT_NAMES, unknownFormat } from './detectFormat.js';
import { exists, isFolder, mapConcurrently } from './fileAccess.js';
import { frameSeries, joinFrames, type OpenedFrames } from './frameSeries.js';
import { expandGlob, isGlob, isSideFile, listFolder } from './listInputs.js';
import { compareNatural } from './naturalOrder.js';
import { openElmitec } from './openElmitec.js';

/** Files whose headers are read at the same time. */
const OPEN_AT_ONCE = 16;

/** What `leem register` and `leem correct` leave in their folder, in order of preference. */
const OWN_RESULTS = ['registered', 'corrected'].flatMap((name) => ['zarr', 'tif', 'h5'].map((end) => `${name}.${end}`));

export interface OpenStackOptions {
  /** Name of the array inside a Zarr group or an HDF5 file; default: the published names, then the largest of 3 dimensions. */
  readonly dataset?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a series of images of any format that leemlab reads, told apart by its contents and not by its name.
 *
 * Headers are read and checked here (a few bytes a file); pixels are read one frame at a time when they are asked for.
 * Files that lie beside images (`.txt`, `.yaml`, hidden ones …) are passed over; everything else must be an image.
 *
 * @param input a folder (of images, a Zarr store, or a result of `leem`), a file, a glob, or a list of files. Files of a
 *   folder or glob come in natural order (`9` before `10`), and so does a list in plain alphabetical order, as a shell
 *   makes it; any other list stays as it is. An URL must lead to a Zarr store.
 * @returns the stack, lazily read; close it when done. `info.warnings` says what had to be assumed.
 * @throws DataFormatError naming the file, and the byte of the failed check where there is one.
 * @throws UnsupportedError for what is valid and cannot be read here.
 */
export async function openStack(input: string | readonly string[], options: OpenStackOptions = {}): Promise<ImageStack> {
  const { signal } = options;
  return runOperation({ label: 'Opening', unit: 'files', signal }, async (operation) => {
    throwIfAborted(operation.signal, 'Opening a stack');
    return new ImageStack(await openSource(input, { ...options, ...operation }));
  });
}

type Options = OpenStackOptions & Operation;

async function openSource(input: string | readonly string[], options: Options): Promise<FrameSource> {
  if (typeof input !== 'string') {
    if (input.length === 0) throw new OptionError("openStack(): 'input' must name at least one file, got an empty list");
    return input.length === 1 ? openSource(input[0], options) : openList(asCounted(input), options);
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(input)) return openUrl(input, options);
  if (await isFolder(input)) return openFolder(input, options);
  if (isGlob(input) && !(await exists(input))) {
    const found = await expandGlob(input);
    return found.length === 1 ? openSource(found[0], options) : openList(await withoutSideFiles(found, input), options);
  }
  return openFile(input, options);
}

async function openUrl(url: string, options: Options): Promise<FrameSource> {
  if (!/^https?:/i.test(url)) throw new UnsupportedError(`openStack(): 'input' must be a path or a http(s) URL, got ${url}`);
  const { openZarrUrl } = await import('./openZarr.js');
  return openZarrUrl(url, options);
}

async function openZarrFolder(folder: string, options: Options): Promise<FrameSource> {
  const { openZarr } = await import('./openZarr.js');
  return openZarr(folder, options);
}

/** A list in plain alphabetical order comes from a shell; then `9` goes before `10`. */
function asCounted(paths: readonly string[]): readonly string[] {
  const alphabetical = paths.every((path, i) => i === 0 || paths[i - 1] <= path);
  return alphabetical ? paths.toSorted(compareNatural) : paths;
}

async function openFolder(folder: string, options: Options): Promise<FrameSource> {
  for (const marker of ['zarr.json', '.zgroup', '.zarray']) {
    if (await exists(join(folder, marker))) return openZarrFolder(folder, options);
  }
  for (const result of OWN_RESULTS) {
    if (await exists(join(folder, result))) return openSource(join(folder, result), options);
  }
  const { files, folders } = await listFolder(folder);
  const stores = folders.filter((name) => name.endsWith('.zarr'));
  const images = await withoutSideFiles(files, folder);
  if (images.length === 0 && stores.length === 1) return openZarrFolder(stores[0], options);
  if (images.length === 0) throw emptyFolder(folder, files, folders);
  return images.length === 1 ? openFile(images[0], options) : openList(images, options);
}

function emptyFolder(folder: string, files: readonly string[], folders: readonly string[]): DataFormatError {
  const inside =
    files.length + folders.length === 0
      ? 'the folder is empty'
      : `the folder holds no images (${[counted(files.length, 'other file'), counted(folders.length, 'folder')].filter(Boolean).join(', ')})`;
  const hint = folders.length > 0 ? `; give one of its folders, such as ${basename(folders[0])}` : '';
  return new DataFormatError(`${inside}${hint}`, { path: folder });
}

function counted(count: number, name: string): string {
  return count === 0 ? '' : `${count} ${name}${count === 1 ? '' : 's'}`;
}

/** Leaves out what is not an image by its contents *and* lies beside images by its name. */
async function withoutSideFiles(paths: readonly string[], where: string, mayBeEmpty = true): Promise<string[]> {
  const formats = await mapConcurrently(paths, OPEN_AT_ONCE, async (path) =>
    isSideFile(path) ? (await detectFile(path)).format : 'image',
  );
  const images = paths.filter((_, i) => formats[i] !== undefined);
  if (images.length === 0 && !mayBeEmpty && paths.length > 0) {
    throw new DataFormatError(`holds no images (${paths.length} other files)`, { path: where });
  }
  return images;
}

async function openFile(path: string, options: Options): Promise<FrameSource> {
  const { format, head } = await detectFile(path);
  if (format === undefined) throw unknownFormat(path, head);
  if (format === 'hdf5') {
    const { openHdf5 } = await import('./openHdf5.js');
    return openHdf5(path, options);
  }
  return frameSeries(await openFrames(path, format));
}

/** Many files of one format, one frame each. */
async function openList(paths: readonly string[], options: Options): Promise<FrameSource> {
  const found = await mapConcurrently(paths, OPEN_AT_ONCE, async (path) => {
    throwIfAborted(options.signal, 'Opening a stack');
    if (await isFolder(path)) {
      throw new DataFormatError('is a folder in a list of files; give the folder alone, or the files in it', { path });
    }
    return { path, ...(await detectFile(path)) };
  });
  const format = commonFormat(found);
  if (format === 'hdf5') {
    throw new DataFormatError(`is one of ${paths.length} HDF5 files, each of which is a stack; open one of them`, {
      path: paths[0],
    });
  }
  let done = 0;
  const opened = await mapConcurrently(paths, OPEN_AT_ONCE, async (path) => {
    throwIfAborted(options.signal, 'Opening a stack');
    const inside = await openFrames(path, format);
    if (inside.frames.length !== 1) {
      throw new DataFormatError(
        `holds ${inside.frames.length} frames, but a series of files must hold one frame each; open this file alone`,
        { path },
      );
    }
    options.progress(++done, paths.length);
    return inside;
  });
  return joinFrames(opened);
}

function commonFormat(found: readonly { path: string; format: FileFormat | undefined; head: Uint8Array }[]): FileFormat {
  const bad = found.find((file) => file.format === undefined);
  if (bad !== undefined) throw unknownFormat(bad.path, bad.head);
  const format = found[0].format as FileFormat;
  const other = found.find((file) => file.format !== format);
  if (other !== undefined) {
    const name = FORMAT_NAMES[other.format as FileFormat];
    throw new DataFormatError(
      `is a ${name} file among ${FORMAT_NAMES[format]} files such as ${basename(found[0].path)}; a stack must have one format`,
      { path: other.path, offset: 0 },
    );
  }
  return format;
}

/** The frames of one file; each format's module is loaded when it is needed. */
async function openFrames(path: string, format: Exclude<FileFormat, 'hdf5'>): Promise<OpenedFrames> {
  switch (format) {
    case 'elmitec':
      return openElmitec(path);
    case 'tiff':
      return (await import('./openTiff.js')).openTiff(path);
    case 'nlp':
      return (await import('./openNlp.js')).openNlp(path);
    case 'png':
      return (await import('./openPng.js')).openPng(path);
  }
}
