import type { FileHandle } from 'node:fs/promises';
import { DataFormatError } from '../errors.js';
import {
  type ElmitecFileHeader,
  type ElmitecImageHeader,
  elmitecMetadata,
  fieldOfView,
  IMAGE_HEADER_BYTES,
  interpretElmitec,
  parseElmitecFileHeader,
  parseElmitecImageHeader,
} from './elmitecHeader.js';
import { readBytes, readInto, withFile } from './fileAccess.js';
import type { FrameRecord, OpenedFrames } from './frameSeries.js';

/** More than any header seen in a `.dat` file (2285 bytes), so that one read serves. */
const HEAD_BYTES = 4096;

/**
 * The frames of an Elmitec U-View `.dat` (one image) or `.dav` (many). Reads the headers only: one small read a frame.
 * Rows are as stored in the file, from its first to its last.
 *
 * @throws DataFormatError where the size of the file is not what its headers say, with the byte.
 */
export async function openElmitec(path: string): Promise<OpenedFrames> {
  const { frames, view } = await readHeaders(path);
  return {
    frames,
    format: frames.length > 1 ? 'elmitec-dav' : 'elmitec-dat',
    hasEnergies: true,
    attributes: view === undefined ? {} : { field_of_view: view },
  };
}

async function readHeaders(path: string): Promise<{ frames: FrameRecord[]; view: string | undefined }> {
  return withFile(path, async (handle) => {
    const { size } = await handle.stat();
    const head = new Uint8Array(Math.min(HEAD_BYTES, size));
    await readInto(handle, path, head, 0);
    const file = parseElmitecFileHeader(head, path);
    const bytesPerImage = file.width * file.height * 2;
    const records: FrameRecord[] = [];
    let view: string | undefined;
    // a movie is read to the file's end and the count checked after; where the count is 0 or 1, what follows must be an image
    let offset = file.bytes;
    do {
      const { image, tags } = await readImageHeader(handle, head, size, path, offset);
      offset = image.pixelOffset + bytesPerImage;
      if (offset > size) {
        throw new DataFormatError(
          `the headers promise ${file.height} × ${file.width} pixels (rows × columns) of 2 bytes from byte ${image.pixelOffset} on, up to byte ${offset}, but the file has ${size} bytes; it is truncated or its header is wrong`,
          { path, offset: Math.min(size, image.pixelOffset) },
        );
      }
      view ??= fieldOfView(tags);
      records.push(elmitecRecord(path, file, image, tags));
    } while (offset < size && (file.images > 1 || (await startsImage(handle, path, offset, size))));
    if (offset !== size) {
      throw new DataFormatError(
        `the headers say that the file ends here, but it has ${size - offset} more bytes (${file.height} × ${file.width} pixels from byte ${offset - bytesPerImage} on); its header is wrong`,
        { path, offset },
      );
    }
    if (file.images > 1 && records.length !== file.images) {
      throw new DataFormatError(
        `the file header must give the number of images, got ${file.images} where the file holds ${records.length}`,
        { path, offset: 44 },
      );
    }
    return { frames: records, view };
  });
}

async function startsImage(handle: FileHandle, path: string, offset: number, size: number): Promise<boolean> {
  if (size - offset < IMAGE_HEADER_BYTES) return false;
  const start = new Uint8Array(2);
  await readInto(handle, path, start, offset);
  return start[0] + 256 * start[1] === IMAGE_HEADER_BYTES;
}

async function readImageHeader(
  handle: FileHandle,
  head: Uint8Array,
  size: number,
  path: string,
  offset: number,
): Promise<{ image: ElmitecImageHeader; tags: Uint8Array }> {
  const part = async (start: number, bytes: number): Promise<Uint8Array> => {
    if (start + bytes <= head.byteLength) return head.subarray(start, start + bytes);
    if (start + bytes > size) {
      throw new DataFormatError('the file ends inside a U-View image header; it is truncated', { path, offset: size });
    }
    const target = new Uint8Array(bytes);
    await readInto(handle, path, target, start);
    return target;
  };
  const image = parseElmitecImageHeader(await part(offset, IMAGE_HEADER_BYTES), path, offset);
  return { image, tags: await part(image.tags.offset, image.tags.bytes) };
}

function elmitecRecord(path: string, file: ElmitecFileHeader, image: ElmitecImageHeader, tags: Uint8Array): FrameRecord {
  const pixels = file.width * file.height;
  return {
    path,
    sizeOffset: 40,
    height: file.height,
    width: file.width,
    pixelType: 'uint16',
    ...interpretElmitec(file, image, tags),
    readPixels: async () => new Uint16Array(await readBytes(path, image.pixelOffset, pixels * 2)),
    readMetadata: async () => ({
      ...elmitecMetadata(file, image, new Uint8Array(await readBytes(path, image.tags.offset, image.tags.bytes))),
    }),
  };
}
