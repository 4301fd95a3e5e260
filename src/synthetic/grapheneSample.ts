import { Random } from './random.js';
import { blurGaussian, fractalNoise, quantiles } from './smoothNoise.js';

/** The sample as maps that every frame is a weighted sum of: I₀ + Σ (I_layers − I₀) · coverage + steps + texture. */
export interface GrapheneSample {
  readonly shape: readonly [number, number];
  /** Number of layers, 0 to 3, of each pixel before blurring: the true labels. */
  readonly labels: Uint8Array;
  /** Blurred: coverage by 1, 2 and 3 layers (0 to 1), lines at substrate steps, fine texture (unit variance). */
  readonly maps: readonly [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  /** Share of the substrate and of 1, 2 and 3 layers in the area. */
  readonly shares: readonly number[];
  /** Mean of each map, and covariance `[5, 5]` of the maps over the area: the contrast of any sum follows from them. */
  readonly means: Float64Array;
  readonly covariance: Float64Array;
}

/**
 * Draws a sample: ragged islands of 1 to 3 layers on a substrate, small domains at many scales inside them, terraces
 * with steps, and a fine texture, all blurred by the microscope's resolution.
 * About 1 s for 1300 × 1050.
 *
 * @param shape rows and columns, pixels.
 * @param blurPixels standard deviation of the Gaussian resolution, at least 0.9 so that the maps are band-limited.
 */
export function grapheneSample(shape: readonly [number, number], blurPixels: number, seed: number): GrapheneSample {
  const random = new Random(seed, 0x5a3b1e);
  const labels = drawLayers(shape, random);
  const coverages = [1, 2, 3].map((layers) => Float32Array.from(labels, (label) => (label === layers ? 1 : 0)));
  const steps = drawSteps(shape, random);
  const texture = fractalNoise(shape, [2, 8], 0, random);
  const maps = [...coverages, steps, texture] as unknown as GrapheneSample['maps'];
  for (const map of maps) blurGaussian(map, shape, blurPixels);
  normalize(texture);
  const shares = [0, 0, 0, 0];
  for (const label of labels) shares[label] += 1 / labels.length;
  return { shape, labels, maps, shares, ...moments(maps) };
}

function drawLayers(shape: readonly [number, number], random: Random): Uint8Array {
  const islands = fractalNoise(shape, [3, 160], 0.65, random);
  const domains = fractalNoise(shape, [2, 40], 0.4, random);
  const [one, two, three] = quantiles(islands, [0.3, 0.65, 0.88]);
  const [hole, extra] = quantiles(domains, [0.05, 0.94]);
  return Uint8Array.from(islands, (height, i) => {
    const layers = (height > one ? 1 : 0) + (height > two ? 1 : 0) + (height > three ? 1 : 0);
    if (domains[i] < hole) return Math.max(0, layers - 1);
    return domains[i] > extra ? Math.min(3, layers + 1) : layers;
  });
}

/** Lines, one pixel wide before blurring, where the terrace number changes: contours of a rough tilted plane. */
function drawSteps([height, width]: readonly [number, number], random: Random): Float32Array {
  const surface = fractalNoise([height, width], [6, 100], 0.9, random);
  const angle = random.uniform(0, 2 * Math.PI);
  const terrace = (r: number, c: number): number =>
    Math.floor(surface[r * width + c] / 90 + (r * Math.sin(angle) + c * Math.cos(angle)) / 60);
  const lines = new Float32Array(height * width);
  for (let r = 1; r < height; r++) {
    for (let c = 1; c < width; c++) {
      const here = terrace(r, c);
      if (here !== terrace(r - 1, c) || here !== terrace(r, c - 1)) lines[r * width + c] = 1;
    }
  }
  return lines;
}

function normalize(map: Float32Array): void {
  let mean = 0;
  let square = 0;
  for (const value of map) {
    mean += value;
    square += value * value;
  }
  mean /= map.length;
  const deviation = Math.sqrt(square / map.length - mean * mean);
  for (let i = 0; i < map.length; i++) map[i] = (map[i] - mean) / deviation;
}

function moments(maps: readonly Float32Array[]): { means: Float64Array; covariance: Float64Array } {
  const count = maps.length;
  const means = Float64Array.from(maps, (map) => map.reduce((sum, value) => sum + value, 0) / map.length);
  const covariance = new Float64Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = a; b < count; b++) {
      let sum = 0;
      for (let i = 0; i < maps[a].length; i++) sum += (maps[a][i] - means[a]) * (maps[b][i] - means[b]);
      covariance[a * count + b] = sum / maps[a].length;
      covariance[b * count + a] = sum / maps[a].length;
    }
  }
  return { means, covariance };
}
