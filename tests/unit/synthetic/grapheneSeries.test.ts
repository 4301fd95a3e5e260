import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countTensors, readOut, rfft2d, tf } from '../../../src/backend/index.js';
import { isLeemError } from '../../../src/errors.js';
import { ImageStack } from '../../../src/stack/index.js';
import { grapheneReflectivity, simulateGrapheneSeries } from '../../../src/synthetic/index.js';
import { SINC_REACH, sampleShifted } from '../../../src/synthetic/shiftSinc.js';

const SIDE = 256;

/** A Hann-windowed part of a frame, from (row, column) on. */
function cut(frame: ArrayLike<number>, width: number, row: number, column: number): Float32Array {
  let mean = 0;
  const out = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < out.length; i++) {
    out[i] = frame[(row + Math.floor(i / SIDE)) * width + column + (i % SIDE)];
    mean += out[i] / out.length;
  }
  const hann = (k: number): number => Math.sin((Math.PI * (k + 0.5)) / SIDE) ** 2;
  return out.map((value, i) => (value - mean) * hann(Math.floor(i / SIDE)) * hann(i % SIDE));
}

/** Sub-pixel shift of b against a: Newton steps on the cross-correlation of their gradients, starting at 0. */
function fourierShift(a: Float32Array, b: Float32Array): [number, number] {
  const part = (x: Float32Array, take: 'real' | 'imag'): Float32Array =>
    readOut(() => tf[take](rfft2d(tf.tensor(x, [SIDE, SIDE]))));
  const [ar, ai, br, bi] = [part(a, 'real'), part(a, 'imag'), part(b, 'real'), part(b, 'imag')];
  const columns = SIDE / 2 + 1;
  const shift: [number, number] = [0, 0];
  for (let step = 0; step < 8; step++) {
    const g = [0, 0];
    const h = [0, 0, 0];
    for (let i = 0; i < ar.length; i++) {
      const row = Math.floor(i / columns);
      const k = (2 * Math.PI * (row < SIDE / 2 ? row : row - SIDE)) / SIDE;
      const l = (2 * Math.PI * (i % columns)) / SIDE;
      const weight = (k * k + l * l) * Math.exp(-4 * (k * k + l * l)) * (i % columns === 0 ? 1 : 2);
      const phase = k * shift[0] + l * shift[1];
      const re = ar[i] * br[i] + ai[i] * bi[i];
      const im = ar[i] * bi[i] - ai[i] * br[i];
      const slope = -weight * (re * Math.sin(phase) + im * Math.cos(phase));
      const curve = -weight * (re * Math.cos(phase) - im * Math.sin(phase));
      g[0] += k * slope;
      g[1] += l * slope;
      h[0] += k * k * curve;
      h[1] += k * l * curve;
      h[2] += l * l * curve;
    }
    const determinant = h[0] * h[2] - h[1] * h[1];
    shift[0] -= (h[2] * g[0] - h[1] * g[1]) / determinant;
    shift[1] -= (h[0] * g[1] - h[1] * g[0]) / determinant;
  }
  return shift;
}

