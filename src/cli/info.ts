import type { ImageStack } from '../stack/index.js';
import type { CommandArguments } from './CommandArguments.js';
import type { Command, CommandContext, CommandResult } from './command.js';
import { formatBytes } from './format.js';

const BYTES: Readonly<Record<string, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  float64: 8,
};
/** Longer values of the metadata are cut in the text; `--json` has them whole. */
const MAX_VALUE = 100;

/** Range and step of values that need not be monotonic. */
interface Span {
  readonly min: number;
  readonly max: number;
  /** From one frame to the next, where it is the same all along (to 1 %). */
  readonly step: number | undefined;
  readonly order: 'rising' | 'falling' | 'mixed' | 'constant';
}

/** What `leem info` says of an axis or of another value per frame; undefined for no finite values. */
export function describeValues(values: ArrayLike<number>): Span | undefined {
  const finite = Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  const steps = finite.slice(1).map((value, k) => value - finite[k]);
  const [min, max] = finite.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const mean = steps.length > 0 ? (finite[finite.length - 1] - finite[0]) / steps.length : 0;
  const even = mean !== 0 && steps.every((step) => Math.abs(step - mean) <= 0.01 * Math.abs(mean));
  const order = min === max ? 'constant' : steps.every((s) => s > 0) ? 'rising' : steps.every((s) => s < 0) ? 'falling' : 'mixed';
  return { min, max, step: even ? mean : undefined, order };
}

const short = (value: number): string => String(Number(value.toPrecision(6)));

function describeSpan(values: ArrayLike<number>, unit: string): string {
  const span = describeValues(values);
  if (!span) return 'unknown';
  const { min, max, step, order } = span;
  const behind = unit && ` ${unit}`;
  if (order === 'constant') return `${short(min)}${behind}`;
  const [from, to] = order === 'falling' ? [max, min] : [min, max];
  const steps =
    step === undefined ? ` (${order === 'mixed' ? 'not in order' : 'in uneven steps'})` : ` in steps of ${short(step)}${behind}`;
  return `${short(from)} to ${short(to)}${behind}${steps}`;
}

/** A value of the metadata as text; the readers give `{ value, unit }` where the file has a unit. */
function describeValue(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return short(value);
  if (Array.isArray(value)) return value.map(describeValue).join(', ');
  if (typeof value === 'object' && value !== null && 'value' in value && 'unit' in value) {
    return `${describeValue(value.value)} ${value.unit}`.trim();
  }
  return JSON.stringify(value) ?? '';
}

function rows(values: Readonly<Record<string, unknown>>): [string, string][] {
  return Object.entries(values).map(([name, value]) => {
    const line = describeValue(value).replaceAll(/\s+/g, ' ');
    return [name, line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE)} …` : line];
  });
}

function print(context: CommandContext, table: readonly (readonly [string, string])[], indent = ''): void {
  const width = Math.max(...table.map(([name]) => name.length), 14);
  for (const [name, value] of table) context.print(`${indent}${name.padEnd(width)}  ${value}`);
}

function summary({ info }: ImageStack): [string, string][] {
  const { frames, height, width, pixelType, axis } = info;
  const table: [string, string][] = [
    ['format', info.format],
    ['frames', String(frames)],
    [
      'size',
      `${height} rows × ${width} columns, ${pixelType}, ${formatBytes(frames * height * width * BYTES[pixelType])} in all`,
    ],
    [
      axis.kind === 'frame' ? 'axis' : axis.kind,
      axis.kind === 'frame' ? 'the frame index (no energies, no times)' : describeSpan(axis.values, axis.unit),
    ],
    [
      'pixel size',
      info.pixelSizeNanometers === undefined
        ? 'unknown'
        : `${short(info.pixelSizeNanometers)} nm (field ${short((width * info.pixelSizeNanometers) / 1000)} µm wide)`,
    ],
  ];
  if (info.mcpBiasKilovolts) table.push(['MCP bias', describeSpan(info.mcpBiasKilovolts, 'kV')]);
  if (info.multiplier) table.push(['multiplier', describeSpan(info.multiplier, '')]);
  if (info.pedestal !== undefined) table.push(['pedestal', short(info.pedestal)]);
  if (info.zeroIsMissing) table.push(['a pixel of 0', 'was not measured']);
  if (info.paths.length > 0) {
    const [first] = info.paths;
    table.push(['files', info.paths.length === 1 ? first : `${info.paths.length}, from ${first} to ${info.paths.at(-1)}`]);
  }
  return table;
}

async function describe(stack: ImageStack, frame: number | undefined, context: CommandContext): Promise<CommandResult> {
  const { info } = stack;
  const metadata = frame === undefined ? undefined : await stack.metadata(frame);
  print(context, summary(stack));
  if (Object.keys(info.attributes).length > 0) {
    context.print('attributes');
    print(context, rows(info.attributes), '  ');
  }
  if (metadata) {
    context.print(`frame ${frame}`);
    print(context, Object.keys(metadata).length > 0 ? rows(metadata) : [['metadata', 'none']], '  ');
  }
  for (const warning of info.warnings) context.warn(warning);
  const { axis } = info;
  const json = {
    ...info,
    axis: { kind: axis.kind, unit: axis.unit, ...describeValues(axis.values), values: axis.values },
    warnings: context.warnings,
    ...(metadata ? { frame, metadata } : {}),
  };
  return { json };
}

async function run(args: CommandArguments, context: CommandContext): Promise<CommandResult> {
  const frame = args.number('frame', { integer: true, min: 0 });
  const [{ openStack }, { OptionError }] = await Promise.all([import('../io/index.js'), import('../errors.js')]);
  const { positionals: inputs } = args;
  const stack = await openStack(inputs.length === 1 ? inputs[0] : inputs, { signal: context.signal });
  try {
    if (frame !== undefined && frame >= stack.info.frames) {
      throw new OptionError(`--frame must be a whole number from 0 to ${stack.info.frames - 1}, got '${frame}'`);
    }
    return await describe(stack, frame, context);
  } finally {
    await stack.close();
  }
}

export const command: Command = {
  name: 'info',
  summary: 'what an input is: format, frames, size, axis, metadata',
  usage: 'INPUT [--frame n] [--json]',
  positionals: [1, Number.POSITIVE_INFINITY],
  options: {
    frame: { type: 'string', value: 'n', help: 'also the metadata of frame n (the first is 0)' },
  },
  details: `INPUT is a folder, a file, a glob in quotes, several files, or the URL of a Zarr store. Pixels are not read.

Example: leem info data/20141023 --frame 0`,
  run,
};
