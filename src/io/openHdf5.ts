import { resolve } from 'node:path';
import type { Dataset, Group, File as Hdf5File } from 'h5wasm/node';
import { DataFormatError, throwIfAborted, UnsupportedError } from '../errors.js';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { FrameSource, PixelArray, PixelType, StackInfo } from '../stack/types.js';
import { fileSize } from './fileAccess.js';
import { loadHdf5 } from './loadHdf5.js';
import { axisFrom, type NamedValues } from './stackAxis.js';

/** Names of the pixels in published files, which are looked for first. */
const PIXEL_NAMES = ['Intensity', 'intensity', 'data'];

/** HDF5's classes of types. */
const INTEGER = 0;
const FLOAT = 1;

/**
 * Opens an HDF5 or netCDF-4 file lazily: `Intensity(time, x, y)` of the published data, `data(index, x, y)` of its stage
 * scans, `intensity(frame, row, column)` of leemlab, or else the largest array of three dimensions. The first image axis
 * is the row, whatever it is called. Beside it, `Energy_set`, `MCP_bias` and `multiplier` are one value a frame.
 *
 * @throws DataFormatError where the file is damaged or holds no stack.
 */
export async function openHdf5(path: string, options: { dataset?: string | undefined } = {}): Promise<FrameSource> {
  const size = await fileSize(path);
  const { File } = await loadHdf5();
  let file: Hdf5File;
  try {
    file = new File(resolve(path), 'r');
    if (file.file_id < 0n) throw new Error('the library refuses it');
  } catch (cause) {
    throw new DataFormatError(`the HDF5 file cannot be opened; it is truncated or damaged (${size} bytes)`, { path }, { cause });
  }
  try {
    return await hdf5Source(file, path, options.dataset);
  } catch (error) {
    file.close();
    throw error;
  }
}

async function hdf5Source(file: Hdf5File, path: string, name: string | undefined): Promise<FrameSource> {
  const datasets = await listDatasets(file);
  const pixels = findPixels(datasets, path, name);
  const info = hdf5Info(file, datasets, pixels, path);
  const { height, width, pixelType } = info;
  const stack = (pixels.shape as number[]).length === 3;
  let open = true;
  return {
    info,
    async readFrame(index, signal) {
      throwIfAborted(signal, 'Reading a frame');
      if (!open) throw new DataFormatError('the stack was closed', { path });
      const frame = readSlice(pixels, stack ? [[index, index + 1], [], []] : [[], []], path, `frame ${index}`);
      if (frame.length !== height * width) {
        throw new DataFormatError(`frame ${index} must hold ${height * width} pixels, got ${frame.length}`, { path });
      }
      // the library's array may be a view of its own memory
      return frame instanceof PIXEL_ARRAYS[pixelType] ? frame.slice() : new PIXEL_ARRAYS[pixelType](frame as never);
    },
    async close() {
      if (open) file.close();
      open = false;
    },
  };
}

function readSlice(dataset: Dataset, ranges: Parameters<Dataset['slice']>[0], path: string, what: string): PixelArray {
  try {
    return dataset.slice(ranges) as PixelArray;
  } catch (cause) {
    const filter = /filter '?([^'\n]*?)'? is not registered/.exec(String(cause))?.[1];
    if (filter !== undefined) {
      throw new UnsupportedError(
        `${path}: '${dataset.path}' is compressed with the filter ${filter}, which cannot be read here`,
        { cause },
      );
    }
    throw new DataFormatError(`${what} cannot be read from '${dataset.path}'; the file is damaged`, { path }, { cause });
  }
}

/** Every dataset of the file, with the groups it lies in. */
async function listDatasets(file: Hdf5File): Promise<Dataset[]> {
  const { Dataset: DatasetClass, Group: GroupClass } = await loadHdf5();
  const found: Dataset[] = [];
  const visit = (group: Group, depth: number): void => {
    for (const key of group.keys()) {
      const entity = group.get(key);
      if (entity instanceof DatasetClass) found.push(entity);
      else if (entity instanceof GroupClass && depth < 8) visit(entity, depth + 1);
    }
  };
  visit(file, 0);
  return found;
}

const lastName = (dataset: Dataset): string => dataset.path.split('/').at(-1) ?? '';

