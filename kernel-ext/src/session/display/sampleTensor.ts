/** What is used of a tfjs tensor, of whatever copy of tfjs. */
export interface TensorLike {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly size: number;
  readonly isDisposed: boolean;
  /** Of a Variable. */
  readonly name?: string;
  readonly trainable?: boolean;
  data(): Promise<ArrayLike<unknown>>;
  dataSync(): ArrayLike<unknown>;
  dispose(): void;
  reshape?(shape: readonly number[]): TensorLike;
  slice?(begin: readonly number[], size: readonly number[]): TensorLike;
}

/** Numbers of a tensor. */
export type NumericArray = Float32Array | Int32Array | Uint8Array;

/** All or some rows of a tensor's numbers. */
export interface TensorSample {
  readonly values: NumericArray;
  /** How many rows were read, evenly spaced over the tensor. */
  readonly rows: number;
  /** Whether these are all numbers of the tensor. */
  readonly complete: boolean;
}

/** So many elements are read as they are (128 MiB, some tenths of a second); of larger tensors only rows. */
const MOST_ELEMENTS = 2 ** 25;
/** So many elements are read of a larger tensor. */
const SAMPLE_ELEMENTS = 2 ** 23;
/** TensorFlow counts the begin of a slice in 32 bits. */
const MOST_SLICED = 2 ** 31;

/** Whether a value is a tensor or a Variable of tfjs. */
export function isTensor(value: object): value is TensorLike {
  const tensor = value as Partial<TensorLike>;
  return (
    'dataId' in value &&
    'isDisposed' in value &&
    typeof tensor.dtype === 'string' &&
    typeof tensor.size === 'number' &&
    Array.isArray(tensor.shape) &&
    typeof tensor.dataSync === 'function' &&
    typeof tensor.data === 'function'
  );
}

/**
 * The numbers of a tensor, copied once; of a very large one `wanted` evenly spaced rows of `rowLength` elements (fewer where
 * that is still too much), read by slices so that memory for a copy is not needed.
 *
 * @returns undefined if the tensor is too large to be read in parts.
 */
export async function sampleTensor(
  tensor: TensorLike,
  rowLength: number,
  wanted: number,
  most: number = MOST_ELEMENTS,
): Promise<TensorSample | undefined> {
  if (tensor.size <= most) {
    const values = (await tensor.data()) as NumericArray;
    return { values, rows: Math.floor(tensor.size / rowLength), complete: true };
  }
  if (tensor.reshape === undefined || tensor.slice === undefined || tensor.size >= MOST_SLICED) return undefined;
  const all = Math.floor(tensor.size / rowLength);
  const rows = Math.max(1, Math.min(wanted, all, Math.floor(SAMPLE_ELEMENTS / rowLength)));
  const values = tensor.dtype === 'float32' ? new Float32Array(rows * rowLength) : new Int32Array(rows * rowLength);
  const flat = tensor.reshape([tensor.size]);
  try {
    for (let r = 0; r < rows; r++) {
      const row = Math.min(all - 1, Math.floor(((r + 0.5) * all) / rows));
      const part = flat.slice?.([row * rowLength], [rowLength]);
      if (part === undefined) return undefined;
      values.set(part.dataSync() as NumericArray, r * rowLength);
      part.dispose();
    }
  } finally {
    flat.dispose();
  }
  return { values, rows, complete: false };
}
