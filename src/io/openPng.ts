import { readFile } from 'node:fs/promises';
import { DataFormatError } from '../errors.js';
import type { PixelArray } from '../stack/types.js';
import { readHead, readingFrom } from './fileAccess.js';
import type { OpenedFrames } from './frameSeries.js';
import { grayFromChannels } from './grayFromChannels.js';

/** Bytes of the signature and of the header chunk, which holds the size. */
const PNG_HEADER = 33;

/** A PNG image as one frame, 8 or 16 bits; a color image must be gray. */
export async function openPng(path: string): Promise<OpenedFrames> {
  const { head } = await readHead(path, PNG_HEADER);
  if (head.byteLength < PNG_HEADER) {
    throw new DataFormatError('the file ends inside the PNG header; it is truncated', { path, offset: head.byteLength });
  }
  const view = new DataView(head.buffer);
  const frame = {
    path,
    sizeOffset: 16,
    width: view.getUint32(16),
    height: view.getUint32(20),
    pixelType: view.getUint8(24) === 16 ? ('uint16' as const) : ('uint8' as const),
    readPixels: () => readPixels(path),
  };
  return { frames: [frame], format: 'png' };
}

async function readPixels(path: string): Promise<PixelArray> {
  const { decode } = await import('fast-png');
  const file = await readingFrom(path, () => readFile(path));
  let image: ReturnType<typeof decode>;
  try {
    image = decode(file);
  } catch (cause) {
    throw new DataFormatError(`the PNG image cannot be read: ${(cause as Error).message}`, { path }, { cause });
  }
  if (image.palette !== undefined) {
    throw new DataFormatError('a PNG image with a color table has no intensities; save it as gray', { path });
  }
  return grayFromChannels(image.data as PixelArray, image.channels, path, image.channels === 2 || image.channels === 4 ? 1 : 0);
}
