import { writeSync } from 'node:fs';
import { encodeFrame } from '../shared/frames.js';
import type { ToServer } from '../shared/messages.js';

const OUTPUT_FD = 3;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * Sends a message to the server. It is written when this returns, so what a cell printed before an endless loop or a
 * crash is seen, and everything arrives in the order in which it was sent.
 */
export function sendToServer(message: ToServer, parts: readonly Uint8Array[] = []): void {
  for (const piece of encodeFrame(message, parts)) writeWhole(piece);
}

function writeWhole(piece: Uint8Array): void {
  for (let at = 0; at < piece.length; ) {
    try {
      at += writeSync(OUTPUT_FD, piece, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(1);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 1); // the pipe is full: the server is reading
    }
  }
}
