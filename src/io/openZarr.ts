import { join } from 'node:path';
import { DataFormatError, throwIfAborted, UnsupportedError } from '../errors.js';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { FrameSource, PixelType, StackAxis, StackInfo } from '../stack/types.js';
import { exists } from './fileAccess.js';
import { axisFrom, type NamedValues } from './stackAxis.js';
import { frameReader } from './zarrFrames.js';
import {
  at,
  childNames,
  folderStore,
  openNode,
  type ZarrArrayNode,
  type ZarrNode,
  type ZarrPlace,
  zarrErrors,
} from './zarrNodes.js';

/** Names under which an array of pixels is looked for first. */
export const PIXEL_NAMES: readonly string[] = ['intensity', 'Intensity', 'data'];

/** Opens a Zarr folder (v3, or v2 as far as zarrita reads it): a group in DESIGN's layout, any group, or a bare array. */
export async function openZarr(folder: string, options: { dataset?: string | undefined } = {}): Promise<FrameSource> {
  return openPlace({ path: folder, store: folderStore(folder), folder }, options);
}

/** {@link openZarr} over http(s). A group must have consolidated metadata, or its array be named with `dataset`. */
export async function openZarrUrl(url: string, options: { dataset?: string | undefined } = {}): Promise<FrameSource> {
  const { FetchStore } = await import('zarrita');
  return openPlace({ path: url, store: new FetchStore(url), folder: undefined }, options);
}

async function openPlace(place: ZarrPlace, options: { dataset?: string | undefined }): Promise<FrameSource> {
  const root = await openNode(place, '');
  const found = root.kind === 'array' ? { name: '', array: root } : await findPixels(place, options.dataset);
  const { name, array } = found;
  assertReadable(array, at(place, name));
  const frames = array.shape.length === 3 ? array.shape[0] : 1;
  const coordinates = root.kind === 'group' ? await readCoordinates(place, name, frames) : [];
  const info = zarrInfo(place, root, array, frames, coordinates);
  const read = await frameReader(place, name, array);
  const isStack = array.shape.length === 3 && place.folder !== undefined && (await exists(join(place.folder, name, 'zarr.json')));
  return {
    info,
    zarr: isStack ? { folder: place.folder as string, array: name } : undefined,
    async readFrame(index, signal) {
      throwIfAborted(signal, 'Reading a frame');
      return read(index, signal);
    },
    close: async () => {},
  };
}

async function findPixels(place: ZarrPlace, dataset: string | undefined): Promise<{ name: string; array: ZarrArrayNode }> {
  if (dataset !== undefined) return { name: dataset, array: assertArray(await openNode(place, dataset), at(place, dataset)) };
  const names = await childNames(place);
  const known = PIXEL_NAMES.find((name) => names.includes(name));
  if (known !== undefined) return { name: known, array: assertArray(await openNode(place, known), at(place, known)) };
  let best: { name: string; array: ZarrArrayNode; size: number } | undefined;
  for (const name of names) {
    const node = await openNode(place, name);
    if (node.kind !== 'array' || node.shape.length < 2 || node.shape.length > 3) continue;
    // a stack goes before a picture, however large that is
    const size = node.shape.reduce((a, b) => a * b, 1) * (node.shape.length === 3 ? 2 ** 20 : 1);
    if (best === undefined || size > best.size) best = { name, array: node, size };
  }
  if (best === undefined) {
    throw new DataFormatError(
      `the Zarr group must hold an array [frame, row, column], got ${names.length === 0 ? 'none' : names.join(', ')}`,
      { path: place.path },
    );
  }
  return best;
}

function assertArray(node: ZarrNode, path: string): ZarrArrayNode {
  if (node.kind === 'array') return node;
  throw new DataFormatError('must be a Zarr array, got a group', { path });
}

function assertReadable(array: ZarrArrayNode, path: string): void {
  if (array.shape.length !== 2 && array.shape.length !== 3) {
    throw new DataFormatError(
      `the array must be [frame, row, column] or [row, column], got ${array.shape.length} dimensions [${array.shape}]`,
      { path },
    );
  }
  if (array.shape.some((size) => size === 0)) throw new DataFormatError(`the array is empty: [${array.shape}]`, { path });
  if (!(array.dtype in PIXEL_ARRAYS)) {
    throw new UnsupportedError(
      `${path}: pixels of type ${array.dtype} are not supported, only ${Object.keys(PIXEL_ARRAYS).join(', ')}`,
    );
  }
}

/** The values a frame that stand beside the pixels: every array of one dimension with as many values as frames. */
async function readCoordinates(place: ZarrPlace, pixels: string, frames: number): Promise<NamedValues[]> {
  const { get } = await import('zarrita');
  const found: NamedValues[] = [];
  for (const name of await childNames(place)) {
    if (name === pixels) continue;
    const node = await openNode(place, name);
    if (node.kind !== 'array' || node.shape.length !== 1 || node.shape[0] !== frames || !/int|float/.test(node.dtype)) continue;
    const { data } = await zarrErrors(at(place, name), () => get(node));
    found.push({ name, values: Float64Array.from(data as ArrayLike<number>, Number), unit: String(node.attrs.units ?? '') });
  }
  return found;
}

function zarrInfo(
  place: ZarrPlace,
  root: ZarrNode,
  array: ZarrArrayNode,
  frames: number,
  coordinates: readonly NamedValues[],
): StackInfo {
  const { pedestal, pixel_size_nm: pixelSize, zero_is_missing: zero, ...attributes } = { ...array.attrs, ...root.attrs };
  const known = ['coordinates', 'long_name', 'units', '_ARRAY_DIMENSIONS', '_FillValue'];
  const [height, width] = array.shape.slice(-2);
  const axis: StackAxis = axisFrom(coordinates, frames);
  const named = (...names: string[]): Float64Array | undefined => coordinates.find(({ name }) => names.includes(name))?.values;
  return {
    frames,
    height,
    width,
    pixelType: array.dtype as PixelType,
    axis,
    pixelSizeNanometers: typeof pixelSize === 'number' ? pixelSize : undefined,
    multiplier: named('multiplier'),
    pedestal: typeof pedestal === 'number' ? pedestal : undefined,
    mcpBiasKilovolts: named('mcp_bias', 'MCP_bias'),
    zeroIsMissing: zero === true,
    format: 'zarr',
    paths: [place.path],
    attributes: Object.fromEntries(Object.entries(attributes).filter(([name]) => !known.includes(name))),
    warnings: axis.kind === 'frame' ? ["no energies or times found; the axis is the frame's index"] : [],
  };
}