describe('simulateGrapheneSeries: the truth', () => {
  test('the sample lies where the truth says, to 0.01 px', () => {
    const drift = Float64Array.from([0, 0, 0.5, 0.25, -3.3, 7.81, 9.6, -5.43, 0.07, -0.49]);
    const size = 320;
    const series = simulateGrapheneSeries({ frames: 5, height: size, width: size, energies: [5, 5], drift, seed: 3 });
    expect(series.truth.drift).toEqual(drift);
    const first = cut(series.cleanFrame(0), size, 32, 32);
    for (let n = 1; n < 5; n++) {
      const whole = [Math.round(drift[2 * n]), Math.round(drift[2 * n + 1])];
      const [row, column] = fourierShift(first, cut(series.cleanFrame(n), size, 32 + whole[0], 32 + whole[1]));
      expect(Math.abs(row + whole[0] - drift[2 * n]), `rows of frame ${n}`).toBeLessThan(0.01);
      expect(Math.abs(column + whole[1] - drift[2 * n + 1]), `columns of frame ${n}`).toBeLessThan(0.01);
    }
  });

  test('what the camera sees is still there to 0.05 px', () => {
    const size = 320;
    const drift = Float64Array.from([0, 0, 0.4, -0.3]);
    const options = { frames: 2, height: size, width: size, energies: [5, 5], drift, fixedPattern: 0, vignetting: 0 } as const;
    const series = simulateGrapheneSeries(options);
    const [row, column] = fourierShift(cut(series.frame(0), size, 32, 32), cut(series.frame(1), size, 32, 32));
    expect(Math.hypot(row - 0.4, column + 0.3)).toBeLessThan(0.05);
  });

  test('plane waves are sampled at the exact place', () => {
    const shape = [48, 52] as const;
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: -1.8, max: 1.8, noNaN: true }),
        fc.double({ min: -1.8, max: 1.8, noNaN: true }),
        (dRow, dColumn, k, l) => {
          const map = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) =>
            Math.cos(k * Math.floor(i / shape[1]) + l * (i % shape[1])),
          );
          const out = new Float32Array(16 * 16);
          const from = SINC_REACH + 2;
          sampleShifted({ maps: [map], weights: [2], constant: 1, shape }, [from + dRow, from + dColumn], out, [16, 16]);
          for (let i = 0; i < out.length; i++) {
            const expected = 1 + 2 * Math.cos(k * (from + dRow + Math.floor(i / 16)) + l * (from + dColumn + (i % 16)));
            expect(Math.abs(out[i] - expected)).toBeLessThan(0.01);
          }
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  test('the default drift is smooth but for one jump, starts at 0 and reaches 12 px', () => {
    for (const seed of [0, 1, 2, 3]) {
      const { drift } = simulateGrapheneSeries({ frames: 200, height: 32, width: 32, seed }).truth;
      expect([drift[0], drift[1]]).toEqual([0, 0]);
      const distance = Array.from({ length: 200 }, (_, n) => Math.hypot(drift[2 * n], drift[2 * n + 1]));
      expect(Math.max(...distance)).toBeCloseTo(12, 6);
      const steps = distance
        .slice(1)
        .map((_, n) => Math.hypot(drift[2 * n + 2] - drift[2 * n], drift[2 * n + 3] - drift[2 * n + 1]))
        .sort((a, b) => b - a);
      expect(steps[0]).toBeGreaterThan(2.7);
      expect(steps[1]).toBeLessThan(0.3);
    }
  });

  test('contrast is the spread of the reflectivity over its mean', () => {
    const series = simulateGrapheneSeries({ frames: 12, height: 200, width: 240, driftPixels: 2 });
    for (let n = 0; n < 12; n++) {
      const clean = series.cleanFrame(n);
      const mean = clean.reduce((sum, x) => sum + x, 0) / clean.length;
      const deviation = Math.sqrt(clean.reduce((sum, x) => sum + (x - mean) ** 2, 0) / clean.length);
      expect(deviation / mean / series.truth.contrast[n]).toBeGreaterThan(0.9);
      expect(deviation / mean / series.truth.contrast[n]).toBeLessThan(1.1);
    }
  });
});

