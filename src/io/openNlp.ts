import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { DataFormatError } from '../errors.js';
import type { PixelArray } from '../stack/types.js';
import { mapConcurrently, readBytes, readInto, withFile } from './fileAccess.js';
import type { FrameRecord, OpenedFrames } from './frameSeries.js';
import { type NlpFrame, parseNlpHeader, parseNlpText, readNlpDirectory, readNlpFrame } from './nlpBlocks.js';

const decompress = promisify(inflate);

/** Units of the texts of a frame that name a quantity. */
const UNITS: Readonly<Record<string, string>> = {
  EGY: 'eV',
  EGYM: 'eV',
  CHANNELPLATE: 'kV',
  NMPERPIXEL: 'nm',
  TEMPERATURE: '°C',
  PRESSURE: 'mbar',
  EXPOSURE: 'ms',
  CLK: 's',
};

/**
 * The frames of an ESCHER `.nlp` file (NLP4): energy `EGY`, channel plate `CHANNELPLATE` (kV), pixel size `NMPERPIXEL`,
 * time from the instrument's clock. Rows are as stored in the file. Pixels of 8 or 16 bits, plain or as differences
 * compressed with zlib.
 *
 * @throws DataFormatError with the byte of the block or field that is wrong.
 */
export async function openNlp(path: string): Promise<OpenedFrames> {
  return withFile(path, async (file) => {
    const { size } = await file.stat();
    const head = new Uint8Array(Math.min(4096, size));
    await readInto(file, path, head, 0);
    const header = parseNlpHeader(head, path);
    const blocks = await readNlpDirectory(file, path, header.directory, size);
    if (blocks.length !== header.frames) {
      throw new DataFormatError(`the directory must list ${header.frames} images as the header says, got ${blocks.length}`, {
        path,
        offset: header.directory,
      });
    }
    const frames = await mapConcurrently(blocks, 8, async (offset): Promise<FrameRecord> => {
      const frame = await readNlpFrame(file, path, offset, size);
      const text = new Uint8Array(frame.text.bytes);
      await readInto(file, path, text, frame.text.offset);
      return nlpRecord(path, frame, parseNlpText(text));
    });
    return { frames, format: 'nlp', hasEnergies: true, attributes: { recorded: header.date } };
  });
}

function nlpRecord(path: string, frame: NlpFrame, values: Record<string, number | string>): FrameRecord {
  const positive = (name: string): number | undefined => {
    const value = values[name];
    return typeof value === 'number' && value > 0 ? value : undefined;
  };
  return {
    path,
    height: frame.height,
    width: frame.width,
    pixelType: frame.bytesPerPixel === 1 ? 'uint8' : 'uint16',
    energy: typeof values.EGY === 'number' ? values.EGY : undefined,
    time: frame.clock > 0 ? frame.clock : undefined,
    mcpBiasKilovolts: positive('CHANNELPLATE'),
    pixelSizeNanometers: positive('NMPERPIXEL'),
    readPixels: () => readPixels(path, frame),
    readMetadata: async () => {
      const text = parseNlpText(new Uint8Array(await readBytes(path, frame.text.offset, frame.text.bytes)));
      return Object.fromEntries(Object.entries(text).map(([name, value]) => [name, { value, unit: UNITS[name] ?? '' }]));
    },
  };
}

async function readPixels(path: string, frame: NlpFrame): Promise<PixelArray> {
  const { height, width, bytesPerPixel, pixelOffset, pixelBytes } = frame;
  const stored = await readBytes(path, pixelOffset, pixelBytes);
  const toPixels = (buffer: ArrayBuffer): Uint8Array | Uint16Array =>
    bytesPerPixel === 1 ? new Uint8Array(buffer) : new Uint16Array(buffer);
  if (!frame.compressed) return toPixels(stored);
  const expected = height * width * bytesPerPixel;
  const bytes = await decompress(new Uint8Array(stored), { maxOutputLength: expected + 1 }).catch((cause: unknown) => {
    throw new DataFormatError(
      'the compressed pixels cannot be read; the file is damaged',
      { path, offset: pixelOffset },
      { cause },
    );
  });
  if (bytes.byteLength !== expected) {
    throw new DataFormatError(`the compressed pixels must be ${expected} bytes, got ${bytes.byteLength}`, {
      path,
      offset: pixelOffset,
    });
  }
  const pixels = toPixels(new Uint8Array(bytes).buffer);
  // each value is stored as the difference from the one before, modulo the type's range
  for (let i = 1; i < pixels.length; i++) pixels[i] += pixels[i - 1];
  return pixels;
}
