import { DataFormatError } from '../errors.js';
import { BLOSC_BLOCK_BYTES, type ZarrCodec } from './zarrMetadata.js';

interface Codec {
  encode(data: Uint8Array): Promise<Uint8Array>;
  decode(data: Uint8Array): Promise<Uint8Array>;
}

/** Bytes of the header of a blosc frame. */
const BLOSC_HEADER = 16;

let blosc: Promise<Codec> | undefined;

/** One codec a thread: its WebAssembly memory grows to the largest chunk and stays. */
function loadBlosc(): Promise<Codec> {
  blosc ??= import('numcodecs/blosc').then(
    // the numeric shuffle 2 is what the metadata call "bitshuffle"
    ({ default: Blosc }) =>
      Blosc.fromConfig({ id: 'blosc', cname: 'zstd', clevel: 1, shuffle: 2, blocksize: BLOSC_BLOCK_BYTES }) as Codec,
  );
  return blosc;
}

/** The bytes of a typed array, without a copy. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The stored bytes of a chunk. */
export async function encodeChunk(data: Uint8Array, codec: ZarrCodec): Promise<Uint8Array> {
  return codec === 'none' ? data : (await loadBlosc()).encode(data);
}

/**
 * The values of a stored chunk.
 *
 * @param bytes how many there must be.
 * @throws DataFormatError where the stored chunk is cut off or holds another number of bytes.
 */
export async function decodeChunk(stored: Uint8Array, codec: ZarrCodec, bytes: number, path: string): Promise<Uint8Array> {
  if (codec === 'none') {
    assertBytes(stored.byteLength, bytes, path, stored.byteLength);
    return stored;
  }
  if (stored.byteLength < BLOSC_HEADER) {
    throw new DataFormatError('the file ends inside the header of its blosc frame; it is truncated', {
      path,
      offset: stored.byteLength,
    });
  }
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  assertBytes(view.getUint32(4, true), bytes, path, 4);
  const length = view.getUint32(12, true);
  if (length !== stored.byteLength) {
    throw new DataFormatError(
      `the blosc frame must have as many bytes as the file (${stored.byteLength}), got ${length}; the file is truncated`,
      { path, offset: 12 },
    );
  }
  try {
    return await (await loadBlosc()).decode(stored);
  } catch (cause) {
    throw new DataFormatError(
      'the blosc frame cannot be decoded; the file is damaged',
      { path, offset: BLOSC_HEADER },
      { cause },
    );
  }
}

function assertBytes(found: number, expected: number, path: string, offset: number): void {
  if (found === expected) return;
  throw new DataFormatError(`the chunk must hold ${expected} bytes, got ${found}; the file is truncated or damaged`, {
    path,
    offset,
  });
}
