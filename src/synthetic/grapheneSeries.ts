import { breathe } from '../backend/index.js';
import { OptionError, throwIfAborted } from '../errors.js';
import type { FrameSource, StackInfo } from '../stack/index.js';
import { detectorGain } from './detectorGain.js';
import { driftPath, largestDistance } from './driftPath.js';
import { type GrapheneWeights, grapheneWeights } from './grapheneCurves.js';
import { type GrapheneSample, grapheneSample } from './grapheneSample.js';
import { Random } from './random.js';
import { type MapSum, SINC_REACH, sampleShifted } from './shiftSinc.js';

/** Options of {@link simulateGrapheneSeries}. */
export interface GrapheneSeriesOptions {
  /** Number of frames N; default 100. */
  readonly frames?: number;
  /** Size of a frame in pixels; default 600 × 592. */
  readonly height?: number;
  readonly width?: number;
  /** First and last landing energy in eV, evenly spaced between; default −3 to 20. */
  readonly energies?: readonly [number, number];
  /** Largest distance of the drift from frame 0, in pixels; default 12. */
  readonly driftPixels?: number;
  /** The sudden jump within the drift, in pixels; default a quarter of `driftPixels`. */
  readonly jumpPixels?: number;
  /** The drift itself, `[N, 2]` in [rows, columns], in place of a simulated one; its first entry is subtracted. */
  readonly drift?: Float64Array;
  /** Shot noise of a pixel of mean brightness, relative; default 0.065. */
  readonly noise?: number;
  /** Rms of the pattern that is fixed on the detector, relative; default 0.034. */
  readonly fixedPattern?: number;
  /** Factor on all differences in reflectivity; default 1. */
  readonly contrast?: number;
  /** Radius of the round field of view as a share of half the shorter side; default none. */
  readonly aperture?: number | 'none';
  /** How much darker the corners are than the middle, 0 to below 1; default 0.4. */
  readonly vignetting?: number;
  /** Camera counts of a frame of mean reflectivity 1, above the dark count; default 12000. */
  readonly meanCounts?: number;
  /** Camera counts without electrons; default 110. */
  readonly darkCount?: number;
  /** Noise of the camera's read-out in counts; default 4. */
  readonly readNoise?: number;
  /** Resolution of the microscope: standard deviation of its blur in pixels, from 0.9; default 1. */
  readonly blurPixels?: number;
  /** Size of a pixel on the sample, in nanometers; default 5. */
  readonly pixelSizeNanometers?: number;
  /** Seed of everything random; default 0. */
  readonly seed?: number;
}

/** What is known to be true of a simulated series. */
export interface GrapheneSeriesTruth {
  /** `[N, 2]`: where the sample lies in frame n relative to frame 0, [rows, columns], pixels, + down, + right. */
  readonly drift: Float64Array;
  /** Per frame: rms of the noise-free reflectivity over the sample, divided by its mean. */
  readonly contrast: Float64Array;
  /** `[N, 4]`: reflectivity of the substrate and of 1, 2 and 3 layers. */
  readonly reflectivity: Float64Array;
  /** `[height, width]`: number of graphene layers, 0 to 3, of each pixel of frame 0. */
  readonly layers: Uint8Array;
  /** `[height, width]`: the fixed pattern, mean 1. */
  readonly pattern: Float32Array;
  /** `[height, width]`: illumination × pattern, 0 outside the field of view. */
  readonly gain: Float32Array;
}

/** A simulated series, made frame by frame. */
export interface GrapheneSeries {
  readonly info: StackInfo;
  /** All options with their defaults filled in, as JSON values. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly truth: GrapheneSeriesTruth;
  /** Camera counts of frame `n`; the same at every call and in any order. */
  frame(n: number): Uint16Array;
  /** The reflectivity in frame `n` without detector and noise, `[height, width]`. */
  cleanFrame(n: number): Float32Array;
  /** The series as a source of frames for an `ImageStack`. */
  source(): FrameSource;
}

type Settings = Required<Omit<GrapheneSeriesOptions, 'drift'>>;

/**
 * Simulates an I(V) series of graphene on a substrate: ragged islands of 1 to 3 layers, each with its own reflectivity
 * curve (so that the contrast inverts several times, falls to about an eighth of its maximum, and nearly vanishes beyond
 * 18 eV), drift with a jump, uneven illumination, a pattern fixed on the detector, shot noise, read-out noise, dark count.
 *
 * Exposure follows the brightness, as with an adjusted detector: each frame has the same number of electrons a pixel in
 * the mean. The sample is drawn once as band-limited maps, larger than the frame by the drift; a frame is their weighted
 * sum, sampled at the exact shifted place, so that the true drift holds to a few thousandths of a pixel.
 * About 15 ms for a frame of 512²; memory: some 12 times a frame's float32, whatever the number of frames.
 *
 * @returns frames and truth. `drift` is positive down and right, relative to frame 0.
 * @throws OptionError if an option is outside its range.
 */
