import type { PixelArray } from '../stack/index.js';
import { fillMissing } from './fillMissing.js';

/** Where a square window lies in the frames. */
export interface WindowPlace {
  /** Upper left corner, pixels. */
  readonly row: number;
  readonly column: number;
  /** Full side, pixels. */
  readonly size: number;
}

/** What is done to the pixels of a window before the edge filter. */
export interface PixelCorrection {
  /** Dark count, `[height, width]` of the frame, subtracted. */
  readonly dark?: Float32Array | undefined;
  /** Factor, `[height, width]` of the frame: 1 / (flat field · fixed pattern). */
  readonly gain?: Float32Array | undefined;
  /** `[height, width]` of the frame, 0: no pixel (dead, masked, outside the aperture). */
  readonly valid?: Uint8Array | undefined;
  /** Whether a stored 0 is "not measured". */
  readonly zeroIsMissing?: boolean;
}

/** Cuts windows with their margins out of frames, corrected, with missing pixels filled from their surroundings. */
export class WindowCutter {
  /** First pixel in the frame of each row of the result, where it lies inside; rows beyond the frame repeat the nearest. */
  readonly #rowStarts: Int32Array;
  /** Columns of the result that lie inside the frame: from `first` below `last`; the others repeat the nearest. */
  readonly #first: number;
  readonly #last: number;
  readonly #dark: Float32Array | undefined;
  readonly #gain: Float32Array | undefined;
  /** Places of the result that hold no pixel in any frame. */
  readonly #holes: Int32Array;
  readonly #zeroIsMissing: boolean;
  /** Side of the result, pixels. */
  readonly side: number;

  /**
   * @param shape of the frames, pixels.
   * @param place of the window in the frames.
   * @param margin pixels to keep around the window; beyond the frame the nearest pixel is repeated.
   * @param side of the result: at least `place.size + 2 · margin`.
   */
  constructor(
    shape: readonly [number, number],
    place: WindowPlace,
    margin: number,
    side: number,
    correction: PixelCorrection = {},
  ) {
    const [height, width] = shape;
    this.side = side;
    const used = place.size + 2 * margin;
    const clamp = (value: number, n: number): number => Math.min(n - 1, Math.max(0, value));
    const column = place.column - margin;
    this.#first = clamp(-column, side);
    this.#last = Math.max(this.#first + 1, Math.min(used, width - column, side));
    this.#rowStarts = Int32Array.from(
      { length: side },
      (_, r) => clamp(place.row - margin + Math.min(r, used - 1), height) * width + clamp(column + this.#first, width),
    );
    const pick = (values: Float32Array | undefined): Float32Array | undefined => {
      if (!values) return undefined;
      const out = new Float32Array(side * side);
      this.#copy(values, out);
      return out;
    };
    this.#dark = pick(correction.dark);
    this.#gain = pick(correction.gain);
    const valid = pick(correction.valid && Float32Array.from(correction.valid));
    const holes: number[] = [];
    for (let i = 0; i < side * side; i++) {
      const known = Number.isFinite(this.#dark?.[i] ?? 0) && Number.isFinite(this.#gain?.[i] ?? 1);
      if (valid?.[i] === 0 || !known) holes.push(i);
    }
    this.#holes = Int32Array.from(holes);
    this.#zeroIsMissing = correction.zeroIsMissing === true;
  }

  /** Writes `[side, side]` at `at` of `out`. */
  cut(pixels: PixelArray, out: Float32Array, at: number): void {
    const target = out.subarray(at, at + this.side * this.side);
    this.#copy(pixels, target);
    const missing = this.#zeroIsMissing || pixels instanceof Float32Array || pixels instanceof Float64Array;
    const holes = missing && markMissing(target, this.#zeroIsMissing);
    if (this.#dark) subtract(target, this.#dark);
    if (this.#gain) multiply(target, this.#gain);
    for (let k = 0; k < this.#holes.length; k++) target[this.#holes[k]] = Number.NaN;
    if (holes || this.#holes.length > 0) fillMissing(target, this.side, this.side, holes ? undefined : this.#holes);
  }

  #copy(pixels: PixelArray, target: Float32Array): void {
    const side = this.side;
    const first = this.#first;
    const last = this.#last;
    for (let r = 0; r < side; r++) {
      const start = this.#rowStarts[r];
      const to = r * side;
      if (r > 0 && start === this.#rowStarts[r - 1]) {
        target.copyWithin(to, to - side, to);
        continue;
      }
      target.set(pixels.subarray(start, start + last - first), to + first);
      target.fill(target[to + first], to, to + first);
      target.fill(target[to + last - 1], to + last, to + side);
    }
  }
}

/** Makes NaN of what is not finite and, if asked for, of 0; says whether there was any. */
function markMissing(values: Float32Array, zero: boolean): boolean {
  let any = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value - value === 0 && !(zero && value === 0)) continue;
    values[i] = Number.NaN;
    any = true;
  }
  return any;
}

function subtract(values: Float32Array, others: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] -= others[i];
}

function multiply(values: Float32Array, others: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] *= others[i];
}
