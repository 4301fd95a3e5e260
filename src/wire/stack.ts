import { asArray, asBoolean, asNumber, asObject, asOneOf, asText, asWhole, reject } from './check.js';

/** MIME type of {@link StackBundle}. */
export const STACK_MIME_TYPE = 'application/vnd.leemlab.stack.v1+json';

const DATA_TYPES = ['uint8', 'uint16', 'uint32', 'int8', 'int16', 'int32', 'float32', 'float64'] as const;
const AXIS_NAMES = ['energy', 'time', 'frame'] as const;
const AXIS_UNITS = ['eV', 's', ''] as const;

/** A stack in a Zarr v3 store, for a viewer that reads its frames when they are looked at. */
export interface StackBundle {
  readonly version: 1;
  /** The store's folder relative to the notebook, with `/` between names. */
  readonly path: string;
  /** Name of the array in the store's group; empty where the store is the array. */
  readonly array: string;
  /** `[N, H, W]`. */
  readonly shape: readonly [number, number, number];
  readonly dataType: (typeof DATA_TYPES)[number];
  readonly axis: {
    readonly name: (typeof AXIS_NAMES)[number];
    readonly unit: (typeof AXIS_UNITS)[number];
    /** One value a frame; empty where there are too many: the store has them. */
    readonly values: readonly number[];
  };
  /** Nanometers; absent where it is not known. */
  readonly pixelSizeNanometers?: number | undefined;
  /** Whether a stored 0 says "not measured". */
  readonly zeroIsMissing: boolean;
  /** The values to be shown black and white. */
  readonly contrast: { readonly low: number; readonly high: number };
}

/** Most axis values that a bundle holds: some 80 kB. */
export const MOST_AXIS_VALUES = 10_000;
const MOST_FRAMES = 10_000_000;
const MOST_PIXELS_A_SIDE = 1_000_000;

/** Checks what a notebook holds of a stack: every field, sizes that can be, a path that leads nowhere but beside the notebook. */
export function parseStackBundle(value: unknown): StackBundle {
  const where = 'parseStackBundle';
  const bundle = asObject(where, 'bundle', value);
  const axis = asObject(where, 'axis', bundle.axis);
  const contrast = asObject(where, 'contrast', bundle.contrast);
  const sizes = asArray(where, 'shape', bundle.shape, 3, 3);
  const shape = sizes.map((size, k) =>
    asWhole(where, `shape[${k}]`, size, 1, k === 0 ? MOST_FRAMES : MOST_PIXELS_A_SIDE),
  ) as unknown as StackBundle['shape'];
  const values = asArray(where, 'axis.values', axis.values, 0, MOST_AXIS_VALUES).map((one, n) =>
    asNumber(where, `axis.values[${n}]`, one),
  );
  if (values.length !== 0 && values.length !== shape[0]) reject(where, 'axis.values', `none or ${shape[0]} values`, values);
  const low = asNumber(where, 'contrast.low', contrast.low);
  const high = asNumber(where, 'contrast.high', contrast.high);
  if (low >= high) reject(where, 'contrast.high', `above 'contrast.low' (${low})`, high);
  const size = bundle.pixelSizeNanometers;
  return {
    version: asOneOf(where, 'version', bundle.version, [1]),
    path: asRelativePath(where, 'path', bundle.path),
    array: asArrayName(where, bundle.array),
    shape,
    dataType: asOneOf(where, 'dataType', bundle.dataType, DATA_TYPES),
    axis: {
      name: asOneOf(where, 'axis.name', axis.name, AXIS_NAMES),
      unit: asOneOf(where, 'axis.unit', axis.unit, AXIS_UNITS),
      values,
    },
    ...(size === undefined ? {} : { pixelSizeNanometers: asPixelSize(where, size) }),
    zeroIsMissing: asBoolean(where, 'zeroIsMissing', bundle.zeroIsMissing),
    contrast: { low, high },
  };
}

function asPixelSize(where: string, value: unknown): number {
  const size = asNumber(where, 'pixelSizeNanometers', value);
  if (size <= 0) reject(where, 'pixelSizeNanometers', 'above 0', size);
  return size;
}

function asArrayName(where: string, value: unknown): string {
  const name = asText(where, 'array', value, 200);
  return name === '' ? name : asRelativePath(where, 'array', name);
}

/** A path that starts at the notebook: no root, no scheme or drive, no backslash, no control character. */
function asRelativePath(where: string, name: string, value: unknown): string {
  const path = asText(where, name, value);
  const printable = ![...path].some((letter) => letter < ' ' || letter === '\x7f');
  if (path === '' || !printable || /^\/|^[^/]*:|\\/.test(path))
    reject(where, name, "a relative path with '/' between names, without a scheme", value);
  return path;
}