export function simulateGrapheneSeries(options: GrapheneSeriesOptions = {}): GrapheneSeries {
  const { drift: given, ...rest } = options;
  const settings = fillDefaults(rest);
  checkSettings(settings, given);
  const { frames, height, width, seed } = settings;
  const shape = [height, width] as const;
  const drift = given ? fromFirst(given) : driftPath(frames, settings.driftPixels, settings.jumpPixels, seed);
  const margin = Math.ceil(largestDistance(drift)) + SINC_REACH + 1;
  const sample = grapheneSample([height + 2 * margin, width + 2 * margin], settings.blurPixels, seed);
  const detector = detectorGain(shape, settings);
  const energies = spaceEvenly(settings.energies, frames);
  const weights = Array.from(energies, (energy) => grapheneWeights(energy, settings.contrast, sample.shares));
  const brightness = weights.map((weight) => meanOf(sample, weight));

  const cleanFrame = (n: number): Float32Array => {
    checkFrame(n, frames);
    const out = new Float32Array(height * width);
    // the sample has moved by +drift, so the pixel shows what lay at −drift
    sampleShifted(mapSum(sample, weights[n]), [margin - drift[2 * n], margin - drift[2 * n + 1]], out, shape);
    return out;
  };
  const frame = (n: number): Uint16Array =>
    expose(cleanFrame(n), detector.gain, brightness[n], settings, new Random(seed, n + 1));
  const parameters = { ...settings, ...(given ? { drift: 'given' } : {}) };
  const info = seriesInfo(settings, energies, parameters);
  return {
    info,
    parameters,
    truth: {
      drift,
      contrast: Float64Array.from(weights, (weight, n) => deviationOf(sample, weight) / brightness[n]),
      reflectivity: Float64Array.from(weights.flatMap((weight) => weight.layers)),
      layers: cropLabels(sample, margin, shape),
      pattern: detector.pattern,
      gain: detector.gain,
    },
    frame,
    cleanFrame,
    source: () => {
      // frames that are asked for at once are made one a turn, or a stop would wait for all of them; a count and not a chain
      // of promises, which would never end if code were cut off in the middle of one
      let waiting = 0;
      return {
        info,
        readFrame: async (index, signal) => {
          for (let turns = ++waiting; turns > 0; turns--) await breathe();
          waiting = 0;
          throwIfAborted(signal, 'Simulating');
          return frame(index);
        },
        close: async () => {},
      };
    },
  };
}

function fillDefaults(options: Omit<GrapheneSeriesOptions, 'drift'>): Settings {
  const driftPixels = options.driftPixels ?? 12;
  const defaults: Settings = {
    frames: 100,
    height: 600,
    width: 592,
    energies: [-3, 20],
    driftPixels,
    jumpPixels: driftPixels / 4,
    noise: 0.065,
    fixedPattern: 0.034,
    contrast: 1,
    aperture: 'none',
    vignetting: 0.4,
    meanCounts: 12000,
    darkCount: 110,
    readNoise: 4,
    blurPixels: 1,
    pixelSizeNanometers: 5,
    seed: 0,
  };
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...defaults, ...given };
}

function checkSettings(settings: Settings, drift: Float64Array | undefined): void {
  const must = (name: string, holds: boolean, rule: string, value: unknown): void => {
    if (!holds) throw new OptionError(`simulateGrapheneSeries(): '${name}' must be ${rule}, got ${value}`);
  };
  const { frames, aperture, energies } = settings;
  for (const name of ['frames', 'height', 'width'] as const) {
    const least = name === 'frames' ? 1 : 16;
    must(name, Number.isInteger(settings[name]) && settings[name] >= least, `a whole number from ${least}`, settings[name]);
  }
  must('seed', Number.isInteger(settings.seed) && settings.seed >= 0, 'a whole number from 0', settings.seed);
  for (const name of ['driftPixels', 'noise', 'fixedPattern', 'contrast', 'darkCount', 'readNoise'] as const) {
    must(name, settings[name] >= 0 && Number.isFinite(settings[name]), 'a number from 0', settings[name]);
  }
  must(
    'jumpPixels',
    settings.jumpPixels >= 0 && settings.jumpPixels <= settings.driftPixels,
    "from 0 to 'driftPixels'",
    settings.jumpPixels,
  );
  must('vignetting', settings.vignetting >= 0 && settings.vignetting < 1, 'from 0 and below 1', settings.vignetting);
  must('blurPixels', settings.blurPixels >= 0.9, 'from 0.9, so that sub-pixel drifts are exact', settings.blurPixels);
  must('meanCounts', settings.meanCounts > 0 && settings.meanCounts <= 65535, 'above 0 and at most 65535', settings.meanCounts);
  must('pixelSizeNanometers', settings.pixelSizeNanometers > 0, 'above 0', settings.pixelSizeNanometers);
  must('aperture', aperture === 'none' || aperture > 0, "above 0, or 'none'", aperture);
  must('energies', energies.length === 2 && energies.every(Number.isFinite), 'two numbers [first, last]', `[${energies}]`);
  if (drift) must('drift', drift.length === 2 * frames, `${2 * frames} values [frames, 2]`, drift.length);
}

