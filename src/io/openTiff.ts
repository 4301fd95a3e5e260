import { DataFormatError, UnsupportedError } from '../errors.js';
import { BYTES_PER_PIXEL, PIXEL_ARRAYS } from '../stack/pixels.js';
import type { PixelArray, PixelType } from '../stack/types.js';
import { readInto, withFile } from './fileAccess.js';
import type { FrameRecord, OpenedFrames } from './frameSeries.js';
import { grayFromChannels } from './grayFromChannels.js';
import { readTiffDescription } from './tiffDescription.js';
import { readTiffPages, type TiffPage, type TiffPages } from './tiffPages.js';

/** Pieces of a file. */
type Parts = readonly { readonly offset: number; readonly bytes: number }[];

/**
 * The pages of a TIFF file: 8-, 16- and 32-bit integers, 32- and 64-bit floats, BigTIFF, either byte order. Uncompressed
 * strips are read straight into the frame's buffer, everything else through geotiff. Colors must be gray.
 *
 * The description of the first page may give energies, pixel size (ImageJ, OME-XML, leemlab's own), and the number of
 * images of an ImageJ stack whose pages have no directories of their own.
 *
 * @throws DataFormatError where the file is shorter than its directories say, with the byte.
 * @throws UnsupportedError for color tables and pixel types that are none of ours.
 */
export async function openTiff(path: string): Promise<OpenedFrames> {
  const file = await readTiffPages(path);
  const pages = file.pages.filter((page) => !page.secondary);
  const [first] = pages.length > 0 ? pages : file.pages;
  const { images, info } = readTiffDescription(first.description, pages.length, first.resolution);
  const compressed = compressedReader(path, file.pages.length > 1);
  const frames =
    images > 1 && pages.length === 1 && isPlain(first)
      ? imageJStack(path, file, first, images)
      : (pages.length > 0 ? pages : [first]).map((page) => tiffRecord(path, file, page, compressed.read));
  // what is said of another number of frames is not of these
  const { attributes, axis, ...rest } = info;
  return {
    frames,
    format: 'tiff',
    ...(attributes === undefined ? {} : { attributes }),
    info: { ...rest, ...(axis?.values.length === frames.length ? { axis } : {}) },
    close: compressed.close,
  };
}

function pixelTypeOf(page: TiffPage, path: string): PixelType {
  const name = `${['', 'uint', 'int', 'float'][page.sampleFormat] ?? '?'}${page.bits}`;
  if (page.photometric === 3) {
    throw new UnsupportedError(
      `${path} (byte ${page.offset}): a TIFF image with a color table has no intensities; save it as gray`,
    );
  }
  if (name === 'float16') return 'float32';
  if (name in PIXEL_ARRAYS) return name as PixelType;
  throw new UnsupportedError(
    `${path} (byte ${page.offset}): TIFF pixels of ${page.bits} bits (sample format ${page.sampleFormat}) are not supported, only ${Object.keys(PIXEL_ARRAYS).join(', ')}`,
  );
}

const isPlain = (page: TiffPage): boolean =>
  page.compression === 1 && !page.tiled && page.planar === 1 && !(page.sampleFormat === 3 && page.bits === 16);

function tiffRecord(path: string, file: TiffPages, page: TiffPage, readCompressed: ReadPage): FrameRecord {
  const pixelType = pixelTypeOf(page, path);
  const channels = page.samples;
  const expected = page.height * page.width * channels * BYTES_PER_PIXEL[pixelType];
  assertInside(path, file, page, isPlain(page) ? expected : undefined);
  const parts = merged(page.parts);
  const readAll = isPlain(page)
    ? () => readParts(path, parts, expected, pixelType, file.littleEndian)
    : () => readCompressed(page, pixelType);
  return {
    path,
    label: file.pages.length > 1 ? `page ${page.index + 1}` : undefined,
    sizeOffset: page.offset,
    height: page.height,
    width: page.width,
    pixelType,
    readPixels: async () => grayFromChannels(await readAll(), channels, path, page.extraSamples),
  };
}

