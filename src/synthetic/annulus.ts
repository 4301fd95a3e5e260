import { OptionError } from '../errors.js';
import { Random } from './random.js';

/** Options of {@link annulusSeries}. */
export interface AnnulusOptions {
  /** Number of frames; default 100. */
  readonly frames?: number;
  /** Side of the square frames, even; default 520: a window of 512 and 4 pixels on every side. */
  readonly size?: number;
  /** Standard deviation A of the Gaussian noise, in units of the annulus' height; default 0. */
  readonly noise?: number;
  /** Seed of noise and column drift; default 42. */
  readonly seed?: number;
  /** Inner and outer radius in pixels; default 50 and 100. */
  readonly rMin?: number;
  readonly rMax?: number;
}

/** The frames of the accuracy test, and where the annulus truly is in them. */
export interface AnnulusSeries {
  readonly frames: number;
  readonly height: number;
  readonly width: number;
  /** `[N, 2]`: where the annulus lies in each frame, relative to the middle, [rows, columns], pixels, + down, + right; mean 0. */
  readonly drift: Float64Array;
  /** Frame `n`, made when it is asked for; the same pixels at every call. */
  frame(n: number): Float32Array;
}

/**
 * The paper's accuracy test: an annulus that drifts, in Gaussian noise. Rows drift by n² / (4 N), columns by a uniform
 * random number in [0, 1), both with their mean taken out. Frames are the sharp annulus (1 where rMin < r < rMax, else 0)
 * shifted with linear interpolation, so that the true drift is exact for the sum of the pixels.
 *
 * Frames are made one at a time; about 5 ms each.
 *
 * @returns frames and truth.
 * @throws OptionError if a size is not allowed.
 * De Jong et al., Ultramicroscopy 213 (2020) 112913, section 4.
 */
export function annulusSeries(options: AnnulusOptions = {}): AnnulusSeries {
  const { frames = 100, size = 520, noise = 0, seed = 42, rMin = 50, rMax = 100 } = options;
  if (!Number.isInteger(frames) || frames < 1) {
    throw new OptionError(`annulusSeries(): 'frames' must be a whole number from 1, got ${frames}`);
  }
  if (!Number.isInteger(size) || size % 2 !== 0 || size <= 2 * rMax) {
    throw new OptionError(`annulusSeries(): 'size' must be even and above 2 · rMax = ${2 * rMax}, got ${size}`);
  }
  if (!(rMin >= 0 && rMin < rMax)) throw new OptionError(`annulusSeries(): 'rMin' must be from 0 and below 'rMax', got ${rMin}`);
  if (!(noise >= 0)) throw new OptionError(`annulusSeries(): 'noise' must be from 0, got ${noise}`);
  const annulus = drawAnnulus(size, rMin, rMax);
  const drift = annulusDrift(frames, seed);
  const frame = (n: number): Float32Array => {
    const shifted = shiftLinear(annulus, size, drift[2 * n], drift[2 * n + 1]);
    if (noise > 0) {
      const random = new Random(seed, n + 1);
      for (let i = 0; i < shifted.length; i++) shifted[i] += random.normal(0, noise);
    }
    return shifted;
  };
  return { frames, height: size, width: size, drift, frame };
}

function drawAnnulus(size: number, rMin: number, rMax: number): Float32Array {
  const out = new Float32Array(size * size);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const squared = (r - size / 2) ** 2 + (c - size / 2) ** 2;
      if (squared > rMin * rMin && squared < rMax * rMax) out[r * size + c] = 1;
    }
  }
  return out;
}

function annulusDrift(frames: number, seed: number): Float64Array {
  const random = new Random(seed);
  const drift = new Float64Array(2 * frames);
  for (let n = 0; n < frames; n++) {
    drift[2 * n] = (n * n) / (4 * frames);
    drift[2 * n + 1] = random.uniform();
  }
  for (const axis of [0, 1]) {
    let mean = 0;
    for (let n = 0; n < frames; n++) mean += drift[2 * n + axis] / frames;
    for (let n = 0; n < frames; n++) drift[2 * n + axis] -= mean;
  }
  return drift;
}

/** `out[r, c] = image[r − dRow, c − dColumn]`, linear, 0 from outside. */
function shiftLinear(image: Float32Array, size: number, dRow: number, dColumn: number): Float32Array {
  const rows = Math.floor(dRow);
  const columns = Math.floor(dColumn);
  const fr = dRow - rows;
  const fc = dColumn - columns;
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r >= size || c >= size ? 0 : image[r * size + c]);
  const out = new Float32Array(size * size);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const i = r - rows;
      const j = c - columns;
      out[r * size + c] =
        (1 - fr) * ((1 - fc) * at(i, j) + fc * at(i, j - 1)) + fr * ((1 - fc) * at(i - 1, j) + fc * at(i - 1, j - 1));
    }
  }
  return out;
}
