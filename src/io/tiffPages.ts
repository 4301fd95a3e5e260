import type { FileHandle } from 'node:fs/promises';
import { DataFormatError } from '../errors.js';
import { readInto, withFile } from './fileAccess.js';

/** What a TIFF directory says of its image. */
export interface TiffPage {
  /** Number of the directory in the file, from 0, and the byte where it stands. */
  readonly index: number;
  readonly offset: number;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly sampleFormat: number;
  readonly samples: number;
  /** How many of the samples are opacity or the like. */
  readonly extraSamples: number;
  readonly compression: number;
  readonly photometric: number;
  /** Samples stand pixel by pixel (1) or in planes of their own (2). */
  readonly planar: number;
  readonly tiled: boolean;
  /** Byte and length of every strip or tile. */
  readonly parts: readonly { readonly offset: number; readonly bytes: number }[];
  readonly description: string;
  /** Pixels per unit. */
  readonly resolution: number | undefined;
  /** A smaller copy of another page, or a mask. */
  readonly secondary: boolean;
}

export interface TiffPages {
  readonly littleEndian: boolean;
  readonly size: number;
  readonly pages: readonly TiffPage[];
}

const TYPE_BYTES: Readonly<Record<number, number>> = {
  1: 1, // BYTE
  2: 1, // ASCII
  3: 2, // SHORT
  4: 4, // LONG
  5: 8, // RATIONAL
  6: 1, // SBYTE
  7: 1, // UNDEFINED
  8: 2, // SSHORT
  9: 4, // SLONG
  10: 8, // SRATIONAL
  11: 4, // FLOAT
  12: 8, // DOUBLE
  13: 4, // IFD
  16: 8, // LONG8
  17: 8, // SLONG8
  18: 8, // IFD8
};

/** The tags that are read. */
const TAGS: Readonly<Record<number, string>> = {
  254: 'subfile',
  256: 'width',
  257: 'height',
  258: 'bits',
  259: 'compression',
  262: 'photometric',
  270: 'description',
  273: 'stripOffsets',
  277: 'samples',
  279: 'stripBytes',
  282: 'resolution',
  284: 'planar',
  324: 'tileOffsets',
  325: 'tileBytes',
  338: 'extraSamples',
  339: 'sampleFormat',
};

type TagValues = Partial<Record<string, number[] | string>>;

/** Reads small pieces of a file through a window, since the directories of a file mostly lie close together. */
class WindowReader {
  static readonly #WINDOW = 65536;
  readonly #file: FileHandle;
  readonly #path: string;
  #start = 0;
  #window = new Uint8Array(0);
  readonly size: number;

  constructor(file: FileHandle, path: string, size: number) {
    this.#file = file;
    this.#path = path;
    this.size = size;
  }

