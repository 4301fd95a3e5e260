import type { StackAxis, StackInfo } from '../stack/types.js';
import { axisFrom, type NamedValues } from './stackAxis.js';

/** What leemlab's own TIFF files say of the stack, as JSON in the description of the first page. */
export interface TiffStackDocument {
  readonly axis: { readonly kind: StackAxis['kind']; readonly values: readonly number[] };
  readonly multiplier?: readonly number[];
  readonly pedestal?: number;
  readonly mcp_bias?: readonly number[];
  readonly pixel_size_nm?: number;
  readonly zero_is_missing?: boolean;
  readonly attributes?: Record<string, unknown>;
}

/** Starts the line that holds a {@link TiffStackDocument} in an ImageJ description. */
const OWN_LINE = 'leemlab=';

/** Nanometers in the units of length that descriptions use. */
const NANOMETERS: Readonly<Record<string, number>> = {
  nm: 1,
  nanometer: 1,
  um: 1e3,
  µm: 1e3,
  μm: 1e3,
  '\\u00b5m': 1e3,
  micron: 1e3,
  microns: 1e3,
  micrometer: 1e3,
  mm: 1e6,
  cm: 1e7,
  m: 1e9,
  inch: 25.4e6,
  å: 0.1,
  pm: 1e-3,
};

/** What a TIFF description says: the number of images of an ImageJ stack, and what is known of the stack. */
export interface TiffDescription {
  readonly images: number;
  readonly info: Partial<StackInfo>;
}

/**
 * Reads the description of a TIFF file's first page: leemlab's own, ImageJ's, OME-XML, or JSON with a list `energy` or
 * `time` (as Python's tifffile writes `metadata={'energy': …}`). Anything else says nothing.
 *
 * @param frames how many frames the file has, where it is not ImageJ that says so.
 * @param resolution pixels per unit, from the page's own tag.
 */
export function readTiffDescription(text: string, frames: number, resolution: number | undefined): TiffDescription {
  if (text.startsWith('ImageJ=')) return readImageJ(text, frames, resolution);
  if (text.startsWith('{')) return { images: 1, info: readJsonDescription(text, frames) };
  const size = /PhysicalSizeX="([^"]+)"/.exec(text);
  if (size === null || !/<OME|<Pixels/.test(text)) return { images: 1, info: {} };
  const unit = /PhysicalSizeXUnit="([^"]+)"/.exec(text)?.[1] ?? 'µm';
  return { images: 1, info: pixelSize(Number(size[1]), unit) };
}

/** The description of a stack that leemlab writes: ImageJ's, which ImageJ and tifffile read, with one line of our own. */
export function writeTiffDescription(frames: number, document: TiffStackDocument): string {
  const lines = ['ImageJ=1.54f', `images=${frames}`, `slices=${frames}`, 'loop=false'];
  if (document.pixel_size_nm !== undefined) lines.push('unit=nm');
  lines.push(`${OWN_LINE}${JSON.stringify(document)}`);
  // TIFF texts are ASCII
  const ascii = lines.map((line) => line.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
  return `${ascii.join('\n')}\n`;
}

function readImageJ(text: string, frames: number, resolution: number | undefined): TiffDescription {
  const lines = text.split('\n');
  const values = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]));
  const images = Math.max(1, Number(values.get('images') ?? 1) || 1);
  const unit = values.get('unit') ?? '';
  const size = resolution !== undefined && resolution > 0 ? pixelSize(1 / resolution, unit) : {};
  const own = lines.find((line) => line.startsWith(OWN_LINE));
  if (own !== undefined)
    return { images, info: { ...size, ...fromDocument(parsed(own.slice(OWN_LINE.length)), Math.max(images, frames)) } };
  const interval = Number(values.get('finterval') ?? 0);
  const timed = interval > 0 && Number(values.get('frames') ?? 1) === Math.max(images, frames);
  const count = Math.max(images, frames);
  const axis: StackAxis = { kind: 'time', unit: 's', values: Float64Array.from({ length: count }, (_, n) => n * interval) };
  return { images, info: { ...size, ...(timed ? { axis } : {}) } };
}

function readJsonDescription(text: string, frames: number): Partial<StackInfo> {
  const document = parsed(text);
  const series: NamedValues[] = Object.entries(document).flatMap(([name, value]) =>
    isNumbers(value, frames) ? [{ name, values: Float64Array.from(value), unit: '' }] : [],
  );
  const axis = axisFrom(series, frames);
  const named = (name: string): Float64Array | undefined => series.find((entry) => entry.name === name)?.values;
  return {
    ...(axis.kind === 'frame' ? {} : { axis }),
    multiplier: named('multiplier'),
    mcpBiasKilovolts: named('mcp_bias'),
    ...(typeof document.pixel_size_nm === 'number' ? { pixelSizeNanometers: document.pixel_size_nm } : {}),
  };
}

function fromDocument(document: Record<string, unknown>, frames: number): Partial<StackInfo> {
  const {
    axis,
    multiplier,
    pedestal,
    mcp_bias: bias,
    pixel_size_nm: size,
    zero_is_missing: zero,
    attributes,
  } = document as unknown as Partial<TiffStackDocument>;
  const units = { energy: 'eV', time: 's', frame: '' } as const;
  const numbers = (value: unknown): Float64Array | undefined => (isNumbers(value, frames) ? Float64Array.from(value) : undefined);
  const values = numbers(axis?.values);
  return {
    ...(axis !== undefined && values !== undefined && axis.kind in units
      ? { axis: { kind: axis.kind, unit: units[axis.kind], values } }
      : {}),
    multiplier: numbers(multiplier),
    mcpBiasKilovolts: numbers(bias),
    ...(typeof pedestal === 'number' ? { pedestal } : {}),
    ...(typeof size === 'number' ? { pixelSizeNanometers: size } : {}),
    zeroIsMissing: zero === true,
    attributes: attributes ?? {},
  };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {}; // a description that only looks like JSON says nothing
  }
}

function isNumbers(value: unknown, count: number): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((entry) => typeof entry === 'number');
}

function pixelSize(size: number, unit: string): Partial<StackInfo> {
  const nanometers = size * (NANOMETERS[unit.toLowerCase()] ?? Number.NaN);
  return nanometers > 0 && Number.isFinite(nanometers) ? { pixelSizeNanometers: nanometers } : {};
}