describe('simulateGrapheneSeries: the physics', () => {
  test('n layers have n minima between 0 and 8 eV, and all reflect most in mirror mode', () => {
    for (const layers of [1, 2, 3] as const) {
      const curve = Array.from({ length: 1000 }, (_, i) => grapheneReflectivity(layers, (8 * i) / 1000));
      let minima = 0;
      for (let i = 1; i < 999; i++) if (curve[i] < curve[i - 1] && curve[i] < curve[i + 1] && curve[i] < 0.3) minima++;
      expect(minima, `${layers} layers`).toBe(layers);
      expect(grapheneReflectivity(layers, -2)).toBeGreaterThan(0.75);
      expect(grapheneReflectivity(layers, 20)).toBeLessThan(0.2);
    }
  });

  test('contrast inverts several times, falls to about 0.13 of its maximum, and nearly vanishes beyond 18 eV', () => {
    const { truth, info } = simulateGrapheneSeries({ frames: 231, height: 128, width: 128 });
    const energies = info.axis.values;
    const largest = Math.max(...truth.contrast);
    let inversions = 0;
    for (let n = 1; n < 231; n++) {
      const before = truth.reflectivity[4 * n - 4] - truth.reflectivity[4 * n - 3];
      const after = truth.reflectivity[4 * n] - truth.reflectivity[4 * n + 1];
      if (energies[n] > 0.5 && energies[n] < 18 && before * after < 0) inversions++;
    }
    expect(inversions).toBeGreaterThanOrEqual(3);
    const within = truth.contrast.filter((_, n) => energies[n] < 18);
    expect(Math.min(...within) / largest).toBeLessThan(0.15);
    expect(Math.min(...within) / largest).toBeGreaterThan(0.04);
    const beyond = truth.contrast.filter((_, n) => energies[n] > 18.7);
    expect(Math.max(...beyond) / largest).toBeLessThan(0.15);
    expect(largest).toBeGreaterThan(0.2);
  });

  test('an inverted pair of frames is anticorrelated', () => {
    const series = simulateGrapheneSeries({ frames: 2, height: 128, width: 128, energies: [1.2, 10.5], driftPixels: 0 });
    const [a, b] = [0, 1].map((n) => {
      const clean = series.cleanFrame(n);
      const mean = clean.reduce((sum, x) => sum + x, 0) / clean.length;
      return clean.map((x) => x - mean);
    });
    const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i], 0);
    expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(-0.5);
  });
});

describe('simulateGrapheneSeries: the detector', () => {
  const flat = { height: 200, width: 200, contrast: 0, vignetting: 0, driftPixels: 0, energies: [12, 12] } as const;

  test('noise is 6.5 % of the mean brightness, on the dark count', () => {
    const series = simulateGrapheneSeries({ ...flat, frames: 2, fixedPattern: 0, seed: 4 });
    const [a, b] = [series.frame(0), series.frame(1)];
    const gain = series.truth.gain;
    let mean = 0;
    let square = 0;
    for (let i = 0; i < a.length; i++) {
      mean += (a[i] - 110) / gain[i] / a.length;
      square += ((a[i] - b[i]) / gain[i]) ** 2 / (2 * a.length);
    }
    expect(Math.sqrt(square) / mean).toBeCloseTo(0.065, 3);
    expect(mean).toBeGreaterThan(2000);
  });

  test('without electrons the dark count and the read-out noise remain', () => {
    const series = simulateGrapheneSeries({ ...flat, frames: 1, aperture: 0.01, darkCount: 200, readNoise: 6 });
    const dark = series.frame(0).filter((_, i) => series.truth.gain[i] === 0);
    const mean = dark.reduce((sum, x) => sum + x, 0) / dark.length;
    const variance = dark.reduce((sum, x) => sum + (x - mean) ** 2, 0) / dark.length;
    expect(Math.abs(mean - 200)).toBeLessThan(0.2);
    expect(Math.sqrt(variance)).toBeCloseTo(6, 0);
  });

  test('the pattern has 3.4 % rms, a scale of 1.5 px, and stands still', () => {
    const series = simulateGrapheneSeries({ ...flat, frames: 2, noise: 0, readNoise: 0 });
    const pattern = series.truth.pattern.map((value) => value - 1);
    const product = (lag: number): number => {
      let sum = 0;
      for (let i = 0; i < pattern.length - lag * 200; i++) sum += pattern[i] * pattern[i + lag * 200];
      return sum / (pattern.length - lag * 200);
    };
    expect(Math.sqrt(product(0))).toBeCloseTo(0.034, 3);
    // exp(−lag² / (4 · 1.5²)) for the grain; spots and scratches are a little wider
    expect(product(2) / product(0)).toBeGreaterThan(0.55);
    expect(product(2) / product(0)).toBeLessThan(0.8);
    expect(product(8) / product(0)).toBeLessThan(0.25);
    expect(series.frame(0)).toEqual(series.frame(1));
  });

  test('a round field of view ends where it should, and its edge stands still', () => {
    const series = simulateGrapheneSeries({ frames: 2, height: 100, width: 140, aperture: 0.8 });
    const at = (r: number, c: number): number => series.truth.gain[r * 140 + c];
    expect(at(50, 70 - 38)).toBeGreaterThan(0);
    expect(at(50, 70 - 42)).toBe(0);
    expect(at(12, 70)).toBeGreaterThan(0);
    expect(at(7, 70)).toBe(0);
  });

  test('corners are darker than the middle', () => {
    const { gain } = simulateGrapheneSeries({ frames: 1, height: 100, width: 100, fixedPattern: 0 }).truth;
    const corner = (gain[0] + gain[99] + gain[9900] + gain[9999]) / 4;
    expect(corner / gain[5050]).toBeGreaterThan(0.45);
    expect(corner / gain[5050]).toBeLessThan(0.75);
  });
});