function findPixels(datasets: readonly Dataset[], path: string, name: string | undefined): Dataset {
  const isStack = (dataset: Dataset): boolean => dataset.shape?.length === 3 && pixelTypeOf(dataset) !== undefined;
  if (name !== undefined) {
    const asked = datasets.find((dataset) => dataset.path === name || dataset.path === `/${name}`);
    const names = datasets.map((dataset) => dataset.path).join(', ');
    if (asked === undefined) throw new DataFormatError(`must hold a dataset '${name}', got ${names || 'none'}`, { path });
    if (![2, 3].includes(asked.shape?.length ?? 0) || pixelTypeOf(asked) === undefined) {
      throw new UnsupportedError(`${path}: the dataset '${name}' must be numbers in [frame, row, column] or [row, column]`);
    }
    return asked;
  }
  const stacks = datasets.filter(isStack);
  const known = PIXEL_NAMES.map((wanted) => stacks.find((dataset) => lastName(dataset) === wanted)).find(Boolean);
  if (known !== undefined) return known;
  const volume = (dataset: Dataset): number => (dataset.shape ?? []).reduce((a, b) => a * b, 1);
  const [largest] = stacks.toSorted((a, b) => volume(b) - volume(a));
  if (largest !== undefined) return largest;
  const shapes = datasets.map((dataset) => `${dataset.path} [${dataset.shape}]`).join(', ');
  throw new DataFormatError(`must hold numbers in [frame, row, column], got ${shapes || 'no dataset'}`, { path });
}

function pixelTypeOf({ metadata }: Dataset): PixelType | undefined {
  const { type, size, signed } = metadata;
  const name = type === INTEGER ? `${signed ? 'int' : 'uint'}${size * 8}` : type === FLOAT ? `float${size * 8}` : '';
  return name in PIXEL_ARRAYS ? (name as PixelType) : undefined;
}

function hdf5Info(file: Hdf5File, datasets: readonly Dataset[], pixels: Dataset, path: string): StackInfo {
  const shape = pixels.shape as number[];
  const [height, width] = shape.slice(-2);
  const frames = shape.length === 3 ? shape[0] : 1;
  if (shape.some((size) => size === 0)) throw new DataFormatError(`the dataset '${pixels.path}' is empty: [${shape}]`, { path });
  const folder = pixels.path.slice(0, pixels.path.lastIndexOf('/') + 1);
  const beside = datasets.filter((dataset) => dataset.path === `${folder}${lastName(dataset)}` && isSeries(dataset, frames));
  const series = beside.map((dataset): NamedValues => {
    const values = Float64Array.from(dataset.value as ArrayLike<number>, Number);
    return { name: lastName(dataset), values, unit: String(attribute(dataset, 'units') ?? '') };
  });
  const named = (...names: string[]): Float64Array | undefined => series.find(({ name }) => names.includes(name))?.values;
  const attributes = { ...attributesOf(pixels), ...attributesOf(file) };
  const { pedestal, zero_is_missing: zero, pixel_size_nm: own, nmperpixel, ...rest } = attributes;
  const size = [own, nmperpixel].find((value) => typeof value === 'number' && value > 0);
  const axis = axisFrom(series, frames);
  return {
    frames,
    height,
    width,
    pixelType: pixelTypeOf(pixels) as PixelType,
    axis,
    pixelSizeNanometers: size as number | undefined,
    multiplier: named('multiplier'),
    pedestal: typeof pedestal === 'number' ? pedestal : undefined,
    mcpBiasKilovolts: named('MCP_bias', 'mcp_bias'),
    zeroIsMissing: zero === 1 || zero === true,
    format: 'hdf5',
    paths: [path],
    attributes: rest,
    warnings: axis.kind === 'frame' ? ["no energies or times found; the axis is the frame's index"] : [],
  };
}

function isSeries(dataset: Dataset, frames: number): boolean {
  const { type } = dataset.metadata;
  // netCDF keeps a dimension without values as a dataset of zeros that says so
  if (String(attribute(dataset, 'NAME') ?? '').startsWith('This is a netCDF dimension but not')) return false;
  return dataset.shape?.length === 1 && dataset.shape[0] === frames && (type === INTEGER || type === FLOAT);
}

function attribute(owner: Dataset | Hdf5File, name: string): unknown {
  return owner.attrs[name]?.json_value;
}

/** netCDF's and HDF5's own book-keeping, which says nothing of the images. */
const BOOKKEEPING = /^(_Net?C|_nc|_FillValue|DIMENSION_LIST|REFERENCE_LIST|CLASS|NAME|coordinates$|units$|long_name$)/i;

function attributesOf(owner: Dataset | Hdf5File): Record<string, unknown> {
  const names = Object.keys(owner.attrs).filter((name) => !BOOKKEEPING.test(name));
  return Object.fromEntries(
    names.map((name) => {
      const value = attribute(owner, name);
      return [name, Array.isArray(value) && value.length === 1 ? value[0] : structured(value)];
    }),
  );
}

/** leemlab stores what HDF5 has no type for as JSON. */
function structured(value: unknown): unknown {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // a text that only looks like it
  }
}
