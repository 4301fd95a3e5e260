import type { RegistrationReport, ReportImage } from '../../../src/report/index.js';

/** Seeded uniform numbers in [0, 1): a linear congruential generator is random enough for pictures. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function normal(uniform: () => number): () => number {
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

const ISLANDS = 40;

/** Islands, some of which invert their contrast, in a round field of view. */
function sampleImage(
  size: number,
  shift: readonly [number, number],
  contrast: number,
  options: { disc: boolean; noise: number },
): ReportImage {
  const place = random(7);
  const noise = normal(random(Math.round(1000 * (shift[0] + 50) + contrast)));
  const islands = Array.from({ length: ISLANDS }, () => [
    place() * size,
    place() * size,
    8 + 22 * place(),
    place() > 0.4 ? 1 : -0.6,
  ]);
  const pixels = new Float32Array(size * size);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      let value = 3000 + 900 * Math.cos((r + c) / size);
      for (const [row, column, radius, sign] of islands) {
        const distance = Math.hypot(r - row - shift[0], c - column - shift[1]);
        value += (sign * contrast * 2600) / (1 + Math.exp((distance - radius) / 1.5));
      }
      const inside = Math.hypot(r - size / 2, c - size / 2) < size * 0.47;
      pixels[r * size + c] = options.disc && !inside ? 110 : value + options.noise * 250 * noise();
    }
  }
  return { pixels, height: size, width: size };
}

/** The image on a larger canvas, moved; the rest is not measured. */
function onCanvas(image: ReportImage, canvas: number, at: readonly [number, number]): ReportImage {
  const pixels = new Float32Array(canvas * canvas).fill(Number.NaN);
  for (let r = 0; r < image.height; r++) {
    for (let c = 0; c < image.width; c++) pixels[(r + at[0]) * canvas + c + at[1]] = image.pixels[r * image.width + c];
  }
  return { pixels, height: canvas, width: canvas };
}

function patternImage(size: number): ReportImage {
  const noise = normal(random(3));
  const spots = random(5);
  const places = Array.from({ length: 25 }, () => [spots() * size, spots() * size, 1 + 4 * spots()]);
  const pixels = Float32Array.from({ length: size * size }, (_, i) => {
    const [r, c] = [Math.floor(i / size), i % size];
    if (Math.hypot(r - size / 2, c - size / 2) > size * 0.47) return Number.NaN;
    const dark = places.some(([row, column, radius]) => Math.hypot(r - row, c - column) < radius);
    return 1 + 0.012 * noise() + 0.01 * Math.sin(r / 9) - (dark ? 0.12 : 0);
  });
  return { pixels, height: size, width: size };
}

export interface FakeOptions {
  readonly frames?: number;
  readonly size?: number;
  readonly truth?: boolean;
}

