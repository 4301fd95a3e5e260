import type { FileHandle } from 'node:fs/promises';
import { DataFormatError, UnsupportedError } from '../errors.js';
import { readInto } from './fileAccess.js';

const FILE_HEADER_LINES = { signature: 0, headerBytes: 1, date: 2, frames: 3, directory: 4 } as const;

/** The text header of an NLP4 file. */
export interface NlpHeader {
  readonly date: string;
  readonly frames: number;
  /** Byte of the directory. */
  readonly directory: number;
}

/** A frame's block: where its texts and pixels are. */
export interface NlpFrame {
  readonly height: number;
  readonly width: number;
  readonly bytesPerPixel: 1 | 2;
  /** Whether the pixels are differences from pixel to pixel, compressed with zlib. */
  readonly compressed: boolean;
  readonly pixelOffset: number;
  readonly pixelBytes: number;
  /** Clock of the instrument at the moment of the grab, in seconds. */
  readonly clock: number;
  readonly text: { readonly offset: number; readonly bytes: number };
}

const decoder = new TextDecoder('windows-1252');

/**
 * Reads the text at the start of an NLP4 file: `NLP4`, bytes of the header, date, number of frames, byte of the
 * directory, then settings of the instrument.
 */
export function parseNlpHeader(head: Uint8Array, path: string): NlpHeader {
  const lines = decoder.decode(head).split('\n');
  const numberAt = (line: number, what: string): number => {
    const value = Number(lines[line]);
    if (lines[line]?.trim() && Number.isInteger(value) && value > 0) return value;
    const offset = lines.slice(0, line).join('\n').length + 1;
    throw new DataFormatError(`the NLP4 header must give ${what}, got "${lines[line]?.trim() ?? ''}"`, { path, offset });
  };
  numberAt(FILE_HEADER_LINES.headerBytes, 'its size in bytes');
  return {
    date: lines[FILE_HEADER_LINES.date],
    frames: numberAt(FILE_HEADER_LINES.frames, 'a positive number of frames'),
    directory: numberAt(FILE_HEADER_LINES.directory, 'the byte of its directory (a recording that was cut off has none)'),
  };
}

/** Reads `bytes` bytes and gives them as a view; the message of a file that ends before says what was looked for. */
async function view(
  file: FileHandle,
  path: string,
  offset: number,
  bytes: number,
  size: number,
  what: string,
): Promise<DataView> {
  if (offset + bytes > size) {
    throw new DataFormatError(`${what} must stand here, but the file has ${size} bytes; it is truncated or damaged`, {
      path,
      offset: Math.min(offset, size),
    });
  }
  const target = new Uint8Array(bytes);
  await readInto(file, path, target, offset);
  return new DataView(target.buffer);
}

function tagOf(block: DataView): string {
  return String.fromCharCode(...Array.from({ length: 5 }, (_, i) => block.getUint8(4 + i)));
}

function assertTag(block: DataView, tag: string, path: string, offset: number): void {
  if (tagOf(block) === tag) return;
  throw new DataFormatError(`a block ${tag} must stand here, got ${JSON.stringify(tagOf(block))}`, { path, offset: offset + 4 });
}

/** Bytes of the size and the tag that every block starts with. */
const BLOCK_START = 9;
/** Directory entry: u32 frame, u8 kind (1 = image), u32 byte of the block, 26 bytes unused. */
const ENTRY_BYTES = 35;
const KIND_IMAGE = 1;

/** The bytes at which the images' blocks start, in the order of the directory. */
export async function readNlpDirectory(file: FileHandle, path: string, offset: number, size: number): Promise<number[]> {
  const start = await view(file, path, offset, BLOCK_START + 4, size, 'the directory');
  assertTag(start, 'DIR00', path, offset);
  const count = start.getUint32(BLOCK_START, true);
  const entries = await view(file, path, offset + BLOCK_START + 4, count * ENTRY_BYTES, size, `a directory of ${count} entries`);
  const blocks: number[] = [];
  for (let at = 0; at < count * ENTRY_BYTES; at += ENTRY_BYTES) {
    if (entries.getUint8(at + 4) === KIND_IMAGE) blocks.push(entries.getUint32(at + 5, true));
  }
  return blocks;
}

/** Bytes between a frame's texts and its pixels: number, clock, width, height, bits, colors, coding, 48 unused, length. */
const FRAME_FIELDS = 75;
const CODING_DIFFERENCES = 3;

/** Reads and checks the block of a frame that starts at byte `offset`, without its pixels. */
export async function readNlpFrame(file: FileHandle, path: string, offset: number, size: number): Promise<NlpFrame> {
  const start = await view(file, path, offset, BLOCK_START + 4, size, 'an image block');
  assertTag(start, 'IMG00', path, offset);
  const blockBytes = start.getUint32(0, true);
  const text = { offset: offset + BLOCK_START + 4, bytes: start.getUint32(BLOCK_START, true) };
  const at = text.offset + text.bytes;
  const fields = await view(file, path, at, FRAME_FIELDS, size, "the fields after an image's texts");
  const width = fields.getUint32(12, true);
  const height = fields.getUint32(16, true);
  const bits = fields.getUint8(20);
  const compressed = fields.getUint8(22) === CODING_DIFFERENCES;
  const pixelBytes = fields.getUint32(71, true);
  const pixelOffset = at + FRAME_FIELDS;
  if (bits !== 8 && bits !== 16) {
    throw new UnsupportedError(
      `${path} (byte ${at + 20}): NLP4 images of ${bits} bits per pixel are not supported, only of 8 and 16`,
    );
  }
  const expected = width * height * (bits / 8);
  if (expected === 0 || (!compressed && pixelBytes !== expected)) {
    throw new DataFormatError(
      `the image header must give as many bytes as ${height} × ${width} pixels of ${bits} bits take (${expected}), got ${pixelBytes}`,
      { path, offset: at + 71 },
    );
  }
  if (pixelOffset + pixelBytes > Math.min(size, offset + blockBytes)) {
    throw new DataFormatError(
      `${pixelBytes} bytes of pixels must stand here, but the block ends at byte ${offset + blockBytes} and the file at ${size}; it is truncated or damaged`,
      { path, offset: pixelOffset },
    );
  }
  return {
    height,
    width,
    bytesPerPixel: bits === 8 ? 1 : 2,
    compressed,
    pixelOffset,
    pixelBytes,
    clock: fields.getFloat64(4, true),
    text,
  };
}

/** The values of an image's texts, `*NAME value` a line, as numbers where they are. */
export function parseNlpText(bytes: Uint8Array): Record<string, number | string> {
  const values: Record<string, number | string> = {};
  for (const line of decoder.decode(bytes).split('\n')) {
    const match = /^\*?(\S+)\s*(.*)$/.exec(line);
    if (match === null) continue;
    const text = match[2].trim();
    values[match[1]] = text !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  }
  return values;
}
