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
  readonly #source: Int32Array;
  readonly #dark: Float32Array | undefined;
  readonly #gain: Float32Array | undefined;
  readonly #valid: Uint8Array | undefined;
  readonly #missing: number;
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
    this.#source = new Int32Array(side * side);
    for (let r = 0; r < side; r++) {
      const row = clamp(place.row - margin + Math.min(r, used - 1), height);
      for (let c = 0; c < side; c++)
        this.#source[r * side + c] = row * width + clamp(place.column - margin + Math.min(c, used - 1), width);
    }
    const pick = <T extends Float32Array | Uint8Array>(values: T | undefined, out: T): T | undefined => {
      if (!values) return undefined;
      for (let i = 0; i < out.length; i++) out[i] = values[this.#source[i]];
      return out;
    };
    this.#dark = pick(correction.dark, new Float32Array(side * side));
    this.#gain = pick(correction.gain, new Float32Array(side * side));
    const valid = pick(correction.valid, new Uint8Array(side * side));
    this.#valid = valid?.includes(0) ? valid : undefined;
    this.#missing = correction.zeroIsMissing ? 0 : Number.NaN;
  }

  /** Writes `[side, side]` at `at` of `out`. */
  cut(pixels: PixelArray, out: Float32Array, at: number): void {
    const source = this.#source;
    const dark = this.#dark;
    const gain = this.#gain;
    const valid = this.#valid;
    const target = out.subarray(at, at + source.length);
    let missing = false;
    for (let i = 0; i < source.length; i++) {
      let value = pixels[source[i]];
      if (value === this.#missing) value = Number.NaN;
      if (dark) value -= dark[i];
      if (gain) value *= gain[i];
      if (valid && valid[i] === 0) value = Number.NaN;
      if (!Number.isFinite(value)) {
        value = Number.NaN;
        missing = true;
      }
      target[i] = value;
    }
    if (missing) fillMissing(target, this.side, this.side);
  }
}