/** The frames of an ImageJ stack of which only the first has a directory: they follow each other in the file. */
function imageJStack(path: string, file: TiffPages, page: TiffPage, images: number): FrameRecord[] {
  const first = tiffRecord(path, file, page, () => Promise.reject(new Error('unreachable')));
  const bytes = page.height * page.width * page.samples * BYTES_PER_PIXEL[first.pixelType];
  const start = page.parts[0].offset;
  if (start + images * bytes > file.size) {
    throw new DataFormatError(
      `ImageJ's description promises ${images} images of ${bytes} bytes from byte ${start} on, but the file has ${file.size} bytes; it is truncated`,
      { path, offset: file.size },
    );
  }
  return Array.from({ length: images }, (_, n) => ({
    ...first,
    readPixels: async () => {
      const pixels = await readParts(path, [{ offset: start + n * bytes, bytes }], bytes, first.pixelType, file.littleEndian);
      return grayFromChannels(pixels, page.samples, path, page.extraSamples);
    },
  }));
}

function assertInside(path: string, file: TiffPages, page: TiffPage, expected: number | undefined): void {
  for (const part of page.parts) {
    if (part.offset + part.bytes > file.size) {
      throw new DataFormatError(
        `page ${page.index + 1}: ${part.bytes} bytes of pixels must stand at byte ${part.offset}, but the file has ${file.size} bytes; it is truncated`,
        { path, offset: Math.min(part.offset, file.size) },
      );
    }
  }
  const found = page.parts.reduce((sum, part) => sum + part.bytes, 0);
  if (expected !== undefined && found < expected) {
    throw new DataFormatError(
      `page ${page.index + 1}: the strips must hold ${expected} bytes for ${page.height} × ${page.width} pixels (rows × columns), got ${found}; the header is wrong`,
      { path, offset: page.offset },
    );
  }
}

/** Strips that follow each other are read as one. */
function merged(parts: Parts): Parts {
  const out: { offset: number; bytes: number }[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (last !== undefined && last.offset + last.bytes === part.offset) last.bytes += part.bytes;
    else out.push({ ...part });
  }
  return out;
}

async function readParts(
  path: string,
  parts: Parts,
  expected: number,
  pixelType: PixelType,
  littleEndian: boolean,
): Promise<PixelArray> {
  const buffer = new ArrayBuffer(expected);
  await withFile(path, async (file) => {
    let done = 0;
    for (const { offset, bytes } of parts) {
      const length = Math.min(bytes, expected - done);
      await readInto(file, path, new Uint8Array(buffer, done, length), offset);
      done += length;
    }
  });
  const size = BYTES_PER_PIXEL[pixelType];
  if (!littleEndian && size > 1) swapBytes(Buffer.from(buffer), size);
  return new PIXEL_ARRAYS[pixelType](buffer);
}

function swapBytes(bytes: Buffer, size: number): void {
  if (size === 2) bytes.swap16();
  else if (size === 4) bytes.swap32();
  else bytes.swap64();
}

type ReadPage = (page: TiffPage, pixelType: PixelType) => Promise<PixelArray>;

/** Reads pages through geotiff; the file stays open between the pages of one stack, and only then. */
function compressedReader(path: string, keepOpen: boolean): { read: ReadPage; close(): Promise<void> } {
  let kept: Promise<import('geotiff').GeoTIFF> | undefined;
  const open = async (): Promise<import('geotiff').GeoTIFF> => (await import('geotiff')).fromFile(path);
  const read: ReadPage = async (page, pixelType) => {
    kept = keepOpen ? (kept ?? open()) : undefined;
    const file = await (kept ?? open());
    try {
      const image = await file.getImage(page.index);
      const pixels = (await image.readRasters({ interleave: true })) as unknown as PixelArray;
      return pixels instanceof PIXEL_ARRAYS[pixelType] ? pixels : new PIXEL_ARRAYS[pixelType](pixels as never);
    } catch (cause) {
      throw decodeError(path, page, cause);
    } finally {
      if (kept === undefined) await closeQuietly(file);
    }
  };
  return { read, close: async () => closeQuietly(await kept) };
}

async function closeQuietly(file: import('geotiff').GeoTIFF | undefined): Promise<void> {
  await (file?.close() as unknown as Promise<unknown> | undefined);
}

function decodeError(path: string, page: TiffPage, cause: unknown): Error {
  const { message } = cause as Error;
  if (/compression|decoder/i.test(message)) {
    return new UnsupportedError(
      `${path} (byte ${page.offset}): TIFF compression ${page.compression} is not supported: ${message}`,
      {
        cause,
      },
    );
  }
  return new DataFormatError(
    `page ${page.index + 1}: the compressed pixels cannot be read (${message}); the file is damaged`,
    { path, offset: page.parts[0].offset },
    { cause },
  );
}
