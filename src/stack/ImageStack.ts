import type { Tensor2D, Tensor3D } from '@tensorflow/tfjs';
import { Pace, tf } from '../backend/index.js';
import { OptionError, ShapeError, throwIfAborted } from '../errors.js';
import { DISPLAY, joinHostSignal, type MimeBundle, runOperation } from '../host.js';
import { BYTES_PER_PIXEL } from './pixels.js';
import { showStack } from './showStack.js';
import type { FrameSource, PixelArray, StackInfo } from './types.js';

/** Part of a stack: rows and columns from `row`, `column`, `height` × `width` pixels. */
export interface Crop {
  readonly row: number;
  readonly column: number;
  readonly height: number;
  readonly width: number;
}

/** Some frames of a stack in memory. */
export interface StackBlock {
  /** Indices of the frames in this stack. */
  readonly frames: readonly number[];
  readonly pixels: readonly PixelArray[];
}

/**
 * A series of frames `[N, H, W]` that is read when it is needed: slices, crops and coarsened stacks are views that cost
 * nothing until a frame is asked for.
 */
export class ImageStack {
  readonly #source: FrameSource;
  readonly #indices: readonly number[];
  readonly #crop: Crop;
  readonly #coarsen: number;
  /** What is known of this (part of the) stack. */
  readonly info: StackInfo;

