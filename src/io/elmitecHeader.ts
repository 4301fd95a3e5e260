import { DataFormatError, UnsupportedError } from '../errors.js';
import { fieldOfViewMicrometers, type MetadataEntry, parseElmitecTags } from './elmitecTags.js';
import type { FrameRecord } from './frameSeries.js';

/** First bytes of every U-View file. */
export const ELMITEC_SIGNATURE = 'UKSOFT2001';
const FILE_HEADER_BYTES = 104;
const RECIPE_BYTES = 128;
export const IMAGE_HEADER_BYTES = 288;

/** FILETIME of 1970-01-01, in units of 100 ns. */
const UNIX_EPOCH = 116444736000000000n;

/** The file header of a `.dat` or `.dav` file. */
export interface ElmitecFileHeader {
  readonly version: number;
  readonly bitsPerPixel: number;
  readonly cameraBits: number;
  readonly mcpDiameterPixels: number;
  readonly binning: readonly [number, number];
  readonly width: number;
  readonly height: number;
  readonly images: number;
  /** Bytes from the start of the file to the first image header. */
  readonly bytes: number;
}

/** One image's header, without its tags. */
export interface ElmitecImageHeader {
  readonly version: number;
  readonly colorScale: readonly [number, number];
  /** 100 ns since 1601-01-01 UTC; 0 where unknown. */
  readonly fileTime: bigint;
  readonly maskShift: readonly [number, number];
  /** Byte of the file where the tags stand, and how many bytes they may take. */
  readonly tags: { readonly offset: number; readonly bytes: number };
  /** Byte of the file where the pixels start. */
  readonly pixelOffset: number;
}

/**
 * Reads and checks a U-View file header.
 *
 * @param head at least the first 104 bytes, where the file has them.
 * @throws DataFormatError with the byte of the field that is wrong.
 */
export function parseElmitecFileHeader(head: Uint8Array, path: string): ElmitecFileHeader {
  if (head.byteLength < FILE_HEADER_BYTES) {
    throw new DataFormatError(`the file ends inside the U-View file header (${FILE_HEADER_BYTES} bytes); it is truncated`, {
      path,
      offset: head.byteLength,
    });
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const field = (offset: number): number => view.getInt16(offset, true);
  const check = (ok: boolean, offset: number, rule: string): void => {
    if (!ok) throw new DataFormatError(`the U-View file header ${rule}, got ${field(offset)}`, { path, offset });
  };
  const signature = String.fromCharCode(...head.subarray(0, ELMITEC_SIGNATURE.length));
  if (signature !== ELMITEC_SIGNATURE) {
    throw new DataFormatError(`not a U-View file: it must start with "${ELMITEC_SIGNATURE}"`, { path, offset: 0 });
  }
  check(field(20) === FILE_HEADER_BYTES, 20, `must say that it has ${FILE_HEADER_BYTES} bytes`);
  check(field(40) > 0, 40, 'must give a positive width');
  check(field(42) > 0, 42, 'must give a positive height');
  check(field(44) >= 0, 44, 'must give a number of images from 0');
  if (field(24) !== 16) {
    throw new UnsupportedError(`${path} (byte 24): U-View images of ${field(24)} bits per pixel are not supported, only of 16`);
  }
  return {
    version: field(22),
    bitsPerPixel: field(24),
    cameraBits: field(26),
    mcpDiameterPixels: field(28),
    binning: [view.getUint8(30), view.getUint8(31)],
    width: field(40),
    height: field(42),
    images: field(44),
    bytes: FILE_HEADER_BYTES + (field(46) > 0 ? RECIPE_BYTES : 0),
  };
}

/** Reads and checks the 288 bytes of an image header that stands at byte `offset` of the file. */
export function parseElmitecImageHeader(header: Uint8Array, path: string, offset: number): ElmitecImageHeader {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const field = (at: number): number => view.getInt16(at, true);
  if (field(0) !== IMAGE_HEADER_BYTES) {
    throw new DataFormatError(`the U-View image header must say that it has ${IMAGE_HEADER_BYTES} bytes, got ${field(0)}`, {
      path,
      offset,
    });
  }
  const markup = field(22) > 0 ? 128 * (Math.floor(field(22) / 128) + 1) : 0;
  const leemData = field(26) > 2 ? field(26) : 0;
  const afterHeader = offset + IMAGE_HEADER_BYTES + markup;
  return {
    version: field(2),
    colorScale: [field(4), field(6)],
    fileTime: view.getBigUint64(8, true),
    maskShift: [field(16), field(18)],
    tags: leemData > 0 ? { offset: afterHeader, bytes: leemData } : { offset: offset + 28, bytes: 240 },
    pixelOffset: afterHeader + leemData,
  };
}

/** What the instrument's metadata say about energy, time, channel plate and field of view. */
export function interpretElmitec(
  file: ElmitecFileHeader,
  image: ElmitecImageHeader,
  tagBytes: Uint8Array,
): Pick<FrameRecord, 'energy' | 'time' | 'mcpBiasKilovolts' | 'pixelSizeNanometers'> {
  const tags = parseElmitecTags(tagBytes);
  const numberOf = (name: string): number | undefined => {
    const value = tags[name]?.value;
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const view = tags['Field of view']?.value;
  const micrometers = typeof view === 'string' ? fieldOfViewMicrometers(view) : undefined;
  return {
    energy: numberOf('Start Voltage'),
    time: image.fileTime > 0n ? Number(image.fileTime - UNIX_EPOCH) / 1e7 : undefined,
    mcpBiasKilovolts: [numberOf('MCP channel plate'), numberOf('MCP_ChPl')].find((bias) => bias !== undefined && bias > 0),
    pixelSizeNanometers: micrometers === undefined ? undefined : (micrometers * 1000) / file.width,
  };
}

/** The text of the field of view, e.g. `40µm LEEM`; undefined where there is none. */
export function fieldOfView(tagBytes: Uint8Array): string | undefined {
  const text = parseElmitecTags(tagBytes)['Field of view']?.value;
  return typeof text === 'string' && text !== '' && text !== 'none' ? text.replace(/\s+/g, ' ').trim() : undefined;
}

/** All metadata of one image: the fields of both headers and every tag, each with its unit. */
export function elmitecMetadata(
  file: ElmitecFileHeader,
  image: ElmitecImageHeader,
  tagBytes: Uint8Array,
): Record<string, MetadataEntry> {
  const plain = (value: MetadataEntry['value'], unit = ''): MetadataEntry => ({ value, unit });
  const milliseconds = image.fileTime > 0n ? Number((image.fileTime - UNIX_EPOCH) / 10000n) : undefined;
  return {
    'Acquisition time': plain(milliseconds === undefined ? null : new Date(milliseconds).toISOString(), 'UTC'),
    'File version': plain(file.version),
    'Image version': plain(image.version),
    'Bits per pixel': plain(file.bitsPerPixel),
    'Camera bits': plain(file.cameraBits),
    'MCP diameter': plain(file.mcpDiameterPixels, 'px'),
    Binning: plain(file.binning),
    'Color scale': plain(image.colorScale),
    'Mask shift': plain(image.maskShift, 'px'),
    ...parseElmitecTags(tagBytes),
  };
}