describe('simulateGrapheneSeries: the series', () => {
  const small = { frames: 6, height: 64, width: 80 } as const;

  test('the same seed gives the same frames in any order, another seed others', () => {
    const a = simulateGrapheneSeries({ ...small, seed: 9 });
    const last = a.frame(5);
    const b = simulateGrapheneSeries({ ...small, seed: 9 });
    for (let n = 0; n < 5; n++) b.frame(n);
    expect(b.frame(5)).toEqual(last);
    expect(simulateGrapheneSeries({ ...small, seed: 10 }).frame(5)).not.toEqual(last);
  });

  test('is a source for a lazy stack, energies included, and leaves no tensor behind', async () => {
    const before = countTensors();
    const series = simulateGrapheneSeries({ ...small, energies: [-1, 4] });
    const stack = new ImageStack(series.source());
    expect(stack.shape).toEqual([6, 64, 80]);
    expect(Array.from(stack.info.axis.values)).toEqual([-1, 0, 1, 2, 3, 4]);
    expect(await series.source().readFrame(2)).toEqual(series.frame(2));
    expect(countTensors()).toBe(before);
  });

  test('stops at its signal', async () => {
    const stopped = AbortSignal.abort();
    const reading = simulateGrapheneSeries(small).source().readFrame(0, stopped);
    await expect(reading).rejects.toSatisfy((error) => isLeemError(error, 'AbortedError'));
  });

  test.each([
    [{ frames: 0 }, "simulateGrapheneSeries(): 'frames' must be a whole number from 1, got 0"],
    [{ height: 4.5 }, "simulateGrapheneSeries(): 'height' must be a whole number from 16, got 4.5"],
    [{ seed: -1 }, "simulateGrapheneSeries(): 'seed' must be a whole number from 0, got -1"],
    [{ noise: Number.NaN }, "simulateGrapheneSeries(): 'noise' must be a number from 0, got NaN"],
    [{ jumpPixels: 13 }, "simulateGrapheneSeries(): 'jumpPixels' must be from 0 to 'driftPixels', got 13"],
    [{ blurPixels: 0.5 }, "simulateGrapheneSeries(): 'blurPixels' must be from 0.9, so that sub-pixel drifts are exact, got 0.5"],
    [{ aperture: 0 }, "simulateGrapheneSeries(): 'aperture' must be above 0, or 'none', got 0"],
    [{ drift: new Float64Array(3) }, "simulateGrapheneSeries(): 'drift' must be 12 values [frames, 2], got 3"],
  ])('refuses %o', (options, message) => {
    try {
      simulateGrapheneSeries({ ...small, ...options });
      expect.unreachable();
    } catch (error) {
      expect(isLeemError(error, 'OptionError')).toBe(true);
      expect((error as Error).message).toBe(message);
    }
  });
});
