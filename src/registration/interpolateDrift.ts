import { ShapeError } from '../errors.js';

/**
 * Drift of every frame from the drifts of some (the paper's section 3.2, step 6): linear in the frame's index between
 * known frames, constant beyond the first and the last.
 *
 * @param known indices of the frames with known drift, ascending.
 * @param values drift of each of them, pixels.
 * @param count number of frames.
 * @returns `[count]`, pixels.
 * @throws ShapeError if there is no known frame, or the lengths differ.
 */
export function interpolateDrift(known: ArrayLike<number>, values: ArrayLike<number>, count: number): Float64Array {
  if (known.length === 0 || known.length !== values.length) {
    throw new ShapeError(
      `interpolateDrift(): 'known' must hold one index for each value, got ${known.length} for ${values.length}`,
    );
  }
  const out = new Float64Array(count);
  let k = 0;
  for (let n = 0; n < count; n++) {
    while (k + 1 < known.length && known[k + 1] <= n) k++;
    if (n <= known[0]) out[n] = values[0];
    else if (k + 1 >= known.length) out[n] = values[known.length - 1];
    else {
      const t = (n - known[k]) / (known[k + 1] - known[k]);
      out[n] = (1 - t) * values[k] + t * values[k + 1];
    }
  }
  return out;
}

/**
 * Standard error of an interpolated drift, from how well known frames are interpolated across gaps of the same length.
 *
 * @param known indices of the known frames, ascending; `values` their drifts, `sigma` their standard errors, pixels.
 * @param frame the frame to be interpolated.
 * @returns pixels.
 */
export function interpolationError(
  known: ArrayLike<number>,
  values: ArrayLike<number>,
  sigma: ArrayLike<number>,
  frame: number,
): number {
  let right = 0;
  while (right < known.length && known[right] < frame) right++;
  const left = right - 1;
  const inside = left >= 0 && right < known.length;
  const gap = inside ? known[right] - known[left] : Math.abs(frame - known[left < 0 ? 0 : left]);
  const t = inside ? (frame - known[left]) / gap : 0;
  // leave-out test over the whole series: predict a frame from known ones at least as far away as here
  const before = inside ? frame - known[left] : gap;
  const after = inside ? known[right] - frame : 0;
  const squares: number[] = [];
  for (let k = 0; k < known.length; k++) {
    const a = lastUpTo(known, known[k] - before);
    const b = inside ? firstFrom(known, known[k] + after) : a;
    if (a < 0 || b >= known.length || known[b] - known[a] > 3 * (before + after)) continue;
    const part = inside ? (known[k] - known[a]) / (known[b] - known[a]) : 0;
    squares.push((values[k] - ((1 - part) * values[a] + part * values[b])) ** 2);
  }
  const own = inside ? ((1 - t) * sigma[left]) ** 2 + (t * sigma[right]) ** 2 : sigma[left < 0 ? 0 : left] ** 2;
  if (squares.length === 0) return Number.POSITIVE_INFINITY;
  return Math.sqrt(own + squares.reduce((x, y) => x + y, 0) / squares.length);
}

/** Place of the last known frame up to `frame`; −1 if there is none. */
function lastUpTo(known: ArrayLike<number>, frame: number): number {
  let low = -1;
  let high = known.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (known[middle] <= frame) low = middle;
    else high = middle;
  }
  return low;
}

/** Place of the first known frame from `frame` on; `known.length` if there is none. */
function firstFrom(known: ArrayLike<number>, frame: number): number {
  return lastUpTo(known, frame - 1e-9) + 1;
}
