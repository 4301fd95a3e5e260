import { isLeemError, OptionError, ShapeError } from '../errors.js';
import { openStack, readCsv } from '../io/index.js';
import type { RowsAndColumns } from '../report/index.js';
import type { RunOptions } from './runRegistration.js';

/** The images that the options name, `[height, width]`; undefined where none is given. */
export interface RunImages {
  readonly mask: Float32Array | undefined;
  readonly flat: Float32Array | undefined;
  readonly dark: Float32Array | undefined;
  readonly pattern: Float32Array | undefined;
}

/** Reads the images that the options name and checks their size. */
export async function readImages(options: RunOptions, shape: readonly [number, number], signal: AbortSignal): Promise<RunImages> {
  const read = async (path: string | undefined, option: string): Promise<Float32Array | undefined> =>
    path === undefined ? undefined : readImage(path, shape, option, signal);
  const { mask, flat, dark, pattern } = options;
  return {
    mask: await read(mask, '--mask'),
    flat: await read(flat, '--flat'),
    dark: await read(dark, '--dark'),
    pattern: pattern === 'auto' || pattern === 'none' ? undefined : await read(pattern, '--pattern'),
  };
}

/** Mean of all frames of an image file: flat field, dark count, mask or pattern. */
async function readImage(
  path: string,
  shape: readonly [number, number],
  option: string,
  signal: AbortSignal,
): Promise<Float32Array> {
  const stack = await openStack(path, { signal });
  try {
    const [count, height, width] = stack.shape;
    if (height !== shape[0] || width !== shape[1]) {
      throw new ShapeError(
        `${option} must be ${shape[0]} × ${shape[1]} pixels like the frames, got ${height} × ${width} in ${path}`,
      );
    }
    const mean = new Float32Array(height * width);
    for (let n = 0; n < count; n++) {
      const pixels = await stack.frame(n, signal);
      for (let i = 0; i < mean.length; i++) mean[i] += pixels[i] / count;
    }
    return mean;
  } finally {
    await stack.close();
  }
}

/** The known drift of frames `start` to `start + count` in the columns `drift_row` and `drift_col` of a CSV file. */
export async function readTruth(path: string, start: number, count: number): Promise<RowsAndColumns> {
  const table = await readCsv(path).catch((error: unknown) => {
    throw isLeemError(error) ? error : new OptionError(`--truth must be a CSV file, got ${path}: ${(error as Error).message}`);
  });
  const column = (name: string): Float64Array => {
    const values = table[name];
    if (!values) throw new OptionError(`--truth must have a column '${name}', got ${Object.keys(table).join(', ')} in ${path}`);
    if (values.length < start + count)
      throw new OptionError(`--truth must have a row for each of ${start + count} frames, got ${values.length} in ${path}`);
    return Float64Array.from(values, Number).slice(start, start + count);
  };
  return { rows: column('drift_row'), columns: column('drift_col') };
}
