/**
 * How server and session talk: frames of a JSON head and binary parts on a pipe. A frame is its own length, the head's
 * length (both unsigned 32-bit, little-endian), the head, and the parts one behind the other; the head's `parts` holds
 * their lengths.
 */
export interface Frame<Head> {
  readonly head: Head;
  readonly parts: readonly Uint8Array[];
}

const SIZES = 8;

/** The bytes of a frame, as pieces to be written in this order. */
export function encodeFrame(head: object, parts: readonly Uint8Array[] = []): Uint8Array[] {
  const text = Buffer.from(JSON.stringify(parts.length > 0 ? { ...head, parts: parts.map((part) => part.byteLength) } : head));
  const sizes = Buffer.alloc(SIZES);
  const length = text.length + parts.reduce((sum, part) => sum + part.byteLength, 0);
  sizes.writeUInt32LE(length + 4, 0);
  sizes.writeUInt32LE(text.length, 4);
  return [Buffer.concat([sizes, text]), ...parts];
}

/** Puts frames together from the pieces in which a pipe delivers them. */
export class FrameReader<Head> {
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = SIZES;
  readonly #onFrame: (frame: Frame<Head>) => void;

  constructor(onFrame: (frame: Frame<Head>) => void) {
    this.#onFrame = onFrame;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#held += piece.length;
    while (this.#held >= this.#wanted) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
      this.#pieces = [bytes];
      const total = 4 + bytes.readUInt32LE(0);
      if (bytes.length < total) {
        this.#wanted = total;
        return;
      }
      const rest = bytes.subarray(total);
      this.#pieces = rest.length > 0 ? [rest] : [];
      this.#held = rest.length;
      this.#wanted = SIZES;
      this.#onFrame(decode<Head>(bytes.subarray(0, total)));
    }
  }
}

function decode<Head>(bytes: Buffer): Frame<Head> {
  const headEnd = SIZES + bytes.readUInt32LE(4);
  const { parts: lengths = [], ...head } = JSON.parse(bytes.toString('utf8', SIZES, headEnd)) as { parts?: number[] };
  let at = headEnd;
  const parts = lengths.map((length) => {
    at += length;
    // a copy: the pipe's memory is used again
    return new Uint8Array(bytes.subarray(at - length, at));
  });
  return { head: head as Head, parts };
}
