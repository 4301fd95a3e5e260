import { basename } from 'node:path';
import { DataFormatError, throwIfAborted } from '../errors.js';
import type { FrameSource, PixelArray, PixelType, StackAxis, StackInfo } from '../stack/types.js';
import { missingNumbers } from './naturalOrder.js';

/** One frame of a file: its size, what its header says, and how to read it. Readers of camera formats make these. */
export interface FrameRecord {
  readonly path: string;
  /** Which part of the file it is, for messages; undefined where it is all of it. */
  readonly label?: string | undefined;
  /** Byte of the header where the size stands, for messages. */
  readonly sizeOffset?: number;
  readonly height: number;
  readonly width: number;
  readonly pixelType: PixelType;
  /** eV. */
  readonly energy?: number | undefined;
  /** Seconds, from any fixed moment. */
  readonly time?: number | undefined;
  readonly mcpBiasKilovolts?: number | undefined;
  readonly pixelSizeNanometers?: number | undefined;
  readPixels(signal?: AbortSignal): Promise<PixelArray>;
  readMetadata?(): Promise<Record<string, unknown>>;
}

/** What a reader found in one file: its frames, and what holds for all of them. */
export interface OpenedFrames {
  readonly frames: readonly FrameRecord[];
  readonly format: string;
  readonly attributes?: Record<string, unknown>;
  readonly warnings?: readonly string[];
  /** Whether the format is known to store energies: their absence is worth a warning. */
  readonly hasEnergies?: boolean;
  /** What the file says of the whole stack, before what is found from its frames. */
  readonly info?: Partial<StackInfo>;
  close?(): Promise<void>;
}

/** One stack of the frames of many files; what the first file says holds for all. */
export function joinFrames(opened: readonly OpenedFrames[]): FrameSource {
  const [{ format, attributes, hasEnergies }] = opened;
  return frameSeries({
    frames: opened.flatMap((file) => file.frames),
    format,
    ...(attributes === undefined ? {} : { attributes }),
    ...(hasEnergies === undefined ? {} : { hasEnergies }),
    warnings: [...new Set(opened.flatMap((file) => file.warnings ?? []))],
    close: async () => {
      for (const file of opened) await file.close?.();
    },
  });
}

/**
 * A stack of the frames of one or many files. Sizes and types are checked here, pixels are read when they are asked for.
 *
 * The axis is the energy where it is known of every frame and varies, else the time in seconds since the first frame
 * where that varies, else the frame's index. A constant energy becomes the attribute `energy`.
 *
 * @throws DataFormatError where two frames differ in size or type.
 */
export function frameSeries(details: OpenedFrames): FrameSource {
  const { frames } = details;
  const [first] = frames;
  for (const frame of frames) assertSameKind(frame, first);
  const paths = frames.map((frame) => frame.path);
  const warnings = [...(details.warnings ?? [])];
  const lost = new Set(paths).size === paths.length ? missingNumbers(paths) : [];
  if (lost.length > 0) warnings.push(lostWarning(lost));
  const { axis, attributes } = seriesAxis(frames, details, warnings);
  const info: StackInfo = {
    frames: frames.length,
    height: first.height,
    width: first.width,
    pixelType: first.pixelType,
    axis,
    pixelSizeNanometers: commonPixelSize(frames, warnings),
    mcpBiasKilovolts: everyValue(frames, (frame) => frame.mcpBiasKilovolts),
    zeroIsMissing: false,
    format: details.format,
    paths: new Set(paths).size === 1 ? [first.path] : paths,
    attributes: { ...attributes, ...details.attributes },
    warnings,
    ...details.info,
  };
  return {
    info,
    async readFrame(index, signal) {
      throwIfAborted(signal, 'Reading a frame');
      return frames[index].readPixels(signal);
    },
    readFrameMetadata: async (index) => (await frames[index].readMetadata?.()) ?? {},
    close: async () => details.close?.(),
  };
}

function assertSameKind(frame: FrameRecord, first: FrameRecord): void {
  const name = first.label ?? basename(first.path);
  if (frame.height !== first.height || frame.width !== first.width) {
    throw new DataFormatError(
      `${frame.label ?? 'the frame'} has ${frame.height} × ${frame.width} pixels (rows × columns), but ${name} has ${first.height} × ${first.width}; all frames of a stack must have one size`,
      { path: frame.path, ...(frame.sizeOffset === undefined ? {} : { offset: frame.sizeOffset }) },
    );
  }
  if (frame.pixelType !== first.pixelType) {
    throw new DataFormatError(
      `the pixels${frame.label === undefined ? '' : ` of ${frame.label}`} are ${frame.pixelType}, but those of ${name} are ${first.pixelType}; all frames of a stack must have one type`,
      { path: frame.path },
    );
  }
}

function lostWarning(lost: readonly number[]): string {
  const shown = `${lost.slice(0, 5).join(', ')}${lost.length > 5 ? ', …' : ''}`;
  return lost.length === 1
    ? `file number ${shown} is missing in the series; its frame is taken as lost`
    : `${lost.length} file numbers are missing in the series (${shown}); their frames are taken as lost`;
}

/** One value a frame, where every frame has one. */
function everyValue(frames: readonly FrameRecord[], value: (frame: FrameRecord) => number | undefined): Float64Array | undefined {
  const values = Float64Array.from(frames, (frame) => value(frame) ?? Number.NaN);
  return values.some(Number.isNaN) ? undefined : values;
}

function seriesAxis(
  frames: readonly FrameRecord[],
  { hasEnergies = false, info }: OpenedFrames,
  warnings: string[],
): { axis: StackAxis; attributes: Record<string, unknown> } {
  const energies = everyValue(frames, (frame) => frame.energy);
  const varies = (values: Float64Array): boolean => values.some((value) => value !== values[0]);
  if (energies !== undefined && (frames.length === 1 || varies(energies))) {
    return { axis: { kind: 'energy', unit: 'eV', values: energies }, attributes: {} };
  }
  const times = everyValue(frames, (frame) => frame.time);
  const timed = times !== undefined && varies(times);
  if (hasEnergies && energies === undefined) {
    const without = frames.filter((frame) => frame.energy === undefined).length;
    warnings.push(
      `${without} of ${frames.length} frames have no energy (no Start Voltage in the header); the axis is ${timed ? 'the time' : "the frame's index"}`,
    );
  }
  if (!hasEnergies && !timed && frames.length > 1 && info?.axis === undefined)
    warnings.push("no energies or times found; the axis is the frame's index");
  const attributes = energies === undefined ? {} : { energy: energies[0] };
  if (timed) return { axis: { kind: 'time', unit: 's', values: times.map((time) => time - times[0]) }, attributes };
  return { axis: { kind: 'frame', unit: '', values: Float64Array.from(frames, (_, n) => n) }, attributes };
}

function commonPixelSize(frames: readonly FrameRecord[], warnings: string[]): number | undefined {
  const size = frames[0].pixelSizeNanometers;
  if (frames.every((frame) => frame.pixelSizeNanometers === size)) return size;
  warnings.push('the field of view differs between frames; the pixel size is not known');
  return undefined;
}
