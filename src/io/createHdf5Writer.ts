import { resolve } from 'node:path';
import type { Dataset, File as Hdf5File } from 'h5wasm/node';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { ChunkSink, PixelType } from '../stack/types.js';
import { fileSink } from './fileSink.js';
import { loadHdf5 } from './loadHdf5.js';
import { type OutputInfo, type StackWriterOptions, stackAttributes, stackCoordinates } from './outputInfo.js';

/** HDF5's names of the types, little-endian. */
const DTYPES: Readonly<Record<PixelType, string>> = {
  uint8: '<B',
  uint16: '<H',
  uint32: '<I',
  int8: '<b',
  int16: '<h',
  int32: '<i',
  float32: '<f',
  float64: '<d',
};

/** What the published layout calls the values that stand beside the pixels. */
const PUBLISHED_NAMES: Readonly<Record<string, string>> = { energy: 'Energy_set', mcp_bias: 'MCP_bias' };

/** netCDF's name for a dimension that has no values of its own. */
const BARE_DIMENSION = 'This is a netCDF dimension but not a netCDF variable.';

/**
 * An HDF5 file in the published layout: `Intensity(time, x, y)`, x being the row, one frame a chunk, deflated (level 1),
 * with `Energy_set` or `time`, `multiplier` and `MCP_bias` beside it. Its dimensions are named as netCDF-4 does, so that
 * netCDF programs and xarray read it too. One frame is in memory at a time. (The library takes one filter a dataset, so
 * that the bytes are not shuffled before they are deflated.)
 */
export async function createHdf5Writer(path: string, info: OutputInfo, options: StackWriterOptions): Promise<ChunkSink> {
  const { File } = await loadHdf5();
  return fileSink(path, info, options, async (part) => {
    const file = inPlainWords(() => new File(resolve(part), 'w'));
    const abandon = (): void => {
      try {
        file.close();
      } catch {
        // what could not be written before cannot be written now
      }
    };
    try {
      if (file.file_id < 0n) throw new Error('the HDF5 library cannot make the file');
      const pixels = inPlainWords(() => describe(file, info, options));
      return {
        write: (index, frame) => inPlainWords(() => pixels.write_slice([[index, index + 1], [], []], frame)),
        close: () =>
          inPlainWords(() => {
            file.flush();
            if (file.close() < 0) throw new Error('the HDF5 library cannot close the file');
          }),
        abandon,
      };
    } catch (error) {
      abandon();
      throw error;
    }
  });
}

function inPlainWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw plainError(error);
  }
}

/** The library's account of an error runs over many lines; what a user needs of it is the system's error. */
function plainError(error: unknown): unknown {
  const text = String((error as Error).message);
  if (!text.startsWith('HDF5-DIAG')) return error;
  const full = /errno = 28|errno = 51|No space left/i.test(text);
  const first = /H5\w+\(\): (.*)/.exec(text)?.[1] ?? 'an error';
  return Object.assign(new Error(`the HDF5 library reports: ${first}`, { cause: error }), full ? { code: 'ENOSPC' } : {});
}

function describe(file: Hdf5File, info: OutputInfo, options: StackWriterOptions): Dataset {
  const { frames, height, width, pixelType = 'uint16' } = info;
  const series = stackCoordinates(info).map(({ name, ...rest }) => ({ ...rest, name: PUBLISHED_NAMES[name] ?? name }));
  for (const { name, values, unit, title } of series) {
    const dataset = file.create_dataset({ name, data: values, shape: [frames], dtype: DTYPES.float64 });
    dataset.create_attribute('long_name', title);
    if (unit !== '') dataset.create_attribute('units', unit);
  }
  const blank = new PIXEL_ARRAYS[pixelType](height * width);
  // made with one frame, then grown: the library wants the values of a new dataset in memory
  const pixels = file.create_dataset({
    name: 'Intensity',
    data: blank,
    shape: [1, height, width],
    maxshape: [frames, height, width],
    dtype: DTYPES[pixelType],
    chunks: [1, height, width],
    compression: 'gzip',
    compression_opts: [1],
  });
  if (frames > 1) pixels.resize([frames, height, width]);
  nameDimensions(
    file,
    pixels,
    info,
    series.map(({ name }) => name),
  );
  for (const [name, value] of Object.entries(stackAttributes(info, options))) {
    // booleans as 0 and 1, as netCDF has none; what is neither text nor number as JSON
    const plain = typeof value === 'boolean' ? Number(value) : value;
    const stored = typeof plain === 'number' || typeof plain === 'string' ? plain : JSON.stringify(plain);
    if (stored !== undefined) file.create_attribute(name, stored);
  }
  return pixels;
}

function nameDimensions(file: Hdf5File, pixels: Dataset, info: OutputInfo, series: readonly string[]): void {
  const sizes = { time: info.frames, x: info.height, y: info.width };
  for (const [axis, [name, size]] of Object.entries(sizes).entries()) {
    const known = series.includes(name);
    const scale = known
      ? (file.get(name) as Dataset)
      : file.create_dataset({ name, data: new Float32Array(size), shape: [size], dtype: DTYPES.float32 });
    scale.make_scale(known ? name : `${BARE_DIMENSION}${String(size).padStart(10)}`);
    pixels.attach_scale(axis, `/${name}`);
  }
  for (const name of series) if (name !== 'time') (file.get(name) as Dataset).attach_scale(0, '/time');
}
