import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../errors.js';
import { startOutput } from '../io/partialOutput.js';
import { writeFileAtomic } from '../io/writeFileAtomic.js';
import type { ChunkSink, PixelArray, StackInfo } from '../stack/index.js';

const FILE_HEADER = 104;
const IMAGE_HEADER = 288;
const TAGS_AT = 28;
// Simulated frames were never measured: the clock of the files starts at 2020-01-01 UTC, a second a frame (100 ns units).
const FIRST_FILE_TIME = 132223104000000000n;
const SECOND = 10000000n;

/** Elmitec U-View header of one image: energy and field of view among the tags. */
function elmitecHeader(info: StackInfo, n: number): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER + IMAGE_HEADER);
  bytes.write('UKSOFT2001', 0, 'latin1');
  for (const [offset, value] of [
    [20, FILE_HEADER],
    [22, 8],
    [24, 16],
    [26, 16],
    [28, Math.min(info.height, info.width)],
    [40, info.width],
    [42, info.height],
    [44, 1],
  ]) {
    bytes.writeInt16LE(value, offset);
  }
  bytes.fill(1, 30, 32);
  const image = bytes.subarray(FILE_HEADER);
  image.writeInt16LE(IMAGE_HEADER, 0);
  image.writeInt16LE(7, 2);
  image.writeInt16LE(32767, 6);
  image.writeBigUInt64LE(FIRST_FILE_TIME + BigInt(n) * SECOND, 8);
  image.writeInt16LE(2, 26);
  writeTags(image.subarray(TAGS_AT), info, n);
  return bytes;
}

function writeTags(tags: Buffer, { axis, width, pixelSizeNanometers }: StackInfo, n: number): void {
  const float = (value: number): Buffer => {
    const four = Buffer.alloc(4);
    four.writeFloatLE(value);
    return four;
  };
  const parts = [Buffer.from([38]), Buffer.from('Start Voltage1\0', 'latin1'), float(axis.values[n])];
  parts.push(Buffer.from([104]), float(0.25), Buffer.from([0, 0]));
  if (pixelSizeNanometers !== undefined) {
    const micrometers = Number(((width * pixelSizeNanometers) / 1000).toPrecision(6));
    // cp1252: µ is one byte
    parts.push(Buffer.from([110]), Buffer.from(`${micrometers}\xb5m\0`, 'latin1'), float(1));
  }
  tags.fill(0xff);
  Buffer.concat(parts).copy(tags);
}

/**
 * Starts a folder of Elmitec U-View `.dat` files, one a frame (`frame0000.dat` …), as the instrument would leave it.
 * It grows as `.NAME.part` and gets its name in the end.
 *
 * @throws OutputError where the folder exists and `overwrite` is not set, or cannot be written.
 */
export async function createElmitecWriter(
  path: string,
  info: StackInfo,
  options: { readonly overwrite?: boolean | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ChunkSink> {
  const output = await startOutput(path, options.overwrite);
  await mkdir(output.path);
  const digits = Math.max(4, String(info.frames - 1).length);
  const writeFrame = async (index: number, pixels: PixelArray): Promise<void> => {
    throwIfAborted(options.signal, 'Writing a stack');
    const body = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
    const name = `frame${String(index).padStart(digits, '0')}.dat`;
    await writeFileAtomic(join(output.path, name), Buffer.concat([elmitecHeader(info, index), body]));
  };
  return {
    writeFrame,
    writePlaced: writeFrame,
    finish: () => output.commit(),
    abort: () => output.discard(),
  };
}