  constructor(source: FrameSource, part: { indices?: readonly number[]; crop?: Crop; coarsen?: number } = {}) {
    const { frames, height, width } = source.info;
    this.#source = source;
    this.#indices = part.indices ?? Array.from({ length: frames }, (_, n) => n);
    this.#crop = part.crop ?? { row: 0, column: 0, height, width };
    this.#coarsen = part.coarsen ?? 1;
    this.info = partInfo(source.info, this.#indices, this.#crop, this.#coarsen);
  }

  /** A stack of frames in memory: `[height, width]` arrays of one type. */
  static fromFrames(frames: readonly PixelArray[], shape: readonly [number, number], info: Partial<StackInfo> = {}): ImageStack {
    return new ImageStack(memorySource(frames, shape, info));
  }

  /** `[N, H, W]`. */
  get shape(): [number, number, number] {
    return [this.info.frames, this.info.height, this.info.width];
  }

  /** The index, in the source, of frame `n` of this stack. */
  sourceIndex(n: number): number {
    return this.#indices[n];
  }

  /** The frames `start`, `start + stride`, … below `stop`, as a view. */
  slice(start = 0, stop: number = this.info.frames, stride = 1): ImageStack {
    if (!Number.isInteger(stride) || stride < 1)
      throw new OptionError(`slice(): 'stride' must be a whole number from 1, got ${stride}`);
    const last = Math.min(stop, this.info.frames);
    if (!(Number.isInteger(start) && start >= 0 && start < last)) {
      throw new OptionError(
        `slice(): 'start' must be from 0 and below 'stop' (${last} of ${this.info.frames} frames), got ${start}`,
      );
    }
    const indices: number[] = [];
    for (let n = start; n < last; n += stride) indices.push(this.#indices[n]);
    return new ImageStack(this.#source, { indices, crop: this.#crop, coarsen: this.#coarsen });
  }

  /** Rows `row` to `row + height` and columns `column` to `column + width` of every frame, as a view. */
  crop(crop: Crop): ImageStack {
    const { row, column, height, width } = crop;
    const outside = row < 0 || column < 0 || row + height > this.info.height || column + width > this.info.width;
    if (outside || height < 1 || width < 1 || ![row, column, height, width].every(Number.isInteger)) {
      throw new ShapeError(
        `crop(): 'crop' must lie inside ${this.info.height} × ${this.info.width} pixels, got ${height} × ${width} at (${row}, ${column})`,
      );
    }
    const factor = this.#coarsen;
    return new ImageStack(this.#source, {
      indices: this.#indices,
      coarsen: factor,
      crop: {
        row: this.#crop.row + row * factor,
        column: this.#crop.column + column * factor,
        height: height * factor,
        width: width * factor,
      },
    });
  }

  /** Every frame averaged over squares of `factor` × `factor` pixels (a rest at the edges is left out), as a view. */
  coarsen(factor: number): ImageStack {
    if (!Number.isInteger(factor) || factor < 1 || factor > Math.min(this.info.height, this.info.width)) {
      throw new OptionError(`coarsen(): 'factor' must be a whole number from 1 to the frame's size, got ${factor}`);
    }
    return new ImageStack(this.#source, { indices: this.#indices, crop: this.#crop, coarsen: this.#coarsen * factor });
  }

  /**
   * The pixels of frame `n`, `[H, W]` row by row, owned by the caller. Coarsened frames are float32.
   *
   * @param signal stops it, beside the host's.
   */
  async frame(n: number, signal?: AbortSignal): Promise<PixelArray> {
    if (!Number.isInteger(n) || n < 0 || n >= this.info.frames) {
      throw new OptionError(`frame(): 'n' must be from 0 to ${this.info.frames - 1}, got ${n}`);
    }
    const either = joinHostSignal(signal);
    throwIfAborted(either, 'Reading a frame');
    const full = await this.#source.readFrame(this.#indices[n], either);
    const { height, width } = this.#source.info;
    const cropped = cropPixels(full, [height, width], this.#crop);
    return this.#coarsen === 1 ? cropped : coarsenPixels(cropped, this.#crop, this.#coarsen, this.info.zeroIsMissing);
  }

  /** Frame `n` as a float32 tensor `[H, W]`, which the caller disposes. */
  async frameTensor(n: number, signal?: AbortSignal): Promise<Tensor2D> {
    const pixels = await this.frame(n, signal);
    return tf.tensor2d(Float32Array.from(pixels), [this.info.height, this.info.width]);
  }

  /** The whole (part of the) stack as a float32 tensor `[N, H, W]`, which the caller disposes: for stacks that fit into memory. */
  async tensor(signal?: AbortSignal): Promise<Tensor3D> {
    const [count, height, width] = this.shape;
    return runOperation({ label: 'Reading frames', unit: 'frames', signal }, async (operation) => {
      const pace = new Pace(operation.signal, 'Reading frames');
      const all = new Float32Array(count * height * width);
      for (let n = 0; n < count; n++) {
        await pace.next();
        all.set(await this.frame(n, operation.signal), n * height * width);
        operation.progress(n + 1, count);
      }
      return tf.tensor3d(all, [count, height, width]);
    });
  }

  /** The frames in order, as many at a time as `memoryBytes` hold (at least one); the next block is read while one is used. */
  async *blocks(options: { memoryBytes?: number; signal?: AbortSignal } = {}): AsyncGenerator<StackBlock> {
    const { memoryBytes = 256 * 2 ** 20 } = options;
    const signal = joinHostSignal(options.signal);
    const pace = new Pace(signal, 'Reading frames');
    const { frames, height, width, pixelType } = this.info;
    // two blocks are in memory at a time: the one in use and the one being read
    const each = Math.max(1, Math.floor(memoryBytes / (2 * height * width * BYTES_PER_PIXEL[pixelType])));
    const read = async (start: number): Promise<StackBlock> => {
      const indices = Array.from({ length: Math.min(each, frames - start) }, (_, i) => start + i);
      return { frames: indices, pixels: await Promise.all(indices.map((n) => this.frame(n, signal))) };
    };
    let next: Promise<StackBlock> | undefined = read(0);
    for (let start = 0; start < frames; start += each) {
      const block = await (next as Promise<StackBlock>);
      next = start + each < frames ? read(start + each) : undefined;
      next?.catch(() => {}); // reported when it is awaited, which an early end of the loop never does
      yield block;
      await pace.next();
    }
  }

  /** What a notebook shows of it: a line of text, a picture of three frames, and for a viewer where its Zarr store lies. */
  async preview(): Promise<MimeBundle> {
    const { frames, height, width } = this.#source.info;
    const whole =
      this.#coarsen === 1 &&
      this.#crop.height === height &&
      this.#crop.width === width &&
      this.#indices.length === frames &&
      this.#indices.every((index, n) => index === n);
    return showStack({
      info: this.info,
      frame: (n) => this.frame(n),
      zarr: whole ? this.#source.zarr : undefined,
    });
  }

  /** All metadata that the instrument stored with frame `n`. */
  async metadata(n: number): Promise<Record<string, unknown>> {
    return (await this.#source.readFrameMetadata?.(this.#indices[n])) ?? {};
  }

  /** Closes the files behind this stack and all its views. */
  async close(): Promise<void> {
    await this.#source.close();
  }
}

// a method of this name would not be readable in the declaration file
Object.defineProperty(ImageStack.prototype, DISPLAY, {
  value(this: ImageStack) {
    return this.preview();
  },
});

function partInfo(info: StackInfo, indices: readonly number[], crop: Crop, coarsen: number): StackInfo {
  const pick = (values: Float64Array): Float64Array => Float64Array.from(indices, (n) => values[n]);
  return {
    ...info,
    frames: indices.length,
    height: Math.floor(crop.height / coarsen),
    width: Math.floor(crop.width / coarsen),
    pixelType: coarsen === 1 ? info.pixelType : 'float32',
    axis: { ...info.axis, values: pick(info.axis.values) },
    pixelSizeNanometers: info.pixelSizeNanometers === undefined ? undefined : info.pixelSizeNanometers * coarsen,
    multiplier: info.multiplier && pick(info.multiplier),
    mcpBiasKilovolts: info.mcpBiasKilovolts && pick(info.mcpBiasKilovolts),
    paths: info.paths.length === info.frames ? indices.map((n) => info.paths[n]) : info.paths,
  };
}

function memorySource(frames: readonly PixelArray[], shape: readonly [number, number], info: Partial<StackInfo>): FrameSource {
  const [height, width] = shape;
  const [first] = frames;
  if (first === undefined) throw new ShapeError("ImageStack.fromFrames(): 'frames' must hold at least one frame, got none");
  for (const [n, frame] of frames.entries()) {
    if (frame.length !== height * width) {
      throw new ShapeError(
        `ImageStack.fromFrames(): 'frames' must all hold ${height} × ${width} pixels, got ${frame.length} values in frame ${n}`,
      );
    }
  }
  return {
    info: {
      pixelType: first.constructor.name.replace('Array', '').toLowerCase() as StackInfo['pixelType'],
      axis: { kind: 'frame', unit: '', values: Float64Array.from(frames, (_, n) => n) },
      zeroIsMissing: false,
      format: 'memory',
      paths: [],
      attributes: {},
      warnings: [],
      ...info,
      frames: frames.length,
      height,
      width,
    },
    readFrame: async (index) => frames[index].slice(),
    close: async () => {},
  };
}

function cropPixels(pixels: PixelArray, [height, width]: readonly [number, number], crop: Crop): PixelArray {
  if (crop.row === 0 && crop.column === 0 && crop.height === height && crop.width === width) return pixels;
  const Type = pixels.constructor as new (length: number) => PixelArray;
  const out = new Type(crop.height * crop.width);
  for (let r = 0; r < crop.height; r++) {
    const at = (crop.row + r) * width + crop.column;
    out.set(pixels.subarray(at, at + crop.width), r * crop.width);
  }
  return out;
}

function coarsenPixels(pixels: PixelArray, crop: Crop, factor: number, zeroIsMissing: boolean): Float32Array {
  const height = Math.floor(crop.height / factor);
  const width = Math.floor(crop.width / factor);
  const out = new Float32Array(height * width);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      let sum = 0;
      let missing = false;
      for (let i = 0; i < factor; i++) {
        const at = (r * factor + i) * crop.width + c * factor;
        for (let j = 0; j < factor; j++) {
          sum += pixels[at + j];
          if (zeroIsMissing && pixels[at + j] === 0) missing = true;
        }
      }
      out[r * width + c] = missing ? 0 : sum / (factor * factor);
    }
  }
  return out;
}
