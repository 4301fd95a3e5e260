import { Buffer } from 'node:buffer';
import { crc32, deflateSync } from 'node:zlib';

/** Pixels of 8 bits, row by row. */
export interface PngImage {
  readonly height: number;
  readonly width: number;
  /** Entries of the palette, or three (RGB) or four (RGBA) bytes a pixel. */
  readonly pixels: Uint8Array;
  /** Red, green, blue of each entry, 0 to 255; entry 0 is transparent. */
  readonly palette?: readonly (readonly [number, number, number])[];
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOR_TYPES: Readonly<Record<number, number>> = { 1: 3, 3: 2, 4: 6 };

/** A PNG; Node's own zlib compresses it. */
export function encodePng({ height, width, pixels, palette }: PngImage): Buffer {
  const channels = pixels.length / (height * width);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = COLOR_TYPES[channels];
  const stride = width * channels;
  // every row starts with the number of its filter: 0, none
  const rows = new Uint8Array(height * (stride + 1));
  for (let r = 0; r < height; r++) rows.set(pixels.subarray(r * stride, (r + 1) * stride), r * (stride + 1) + 1);
  const colors = palette === undefined ? [] : [chunk('PLTE', Uint8Array.from(palette.flat())), chunk('tRNS', Uint8Array.of(0))];
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...colors,
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}

function chunk(name: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