  async view(offset: number, bytes: number, what: string): Promise<DataView> {
    if (offset < 0 || offset + bytes > this.size) {
      throw new DataFormatError(
        `${what} must stand at byte ${offset}, but the file has ${this.size} bytes; it is truncated or damaged`,
        { path: this.#path, offset: Math.min(offset, this.size) },
      );
    }
    if (offset < this.#start || offset + bytes > this.#start + this.#window.byteLength) {
      const length = Math.min(Math.max(bytes, WindowReader.#WINDOW), this.size - offset);
      this.#window = new Uint8Array(length);
      this.#start = offset;
      await readInto(this.#file, this.#path, this.#window, offset);
    }
    return new DataView(this.#window.buffer, offset - this.#start, bytes);
  }
}

/**
 * Reads the directories of a TIFF or BigTIFF file, of either byte order: what is needed to find the pixels.
 *
 * @throws DataFormatError with the byte of the header, directory or tag that is wrong.
 */
export async function readTiffPages(path: string): Promise<TiffPages> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const reader = new WindowReader(file, path, size);
    const header = await reader.view(0, 8, 'the TIFF header');
    const littleEndian = header.getUint8(0) === 0x49;
    const big = header.getUint16(2, littleEndian) === 43;
    const pages: TiffPage[] = [];
    const seen = new Set<number>();
    const start = big
      ? Number((await reader.view(8, 8, 'the BigTIFF header')).getBigUint64(0, littleEndian))
      : header.getUint32(4, littleEndian);
    for (let offset = start; offset !== 0; ) {
      if (seen.has(offset)) throw new DataFormatError('the TIFF directories form a loop; the file is damaged', { path, offset });
      seen.add(offset);
      const { tags, next } = await readDirectory(reader, path, offset, littleEndian, big);
      pages.push(toPage(tags, pages.length, path, offset));
      offset = next;
    }
    if (pages.length === 0) throw new DataFormatError('the file holds no image', { path, offset: 4 });
    return { littleEndian, size, pages };
  });
}

async function readDirectory(
  reader: WindowReader,
  path: string,
  offset: number,
  littleEndian: boolean,
  big: boolean,
): Promise<{ tags: TagValues; next: number }> {
  const [countBytes, entryBytes, pointerBytes] = big ? [8, 20, 8] : [2, 12, 4];
  const integer = (view: DataView, at: number, bytes: number): number =>
    bytes === 8
      ? Number(view.getBigUint64(at, littleEndian))
      : bytes === 4
        ? view.getUint32(at, littleEndian)
        : view.getUint16(at, littleEndian);
  const count = integer(await reader.view(offset, countBytes, 'a TIFF directory'), 0, countBytes);
  if (count === 0 || count > 4096) {
    throw new DataFormatError(`a TIFF directory must have 1 to 4096 entries, got ${count}`, { path, offset });
  }
  const bytes = count * entryBytes;
  const entries = await reader.view(offset + countBytes, bytes + pointerBytes, `a TIFF directory of ${count} entries`);
  const next = integer(entries, bytes, pointerBytes);
  // the window moves on when values are fetched: the entries are copied out first
  const copy = new DataView(entries.buffer.slice(entries.byteOffset, entries.byteOffset + bytes));
  const tags: TagValues = {};
  for (let at = 0; at < bytes; at += entryBytes) {
    const name = TAGS[copy.getUint16(at, littleEndian)];
    const type = copy.getUint16(at + 2, littleEndian);
    if (name === undefined || TYPE_BYTES[type] === undefined) continue;
    const values = integer(copy, at + 4, pointerBytes);
    const length = values * TYPE_BYTES[type];
    const inline = length <= pointerBytes;
    const view = inline
      ? new DataView(copy.buffer, at + 4 + pointerBytes, length)
      : await reader.view(integer(copy, at + 4 + pointerBytes, pointerBytes), length, `the values of TIFF tag '${name}'`);
    tags[name] = readValues(view, type, values, littleEndian);
  }
  return { tags, next };
}

function readValues(view: DataView, type: number, count: number, littleEndian: boolean): number[] | string {
  if (type === 2) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, count);
    return new TextDecoder().decode(bytes).replace(/\0+$/, '');
  }
  const read: Record<number, (at: number) => number> = {
    3: (at) => view.getUint16(at, littleEndian),
    4: (at) => view.getUint32(at, littleEndian),
    5: (at) => view.getUint32(at, littleEndian) / view.getUint32(at + 4, littleEndian),
    13: (at) => view.getUint32(at, littleEndian),
    16: (at) => Number(view.getBigUint64(at, littleEndian)),
    18: (at) => Number(view.getBigUint64(at, littleEndian)),
  };
  const one = read[type] ?? ((at: number) => view.getUint8(at));
  return Array.from({ length: count }, (_, i) => one(i * TYPE_BYTES[type]));
}

function toPage(tags: TagValues, index: number, path: string, offset: number): TiffPage {
  const list = (name: string): number[] => (Array.isArray(tags[name]) ? tags[name] : []);
  const first = (name: string, otherwise: number): number => list(name)[0] ?? otherwise;
  const fail = (rule: string): never => {
    throw new DataFormatError(`page ${index + 1}: ${rule}`, { path, offset });
  };
  const tiled = list('tileOffsets').length > 0;
  const offsets = tiled ? list('tileOffsets') : list('stripOffsets');
  const lengths = tiled ? list('tileBytes') : list('stripBytes');
  const [width, height] = [first('width', 0), first('height', 0)];
  if (width < 1 || height < 1) fail(`the TIFF directory must give a positive width and height, got ${width} × ${height}`);
  const bits = list('bits');
  if (bits.some((value) => value !== bits[0])) fail(`all samples of a pixel must have as many bits, got ${bits.join(', ')}`);
  if (offsets.length === 0 || lengths.length !== offsets.length) {
    fail(`the TIFF directory must give a byte and a length for every strip or tile, got ${offsets.length} and ${lengths.length}`);
  }
  return {
    index,
    offset,
    width,
    height,
    bits: bits[0] ?? 1,
    sampleFormat: first('sampleFormat', 1),
    samples: first('samples', 1),
    extraSamples: list('extraSamples').length,
    compression: first('compression', 1),
    photometric: first('photometric', 1),
    planar: first('planar', 1),
    tiled,
    parts: offsets.map((part, i) => ({ offset: part, bytes: lengths[i] })),
    description: typeof tags.description === 'string' ? tags.description : '',
    resolution: list('resolution')[0],
    secondary: (first('subfile', 0) & 5) !== 0,
  };
}
