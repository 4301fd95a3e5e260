import { Buffer } from 'node:buffer';
import { crc32, deflateSync } from 'node:zlib';

/** Red, green, blue, 0 … 255. */
export type Rgb = readonly [number, number, number];

/** 255 greys, for images. */
export const GREYS: readonly Rgb[] = Array.from({ length: 255 }, (_, k) => {
  const level = Math.round((k / 254) * 255);
  return [level, level, level];
});

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const PALETTE_COLORS = 3;

function chunk(name: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(name, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/**
 * A PNG of 8 bits with a palette, whose entry 0 is transparent. Node's own zlib compresses it, several times faster than
 * a codec in JavaScript.
 *
 * @param indices `[height, width]`, row by row: entries of the palette.
 * @param colors what the entries from 1 on are: 255 at most.
 */
export function palettePng(
  indices: Uint8Array,
  { height, width }: { readonly height: number; readonly width: number },
  colors: readonly Rgb[],
): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = PALETTE_COLORS;
  // every row starts with the number of its filter: 0, none, which suits palettes
  const rows = new Uint8Array(height * (width + 1));
  for (let r = 0; r < height; r++) rows.set(indices.subarray(r * width, (r + 1) * width), r * (width + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', Uint8Array.from([128, 128, 128, ...colors.flat()])),
    chunk('tRNS', Uint8Array.of(0)),
    chunk('IDAT', deflateSync(rows, { level: 3 })),
    chunk('IEND', new Uint8Array(0)),
  ]);
}
