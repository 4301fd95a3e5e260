/** What the pages of a stack have in common. */
export interface TiffLayout {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  readonly bits: number;
  /** 1 unsigned, 2 signed, 3 floating point. */
  readonly sampleFormat: number;
  /** ASCII text of the first page. */
  readonly description: string;
  /** Pixels per unit of length, in both directions; undefined where the pixel size is not known. */
  readonly pixelsPerUnit: number | undefined;
}

const SHORT = 3;
const LONG = 4;
const RATIONAL = 5;
const ASCII = 2;
const LONG8 = 16;

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The value, or the byte where the values stand. */
  readonly value: number;
}

/** Pixels start at a multiple of this, so that they can be mapped into memory. */
const ALIGNMENT = 4096;

/**
 * All that stands before the pixels of a little-endian TIFF stack: file header and the directories of every page. The
 * pixels of frame n follow as one strip at `pixelOffset + n · bytes of a frame`.
 *
 * @returns BigTIFF where a byte of the file lies beyond 4 GiB.
 */
export function tiffHeader(layout: TiffLayout): { header: Uint8Array; pixelOffset: number } {
  const classic = buildHeader(layout, false);
  const end = classic.pixelOffset + (layout.frames * layout.height * layout.width * layout.bits) / 8;
  return end < 2 ** 32 ? classic : buildHeader(layout, true);
}

function buildHeader(layout: TiffLayout, big: boolean): { header: Uint8Array; pixelOffset: number } {
  const { frames, description, pixelsPerUnit } = layout;
  const [countBytes, entryBytes, pointerBytes] = big ? [8, 20, 8] : [2, 12, 4];
  const text = new TextEncoder().encode(`${description}\0`);
  const textOffset = big ? 16 : 8;
  const resolutionOffset = even(textOffset + text.byteLength);
  const directories = resolutionOffset + 8;
  const entriesOf = (frame: number): number => 11 + (frame === 0 ? 1 : 0) + (pixelsPerUnit === undefined ? 0 : 3);
  const directoryBytes = (frame: number): number => even(countBytes + entriesOf(frame) * entryBytes + pointerBytes);
  const end = directories + directoryBytes(0) + (frames - 1) * directoryBytes(1);
  const pixelOffset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(pixelOffset);
  const view = new DataView(header.buffer);
  const put = (at: number, value: number, bytes: number): void => {
    if (bytes === 8) view.setBigUint64(at, BigInt(value), true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
  };
  put(0, 0x4949, 2);
  put(2, big ? 43 : 42, 2);
  if (big) put(4, 8, 2);
  put(big ? 8 : 4, directories, pointerBytes);
  header.set(text, textOffset);
  if (pixelsPerUnit !== undefined) {
    const [numerator, denominator] = rational(pixelsPerUnit);
    put(resolutionOffset, numerator, 4);
    put(resolutionOffset + 4, denominator, 4);
  }
  let at = directories;
  for (let frame = 0; frame < frames; frame++) {
    const entries = pageEntries(
      layout,
      frame,
      pixelOffset,
      { text: textOffset, length: text.byteLength, resolution: resolutionOffset },
      big,
    );
    const next = at + directoryBytes(frame);
    put(at, entries.length, countBytes);
    at += countBytes;
    for (const { tag, type, count, value } of entries) {
      put(at, tag, 2);
      put(at + 2, type, 2);
      put(at + 4, count, pointerBytes);
      put(at + 4 + pointerBytes, value, type === SHORT ? 2 : type === LONG ? 4 : pointerBytes);
      at += entryBytes;
    }
    put(at, frame + 1 < frames ? next : 0, pointerBytes);
    at = next;
  }
  return { header, pixelOffset };
}

/** The directory of a page, in the order of the tags. */
function pageEntries(
  layout: TiffLayout,
  frame: number,
  pixelOffset: number,
  offsets: { text: number; length: number; resolution: number },
  big: boolean,
): Entry[] {
  const { height, width, bits, sampleFormat, pixelsPerUnit } = layout;
  const bytes = (height * width * bits) / 8;
  const one = (tag: number, type: number, value: number): Entry => ({ tag, type, count: 1, value });
  const scaled = pixelsPerUnit !== undefined;
  return [
    one(254, LONG, 0),
    one(256, LONG, width),
    one(257, LONG, height),
    one(258, SHORT, bits),
    one(259, SHORT, 1),
    one(262, SHORT, 1),
    ...(frame === 0 ? [{ tag: 270, type: ASCII, count: offsets.length, value: offsets.text }] : []),
    one(273, big ? LONG8 : LONG, pixelOffset + frame * bytes),
    one(277, SHORT, 1),
    one(278, LONG, height),
    one(279, big ? LONG8 : LONG, bytes),
    ...(scaled ? [one(282, RATIONAL, offsets.resolution), one(283, RATIONAL, offsets.resolution), one(296, SHORT, 1)] : []),
    one(339, SHORT, sampleFormat),
  ];
}

const even = (offset: number): number => offset + (offset % 2);

/** A positive number as a fraction of two 32-bit numbers, as exactly as they allow. */
function rational(value: number): [number, number] {
  const limit = 2 ** 32 - 1;
  return value < 1 ? [Math.max(1, Math.round(value * limit)), limit] : [limit, Math.max(1, Math.round(limit / value))];
}
