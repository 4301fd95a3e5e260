import { Random } from './random.js';
import { addSmoothNoise, blurGaussian } from './smoothNoise.js';

/** What stands still on the detector. */
export interface DetectorGain {
  /** `[height, width]`: illumination × pattern; 0 outside the field of view, mean 1 inside. */
  readonly gain: Float32Array;
  /** The fixed pattern alone (grain, spots, scratches), mean 1. */
  readonly pattern: Float32Array;
}

/** Options of {@link detectorGain}. */
export interface DetectorGainOptions {
  /** Relative rms of the fixed pattern. */
  readonly fixedPattern: number;
  /** Radius of the round field of view as a share of half the shorter side, or none. */
  readonly aperture: number | 'none';
  /** How much darker the corners are than the middle, 0 to 1. */
  readonly vignetting: number;
  readonly seed: number;
}

/** Scale of the pattern's grain: standard deviation in pixels of the Gaussian that blurs white noise. */
const GRAIN_PIXELS = 1.5;

/** Draws illumination, fixed pattern and field of view of a detector: some 0.2 s for 1280 × 1024. */
export function detectorGain(shape: readonly [number, number], options: DetectorGainOptions): DetectorGain {
  const random = new Random(options.seed, 0x0de7ec);
  const pattern = drawPattern(shape, options.fixedPattern, random);
  const gain = drawIllumination(shape, options, random);
  let sum = 0;
  let inside = 0;
  for (let i = 0; i < gain.length; i++) {
    gain[i] *= pattern[i];
    sum += gain[i];
    if (gain[i] > 0) inside++;
  }
  for (let i = 0; i < gain.length; i++) gain[i] *= inside / sum;
  return { gain, pattern };
}

function drawPattern(shape: readonly [number, number], rms: number, random: Random): Float32Array {
  const [height, width] = shape;
  const pattern = random.fillNormal(new Float32Array(height * width));
  blurGaussian(pattern, shape, GRAIN_PIXELS);
  // white noise of unit variance keeps 1 / (4 π sigma²) of it
  const grain = 1 / Math.sqrt(4 * Math.PI * GRAIN_PIXELS ** 2);
  const area = (height * width) / 512 ** 2;
  for (let i = 0; i < Math.round(10 * area); i++) {
    addSpot(pattern, shape, random, -grain * random.uniform(2, 6), random.uniform(1.5, 4.5));
  }
  for (let i = 0; i < Math.round(4 * area); i++) addScratch(pattern, shape, random, grain * random.uniform(-4, 3));
  let mean = 0;
  let square = 0;
  for (const value of pattern) {
    mean += value / pattern.length;
    square += (value * value) / pattern.length;
  }
  const scale = rms / Math.sqrt(square - mean * mean);
  for (let i = 0; i < pattern.length; i++) pattern[i] = Math.max(0.05, 1 + scale * (pattern[i] - mean));
  return pattern;
}

function addSpot(
  map: Float32Array,
  [height, width]: readonly [number, number],
  random: Random,
  depth: number,
  radius: number,
): void {
  const row = random.uniform(0, height);
  const column = random.uniform(0, width);
  const reach = Math.ceil(3 * radius);
  for (let r = Math.max(0, Math.floor(row) - reach); r <= Math.min(height - 1, row + reach); r++) {
    for (let c = Math.max(0, Math.floor(column) - reach); c <= Math.min(width - 1, column + reach); c++) {
      map[r * width + c] += depth * Math.exp(-(((r - row) ** 2 + (c - column) ** 2) / (2 * radius ** 2)));
    }
  }
}

function addScratch(map: Float32Array, [height, width]: readonly [number, number], random: Random, depth: number): void {
  const angle = random.uniform(0, Math.PI);
  const length = random.uniform(0.1, 0.3) * Math.min(height, width);
  const row = random.uniform(0, height);
  const column = random.uniform(0, width);
  for (let along = 0; along < length; along++) {
    const r = Math.round(row + along * Math.sin(angle));
    const c = Math.round(column + along * Math.cos(angle));
    if (r >= 0 && r < height && c >= 0 && c < width) map[r * width + c] += depth;
  }
}

function drawIllumination(
  [height, width]: readonly [number, number],
  { aperture, vignetting }: DetectorGainOptions,
  random: Random,
): Float32Array {
  const uneven = new Float32Array(height * width);
  addSmoothNoise(uneven, [height, width], Math.max(height, width) / 3, 0.1 * vignetting, random);
  const half = Math.min(height, width) / 2;
  const centerRow = (height - 1) / 2 + random.uniform(-0.1, 0.1) * half;
  const centerColumn = (width - 1) / 2 + random.uniform(-0.1, 0.1) * half;
  const corner = (height ** 2 + width ** 2) / 4;
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const squared = (r - centerRow) ** 2 + (c - centerColumn) ** 2;
      const beam = Math.exp((Math.log(Math.max(0.01, 1 - vignetting)) * squared) / corner);
      // the edge of the channel plate is sharp to a pixel
      const distance = aperture === 'none' ? 1 : aperture * half - Math.hypot(r - (height - 1) / 2, c - (width - 1) / 2);
      uneven[r * width + c] = beam * (1 + uneven[r * width + c]) * Math.min(1, Math.max(0, distance + 0.5));
    }
  }
  return uneven;
}
