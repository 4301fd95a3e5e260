import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { placeFrame } from '../stack/placeFrame.js';
import type { FramePlacement, PixelArray } from '../stack/types.js';
import { bytesOf, encodeChunk } from './chunkCodec.js';
import { writeFileAtomicSync } from './writeFileAtomic.js';
import type { ZarrCodec } from './zarrMetadata.js';

/** One frame's way to the disk. */
export interface EncodeJob {
  readonly path: string;
  readonly pixels: PixelArray;
  /** Where the frame is put on the canvas first; undefined for a frame that is written as it is. */
  readonly placement: FramePlacement | undefined;
  readonly codec: ZarrCodec;
}

/** Places a frame, compresses it and writes its chunk; in a worker thread or, where there is none, on the main one. */
export async function encodeFrame({ path, pixels, placement, codec }: EncodeJob): Promise<void> {
  const out = placement === undefined ? pixels : placeFrame(pixels, placement);
  const stored = await encodeChunk(bytesOf(out), codec);
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomicSync(path, stored);
}