/** A report as a real series gives it: smooth drift of (19, −27) px with jitter, contrast lost near two energies. */
export function fakeReport({ frames = 240, size = 300, truth = true }: FakeOptions = {}): RegistrationReport {
  const noise = normal(random(1));
  const share = Float64Array.from({ length: frames }, (_, n) => n / Math.max(1, frames - 1));
  const energy = share.map((s) => -4 + 23.9 * s);
  const contrast = energy.map((e) => 0.06 + 0.94 * Math.min(1, Math.abs((e - 0.3) * (e - 4.6)) / 6));
  const sigmaRows = contrast.map((c) => 0.025 / c + 0.01);
  const sigmaColumns = contrast.map((c) => 0.031 / c + 0.01);
  const trueRows = share.map((s) => 19 * s + 1.5 * Math.sin(7 * s) + 0.08 * noise());
  const trueColumns = share.map((s) => -27 * s ** 1.3 + (s > 0.6 ? 1.8 : 0) + 0.08 * noise());
  const found = (values: Float64Array, sigma: Float64Array) => values.map((v, n) => v + sigma[n] * noise());
  const used = Uint8Array.from(contrast, (c) => (c < 0.075 ? 0 : 1));
  const drift = { rows: found(trueRows, sigmaRows), columns: found(trueColumns, sigmaColumns) };
  const members = Array.from(used).flatMap((flag, n) => (flag ? [n] : []));
  const m = members.length;
  const pairs = {
    frames: members,
    weights: new Float32Array(m * m),
    residualRows: new Float32Array(m * m).fill(Number.NaN),
    residualColumns: new Float32Array(m * m).fill(Number.NaN),
  };
  for (let i = 0; i < m; i++) {
    for (let j = i + 1; j < m; j++) {
      const [a, b] = [members[i], members[j]];
      const near = 0.35 + 0.65 * Math.exp(-Math.abs(energy[a] - energy[b]) / 5);
      const weight = Math.min(1, near * Math.sqrt(contrast[a] * contrast[b]) + 0.02 * noise());
      pairs.weights[i * m + j] = weight < 0.15 ? 0 : weight;
      const spread = 0.04 / Math.max(0.15, weight);
      pairs.residualRows[i * m + j] = spread * noise();
      pairs.residualColumns[i * m + j] = 1.2 * spread * noise();
    }
  }
  const last = frames - 1;
  const canvas = size + 32;
  const before = (n: number) =>
    sampleImage(size, [drift.rows[n], drift.columns[n]], contrast[n] * (energy[n] < 0.3 || energy[n] > 4.6 ? 1 : -1), {
      disc: true,
      noise: 1,
    });
  const [first, end] = [before(0), before(last)];
  const blur = sampleImage(size, [9, -13], 0.5, { disc: true, noise: 0.05 });
  const sharp = sampleImage(size, [0, 0], 0.9, { disc: true, noise: 0.05 });
  return {
    title: 'leem series <fake> & "seeded"',
    input: {
      path: 'data/series <fake> & "seeded"',
      format: 'elmitec-dat',
      frames: frames + 60,
      height: size,
      width: size,
      pixelType: 'uint16',
    },
    finishedAt: new Date(Date.UTC(2026, 2, 4, 10, 20)),
    frame: Array.from({ length: frames }, (_, n) => n + 60),
    axis: { values: energy, unit: 'eV', label: 'Energy' },
    drift,
    sigma: { rows: sigmaRows, columns: sigmaColumns },
    weight: contrast.map((c) => 0.2 + 0.7 * c),
    used,
    reason: Array.from(used, (flag, n) => {
      if (!flag) return 'no pair reaches the weight of 0.15: <low contrast> & noise';
      return n === Math.round(frames * 0.8) ? 'doubtful: contradicts its neighbors by 1.2 px' : '';
    }),
    pairs,
    loopOutliers: [
      { first: 65, second: 170, rows: 3.21, columns: -1.05, weight: 0.18 },
      { first: 80, second: 299, rows: -5.5, columns: 4.75, weight: 0.16 },
    ],
    images: {
      before: { first, last: end, mean: blur },
      after: {
        first: onCanvas(first, canvas, [0, 30]),
        last: onCanvas(end, canvas, [19, 3]),
        mean: onCanvas(sharp, canvas, [10, 16]),
      },
    },
    pixelSizeNanometers: 66.7,
    window: { row: size / 2 - 90, column: size / 2 - 90, size: 180 },
    pattern: { image: patternImage(size), rms: 0.0341, used: true },
    aperture: { disc: { row: size / 2, column: size / 2, radius: size * 0.47 } },
    findings: ['Model refinement was tried and not taken: held-out frames agreed less well (0.11 against 0.09 px).'],
    warnings: ['frame 258 has very low contrast', 'the time stamps of 2 files <a & b> are equal'],
    parameters: {
      input: 'data/series',
      window: 180,
      sigma: 3,
      pairs: 'all',
      'min-weight': 0.15,
      'weight-power': 4,
      solver: 'robust',
      pattern: 'auto',
      memory: '2 GiB',
      mask: undefined,
      overwrite: true,
    },
    versions: { leemlab: '0.1.0', Node: '20.20.2', tfjs: '4.22.0', TensorFlow: '2.21.0' },
    timings: { read: 1.84, filter: 2.31, correlate: 4.02, refine: 1.7, solve: 0.21, shift: 1.1, write: 3.34, total: 13.9 },
    peakRssBytes: 1.21 * 2 ** 30,
    truth: truth ? { rows: trueRows.map((v) => v - 3), columns: trueColumns.map((v) => v + 2) } : undefined,
  };
}