function checkFrame(n: number, frames: number): void {
  if (!Number.isInteger(n) || n < 0 || n >= frames) {
    throw new OptionError(`simulateGrapheneSeries(): 'frame' must be a whole number below ${frames}, got ${n}`);
  }
}

function fromFirst(drift: Float64Array): Float64Array {
  return drift.map((value, i) => value - drift[i % 2]);
}

function spaceEvenly([first, last]: readonly [number, number], frames: number): Float64Array {
  // rounded, so that the axis reads as an instrument would set it
  return Float64Array.from({ length: frames }, (_, n) => {
    const energy = first + ((last - first) * n) / Math.max(1, frames - 1);
    return Math.round(energy * 1e6) / 1e6;
  });
}

function mapWeights({ layers, steps, texture }: GrapheneWeights): number[] {
  return [layers[1] - layers[0], layers[2] - layers[0], layers[3] - layers[0], steps, texture];
}

function mapSum(sample: GrapheneSample, weight: GrapheneWeights): MapSum {
  return { maps: sample.maps, weights: mapWeights(weight), constant: weight.layers[0], shape: sample.shape };
}

function meanOf(sample: GrapheneSample, weight: GrapheneWeights): number {
  return mapWeights(weight).reduce((sum, value, k) => sum + value * sample.means[k], weight.layers[0]);
}

function deviationOf(sample: GrapheneSample, weight: GrapheneWeights): number {
  const w = mapWeights(weight);
  let variance = 0;
  for (let a = 0; a < w.length; a++) {
    for (let b = 0; b < w.length; b++) variance += w[a] * w[b] * sample.covariance[a * w.length + b];
  }
  return Math.sqrt(Math.max(0, variance));
}

/** Reflectivity to camera counts. The normal of Poisson's variance stands for shot noise: at 200 electrons a pixel they are alike. */
function expose(clean: Float32Array, gain: Float32Array, brightness: number, settings: Settings, random: Random): Uint16Array {
  const { meanCounts, darkCount, readNoise, noise } = settings;
  // a detector adjusted to the brightness keeps part of its change
  const mean = meanCounts * (0.25 + 0.75 * brightness);
  const scale = mean / brightness;
  const perElectron = mean * noise * noise;
  const read = readNoise * readNoise;
  const out = new Uint16Array(clean.length);
  for (let i = 0; i < clean.length; i++) {
    const signal = Math.max(0, scale * gain[i] * clean[i]);
    const counts = darkCount + signal + random.normal() * Math.sqrt(perElectron * signal + read);
    out[i] = counts <= 0 ? 0 : counts >= 65535 ? 65535 : counts + 0.5;
  }
  return out;
}

function cropLabels(sample: GrapheneSample, margin: number, [height, width]: readonly [number, number]): Uint8Array {
  const out = new Uint8Array(height * width);
  for (let r = 0; r < height; r++) {
    const at = (r + margin) * sample.shape[1] + margin;
    out.set(sample.labels.subarray(at, at + width), r * width);
  }
  return out;
}

function seriesInfo(settings: Settings, energies: Float64Array, parameters: Readonly<Record<string, unknown>>): StackInfo {
  return {
    frames: settings.frames,
    height: settings.height,
    width: settings.width,
    pixelType: 'uint16',
    axis: { kind: 'energy', unit: 'eV', values: energies },
    pixelSizeNanometers: settings.pixelSizeNanometers,
    zeroIsMissing: false,
    format: 'simulated',
    paths: [],
    attributes: { simulation: parameters },
    warnings: [],
  };
}
