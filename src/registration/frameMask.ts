import { finishSteps, type Steps } from '../backend/index.js';
import { distanceSteps } from './distance.js';
import { fastSizeUpTo } from './fftSize.js';
import type { Aperture } from './findAperture.js';
import type { WindowPlace } from './windowCutter.js';

/** `[height, width]`: 1 inside the aperture (without its blurred rim), 0 outside. */
export function apertureMask(aperture: Aperture, height: number, width: number, rim = 3): Uint8Array {
  const out = new Uint8Array(height * width);
  const limit = (aperture.radius - rim) ** 2;
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      if ((r + 0.5 - aperture.row) ** 2 + (c + 0.5 - aperture.column) ** 2 <= limit) out[r * width + c] = 1;
    }
  }
  return out;
}

/** The largest window of a fast size, `largest` at most, in the middle of the aperture or of the frame, that holds only valid pixels. */
export function largestWindow(height: number, width: number, largest: number, aperture: Aperture | undefined): WindowPlace {
  const placed = (size: number): WindowPlace => placeWindow(height, width, size, aperture);
  let size = fastSizeUpTo(Math.min(largest, height, width));
  const inside = (place: WindowPlace): boolean => {
    if (!aperture) return true;
    const reach = aperture.radius - 3;
    return [0, place.size].every((r) =>
      [0, place.size].every((c) => Math.hypot(place.row + r - aperture.row, place.column + c - aperture.column) <= reach),
    );
  };
  while (size > 32 && !inside(placed(size))) size = fastSizeUpTo(size - 2);
  return placed(size);
}

/** A window of `size` about the middle of the aperture or of the frame, moved into the frame where it would leave it. */
export function placeWindow(height: number, width: number, size: number, aperture: Aperture | undefined): WindowPlace {
  const clamp = (center: number, n: number): number => Math.max(0, Math.min(n - size, Math.round(center - size / 2)));
  return {
    row: clamp(aperture ? aperture.row : height / 2, height),
    column: clamp(aperture ? aperture.column : width / 2, width),
    size,
  };
}

/** Missing areas at most this far across are filled and forgotten: dead pixels, small spots. */
const SMALL = 4;

/**
 * Weight of the window's pixels after the edge filter: 0 where the filter saw a large masked area, rising softly to 1, so
 * that the edge of the mask, which stands still on the detector, has no vote.
 *
 * @returns `[size, size]`, or undefined where the window holds no large masked area.
 */
export function maskTaper(
  valid: Uint8Array,
  height: number,
  width: number,
  place: WindowPlace,
  sigma: number,
): Float32Array | undefined {
  return finishSteps(taperSteps(valid, height, width, place, sigma));
}

/** {@link maskTaper} in pieces. */
export function* taperSteps(
  valid: Uint8Array,
  height: number,
  width: number,
  place: WindowPlace,
  sigma: number,
): Steps<Float32Array | undefined> {
  // an opening: only what is more than SMALL pixels from a valid pixel, grown back by as much, is an area
  const toValid = yield* distanceSteps(
    valid.map((v) => 1 - v),
    height,
    width,
  );
  yield;
  const core = Uint8Array.from(toValid, (d) => (d > SMALL ? 0 : 1));
  if (!core.includes(0)) return undefined;
  const distance = yield* distanceSteps(core, height, width);
  const out = new Float32Array(place.size * place.size);
  let full = true;
  const start = SMALL + 1.5 * sigma + 1;
  const length = 2 * sigma + 4;
  for (let r = 0; r < place.size; r++) {
    for (let c = 0; c < place.size; c++) {
      const t = Math.min(1, Math.max(0, (distance[(place.row + r) * width + place.column + c] - start) / length));
      out[r * place.size + c] = t * t * (3 - 2 * t);
      if (t < 1) full = false;
    }
  }
  return full ? undefined : out;
}
