import { createHash } from 'node:crypto';
import type { RunOptions } from './runRegistration.js';

/** Identity of a run's pairs: of its input and of the options that decide them. */
export function fingerprintOf(options: RunOptions, identity: string, images: object): string {
  // only what decides the pairs: the solver, the weight power and the output format may change in a resumed run
  const { windowSize, sigma, start, stop, stride, pairs, minWeight, pattern, aperture } = options;
  const hash = createHash('sha256').update(
    JSON.stringify({ version: 1, identity, windowSize, sigma, start, stop, stride, pairs, minWeight, pattern, aperture }),
  );
  for (const [name, image] of Object.entries(images) as [string, Float32Array | undefined][]) {
    if (image) hash.update(name).update(new Uint8Array(image.buffer, image.byteOffset, image.byteLength));
  }
  return hash.digest('hex');
}
