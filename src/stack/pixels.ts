import type { PixelArray, PixelType } from './types.js';

/** Bytes that one pixel of a type takes. */
export const BYTES_PER_PIXEL: Readonly<Record<PixelType, number>> = {
  uint8: 1,
  uint16: 2,
  uint32: 4,
  int8: 1,
  int16: 2,
  int32: 4,
  float32: 4,
  float64: 8,
};

/** The typed-array class of each pixel type. */
export const PIXEL_ARRAYS: Readonly<
  Record<PixelType, new (source: number | ArrayBufferLike, offset?: number, length?: number) => PixelArray>
> = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** Whether a type holds whole numbers only. */
export function isIntegerType(type: PixelType): boolean {
  return type !== 'float32' && type !== 'float64';
}
