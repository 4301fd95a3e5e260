import { OptionError, ShapeError } from '../errors.js';
import { PIXEL_ARRAYS } from '../stack/pixels.js';
import type { FramePlacement, PixelArray, PixelType, StackAxis } from '../stack/types.js';

/** What is known of a stack before its first frame is written. A `StackInfo` is one. */
export interface OutputInfo {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** Default `uint16`, the type that `writePlaced` makes. */
  readonly pixelType?: PixelType;
  readonly axis: StackAxis;
  readonly pixelSizeNanometers?: number | undefined;
  readonly multiplier?: Float64Array | undefined;
  readonly pedestal?: number | undefined;
  readonly mcpBiasKilovolts?: Float64Array | undefined;
  /** Default true: 0 says "not measured", which frames written with `writePlaced` need. */
  readonly zeroIsMissing?: boolean;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Output formats of stacks. */
export type StackFormat = 'zarr' | 'tiff' | 'hdf5';

export interface StackWriterOptions {
  /** Worker threads that place, compress and write frames (Zarr only); default 2, or 1 on a single core. 0: none. */
  readonly threads?: number | undefined;
  /** Attributes of the whole stack, such as its provenance, as JSON values; beside those of `info`. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined;
  /** Whether a result that has the name already is replaced, when the new one is complete. Default false. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The format-independent attributes of a written stack. */
export function stackAttributes(info: OutputInfo, options: StackWriterOptions): Record<string, unknown> {
  return {
    ...info.attributes,
    ...options.attributes,
    pedestal: info.pedestal ?? 0,
    zero_is_missing: info.zeroIsMissing ?? true,
    ...(info.pixelSizeNanometers === undefined ? {} : { pixel_size_nm: info.pixelSizeNanometers }),
  };
}

/** Checks the sizes and the number of values a frame, once, before anything is written. */
export function assertOutputInfo(info: OutputInfo): void {
  for (const name of ['frames', 'height', 'width'] as const) {
    if (!Number.isInteger(info[name]) || info[name] < 1) {
      throw new OptionError(`createStackWriter(): 'info.${name}' must be a whole number from 1, got ${info[name]}`);
    }
  }
  const perFrame = { axis: info.axis.values, multiplier: info.multiplier, mcpBiasKilovolts: info.mcpBiasKilovolts };
  for (const [name, values] of Object.entries(perFrame)) {
    if (values !== undefined && values.length !== info.frames) {
      throw new ShapeError(`createStackWriter(): 'info.${name}' must hold ${info.frames} values, got ${values.length}`);
    }
  }
}

/** Keeps account of the frames that were written: each once, of the right type and size, and all of them in the end. */
export class FrameLedger {
  readonly #info: OutputInfo;
  readonly #done: Uint8Array;

  constructor(info: OutputInfo) {
    this.#info = info;
    this.#done = new Uint8Array(info.frames);
  }

  /** Checks and notes frame `index` that `writeFrame` got. */
  takeFrame(index: number, pixels: PixelArray): void {
    const { height, width, pixelType = 'uint16' } = this.#info;
    if (!(pixels instanceof PIXEL_ARRAYS[pixelType]) || pixels.length !== height * width) {
      throw new ShapeError(
        `writeFrame(): 'pixels' must hold ${height} × ${width} ${pixelType} values, got ${pixels.length} in a ${pixels.constructor.name}`,
      );
    }
    this.#take(index);
  }

  /** Checks and notes frame `index` that `writePlaced` got. */
  takePlaced(index: number, pixels: PixelArray, placement: FramePlacement): void {
    const { height, width, pixelType = 'uint16', zeroIsMissing = true } = this.#info;
    if (pixelType !== 'uint16' || !zeroIsMissing) {
      throw new OptionError(
        `writePlaced(): the output must be of type uint16 with 'zeroIsMissing' true, because 0 marks what is not measured, got ${pixelType} with ${zeroIsMissing}`,
      );
    }
    if (placement.outHeight !== height || placement.outWidth !== width || pixels.length !== placement.height * placement.width) {
      throw new ShapeError(
        `writePlaced(): 'placement' must put ${pixels.length} pixels on ${height} × ${width}, got ${placement.height} × ${placement.width} on ${placement.outHeight} × ${placement.outWidth}`,
      );
    }
    this.#take(index);
  }

  #take(index: number): void {
    const { frames } = this.#info;
    if (!Number.isInteger(index) || index < 0 || index >= frames) {
      throw new OptionError(`writeFrame(): 'index' must be from 0 to ${frames - 1}, got ${index}`);
    }
    if (this.#done[index] === 1) throw new OptionError(`writeFrame(): 'index' must be new, got ${index} a second time`);
    this.#done[index] = 1;
  }

  /** Throws where frames are missing. */
  assertComplete(): void {
    const missing = Array.from(this.#done.keys()).filter((n) => this.#done[n] === 0);
    if (missing.length > 0) {
      const shown = `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', …' : ''}`;
      throw new OptionError(`finish(): all ${this.#info.frames} frames must be written first, got none for ${shown}`);
    }
  }
}

/** The coordinates of a stack by the names that files give them: values a frame, with their unit. */
export function stackCoordinates(info: OutputInfo): { name: string; values: Float64Array; unit: string; title: string }[] {
  const { axis, frames } = info;
  const title = { energy: 'landing energy', time: 'time since the first frame', frame: 'frame of the input' }[axis.kind];
  const coordinates = [{ name: axis.kind as string, values: axis.values, unit: axis.unit as string, title }];
  const multiplier = info.multiplier ?? new Float64Array(frames).fill(1);
  coordinates.push({ name: 'multiplier', values: multiplier, unit: '', title: 'stored counts per unit of value' });
  if (info.mcpBiasKilovolts !== undefined) {
    coordinates.push({ name: 'mcp_bias', values: info.mcpBiasKilovolts, unit: 'kV', title: 'bias of the channel plate' });
  }
  return coordinates;
}
