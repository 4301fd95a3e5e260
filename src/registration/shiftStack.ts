import { Pace } from '../backend/index.js';
import { type Operation, runOperation } from '../host.js';
import {
  BYTES_PER_PIXEL,
  type ChunkSink,
  type FramePlacement,
  type ImageStack,
  isIntegerType,
  type PixelArray,
} from '../stack/index.js';

/** Where every frame goes on the output canvas, and how its values are stored there. */
export interface ShiftPlan {
  /** Size of the canvas, pixels. */
  readonly height: number;
  readonly width: number;
  /** Place of the reference frame's upper left corner on the canvas, pixels. */
  readonly origin: readonly [number, number];
  readonly placements: readonly FramePlacement[];
  /** stored = value · multiplier + pedestal, per frame. */
  readonly multiplier: Float64Array;
  readonly pedestal: number;
}

export interface PlanShiftOptions {
  /** Smallest value of the stack as far as it is known; decides whether a count of 0 needs a pedestal. Default 0. */
  readonly least?: number;
  /**
   * Largest value, as far as it is known. Where a pedestal is needed and it is 65535, all is scaled by 65534/65535 so that
   * both fit; where it is not given, counts are kept, and a 65535 beside a 0 reads back as 65534.
   */
  readonly most?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Plans {@link shiftStack}: the canvas holds all of every frame, shifted by −drift. Unsigned frames of 8 and 16 bit keep
 * their counts (plus a pedestal of 1 where a 0 was measured, see `most`); others are scaled to 16 bit frame by frame, which reads them
 * once for their extremes.
 *
 * @param drift of every frame, pixels, + down and + right.
 */
export async function planShift(
  stack: ImageStack,
  drift: { readonly row: Float64Array; readonly column: Float64Array },
  options: PlanShiftOptions = {},
): Promise<ShiftPlan> {
  const { signal } = options;
  return runOperation({ label: 'Looking for the range of values', unit: 'frames', signal }, (operation) =>
    makePlan(stack, drift, options, operation),
  );
}

async function makePlan(
  stack: ImageStack,
  drift: { readonly row: Float64Array; readonly column: Float64Array },
  { least = 0, most = 0 }: PlanShiftOptions,
  operation: Operation,
): Promise<ShiftPlan> {
  const { frames, height, width, zeroIsMissing } = stack.info;
  // what is shifted up or left by a fraction still needs the next whole pixel
  const origin: [number, number] = [Math.ceil(Math.max(0, largest(drift.row))), Math.ceil(Math.max(0, largest(drift.column)))];
  const outHeight = height + origin[0] + Math.ceil(Math.max(0, -smallest(drift.row)));
  const outWidth = width + origin[1] + Math.ceil(Math.max(0, -smallest(drift.column)));
  const values = await planValues(stack, { least, most }, operation);
  const placements = Array.from({ length: frames }, (_, n) => ({
    shift: [origin[0] - drift.row[n], origin[1] - drift.column[n]] as [number, number],
    height,
    width,
    outHeight,
    outWidth,
    scale: values.scale[n],
    offset: values.offset[n],
    zeroIsMissing,
  }));
  return { height: outHeight, width: outWidth, origin, placements, multiplier: values.multiplier, pedestal: values.pedestal };
}

function largest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

function smallest(values: Float64Array): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

interface ValuePlan {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  readonly multiplier: Float64Array;
  readonly pedestal: number;
}

async function planValues(
  stack: ImageStack,
  { least, most }: { readonly least: number; readonly most: number },
  operation: Operation,
): Promise<ValuePlan> {
  const { frames, pixelType, zeroIsMissing, pedestal: pedestalIn = 0 } = stack.info;
  const multiplierIn = stack.info.multiplier ?? new Float64Array(frames).fill(1);
  if ((pixelType === 'uint16' || pixelType === 'uint8') && pedestalIn >= 0) {
    // a count of 0 that was measured is stored as 1: 0 says that nothing was
    const lift = least <= 0 && !zeroIsMissing ? 1 : 0;
    const factor = lift === 1 && most >= 65535 ? 65534 / 65535 : 1;
    return {
      scale: new Float64Array(frames).fill(factor),
      offset: new Float64Array(frames).fill(lift),
      multiplier: multiplierIn.map((value) => value * factor),
      pedestal: pedestalIn * factor + lift,
    };
  }
  const { low, high } = await frameExtremes(stack, pedestalIn, operation);
  // room for the most negative value, in units of the largest
  let ratio = 0;
  for (let n = 0; n < frames; n++) if (low[n] < 0) ratio = Math.max(ratio, high[n] > 0 ? -low[n] / high[n] : 1);
  const pedestal = Math.min(65000, 1 + Math.ceil((65534 * ratio) / (1 + ratio)));
  const scale = Float64Array.from(low, (lowest, n) => {
    const up = high[n] > 0 ? (65535 - pedestal) / high[n] : Number.POSITIVE_INFINITY;
    const down = lowest < 0 ? (pedestal - 1) / -lowest : Number.POSITIVE_INFINITY;
    const most = Math.min(up, down);
    return Number.isFinite(most) ? most : 1;
  });
  return {
    scale,
    offset: scale.map((k) => pedestal - k * pedestalIn),
    multiplier: scale.map((k, n) => k * multiplierIn[n]),
    pedestal,
  };
}

/** Smallest and largest stored value above the pedestal, of each frame. */
async function frameExtremes(
  stack: ImageStack,
  pedestal: number,
  { signal, progress }: Operation,
): Promise<{ low: Float64Array; high: Float64Array }> {
  const { frames, pixelType, zeroIsMissing } = stack.info;
  const low = new Float64Array(frames);
  const high = new Float64Array(frames);
  const skipsZero = zeroIsMissing && isIntegerType(pixelType);
  const pace = new Pace(signal, 'Looking for the range of values');
  for (let n = 0; n < frames; n++) {
    await pace.next();
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const value of await stack.frame(n, signal)) {
      if (!Number.isFinite(value) || (skipsZero && value === 0)) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    low[n] = least <= most ? least - pedestal : 0;
    high[n] = least <= most ? most - pedestal : 0;
    progress(n + 1, frames);
  }
  return { low, high };
}

export interface ShiftStackOptions {
  /** Bytes of frames that may be read ahead. Default 128 MiB. */
  readonly memoryBytes?: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees every frame of the input, in order, before it goes to the sink; must neither keep nor change it. */
  readonly onFrame?: ((index: number, pixels: PixelArray) => void) | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Shifts every frame by −drift with bilinear interpolation and writes it (the paper's section 3.2, step 7). Frames are
 * read ahead while the sink's threads place, compress and write earlier ones; memory stays bounded.
 *
 * @param plan of {@link planShift}.
 * @param sink takes uint16 frames of the plan's size; the caller calls its `finish` or `abort`.
 * @throws AbortedError when `signal` is aborted.
 */
export async function shiftStack(
  stack: ImageStack,
  plan: ShiftPlan,
  sink: ChunkSink,
  options: ShiftStackOptions = {},
): Promise<void> {
  const { signal, onProgress } = options;
  return runOperation({ label: 'Shifting frames', unit: 'frames', signal, onProgress }, (operation) =>
    shiftFrames(stack, plan, sink, options, operation),
  );
}

async function shiftFrames(
  stack: ImageStack,
  plan: ShiftPlan,
  sink: ChunkSink,
  options: ShiftStackOptions,
  { signal, progress }: Operation,
): Promise<void> {
  const { memoryBytes = 128 * 2 ** 20, onFrame } = options;
  const pace = new Pace(signal, 'Writing the registered frames');
  const { frames, height, width, pixelType } = stack.info;
  const ahead = Math.max(1, Math.min(8, Math.floor(memoryBytes / (height * width * BYTES_PER_PIXEL[pixelType]))));
  const queue: ReturnType<ImageStack['frame']>[] = [];
  const read = (n: number): void => {
    const frame = stack.frame(n, signal);
    frame.catch(() => {}); // reported when it is awaited
    queue.push(frame);
  };
  for (let n = 0; n < Math.min(ahead, frames); n++) read(n);
  for (let n = 0; n < frames; n++) {
    await pace.next();
    const pixels = await (queue.shift() as ReturnType<ImageStack['frame']>);
    if (n + ahead < frames) read(n + ahead);
    onFrame?.(n, pixels);
    await sink.writePlaced(n, pixels, plan.placements[n]);
    progress(n + 1, frames);
  }
}
