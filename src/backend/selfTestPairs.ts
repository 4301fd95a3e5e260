import { PairCorrelator, type PairSpectra } from './PairCorrelator.js';
import type { SelfTestResult } from './selfTest.js';

const COUNT = 3;
const SIDES = [16, 24, 32];
const TOLERANCE = 3e-4;

/** Half spectra of a few frames, seeded, without Nyquist frequencies; the zero column mirrors itself, as a real image's. */
function testSpectra(band: number): PairSpectra {
  const stored = band + 1;
  const re = new Float32Array(COUNT * 2 * band * stored);
  const im = new Float32Array(re.length);
  for (let m = 0; m < COUNT; m++) {
    for (let k = 1 - band; k < band; k++) {
      for (let l = 0; l < band; l++) {
        const row = k < 0 ? k + 2 * band : k;
        const at = (m * 2 * band + row) * stored + l;
        const size = 1 / (1 + k * k + l * l);
        // any phase that is the opposite at −k where l = 0
        const phase = l === 0 ? k * (1.3 + m) : 2.1 * l * (1 + m) + k * k * (0.7 + 0.1 * m) + 0.4 * k * l;
        re[at] = size * Math.cos(phase);
        im[at] = size * Math.sin(phase);
      }
    }
  }
  return { count: COUNT, band, re, im };
}

/** The correlation of frames i and j by its definition, and its slopes, in double precision; shifts in grid points. */
function correlation({ band, re, im }: PairSpectra, i: number, j: number, row: number, column: number): number[] {
  const sums = [0, 0, 0];
  const stored = band + 1;
  for (let k = 1 - band; k < band; k++) {
    for (let l = 0; l < band; l++) {
      const at = (k < 0 ? k + 2 * band : k) * stored + l;
      const [a, b] = [i * 2 * band * stored + at, j * 2 * band * stored + at];
      const angle = (Math.PI * (k * row + l * column)) / band;
      const twice = l === 0 ? 1 : 2;
      const real = twice * (re[a] * re[b] + im[a] * im[b]);
      const imaginary = twice * (re[a] * im[b] - im[a] * re[b]);
      const slope = (-Math.PI / band) * (real * Math.sin(angle) + imaginary * Math.cos(angle));
      sums[0] += real * Math.cos(angle) - imaginary * Math.sin(angle);
      sums[1] += slope * k;
      sums[2] += slope * l;
    }
  }
  return sums;
}

/** Highest point of the grid and its height. */
function highest(spectra: PairSpectra, i: number, j: number): number[] {
  const side = 2 * spectra.band;
  let best = [0, 0, Number.NEGATIVE_INFINITY];
  for (let row = -side / 2; row < side / 2; row++) {
    for (let column = -side / 2; column < side / 2; column++) {
      const [height] = correlation(spectra, i, j, row, column);
      if (height > best[2]) best = [row, column, height];
    }
  }
  return best;
}

async function testSide(side: number): Promise<SelfTestResult[]> {
  const shape = [COUNT, side, side];
  const result = (kernel: string, error: number, problem?: string): SelfTestResult => ({
    kernel,
    shape,
    tested: 'webassembly',
    against: 'definition',
    error,
    tolerance: TOLERANCE,
    passed: error <= TOLERANCE,
    problem,
  });
  try {
    const spectra = testSpectra(side / 2);
    const correlator = new PairCorrelator(spectra, { side, windowSize: side, largest: 4 * COUNT, threads: 0 });
    const all = { start: 0, stop: COUNT };
    const coarse = await correlator.search({ rows: all, columns: all, reach: COUNT });
    let search = 0;
    let refinement = 0;
    const pairs = [0, 1].flatMap((i) => [1, 2].filter((j) => j > i).map((j) => ({ i, j, at: 3 * (4 * i + j) })));
    for (const { i, j, at } of pairs) {
      const [row, column, height] = highest(spectra, i, j);
      // a parabola's vertex lies within half a point
      const wrong = Math.abs(coarse[at] - row) > 0.5001 || Math.abs(coarse[at + 1] - column) > 0.5001;
      search = Math.max(search, wrong ? Number.POSITIVE_INFINITY : Math.abs(coarse[at + 2] / height - 1));
    }
    const use = new Set(pairs.map(({ at }) => at + 2));
    const chosen = coarse.map((value, k) => (k % 3 < 2 || use.has(k) ? value : 0));
    const refined = await correlator.refine({ rows: all, columns: all, reach: COUNT }, chosen);
    for (const { i, j, at } of pairs) {
      const [height, ...slopes] = correlation(spectra, i, j, refined[at], refined[at + 1]);
      const differences = [refined[at + 2] - height, ...slopes];
      refinement = Math.max(refinement, ...differences.map((value) => Math.abs(value / height)));
    }
    return [result('search', search), result('refine', refinement)];
  } catch (error) {
    return [result('search', Number.NaN, String(error instanceof Error ? error.message : error).split('\n')[0])];
  }
}

/** Tests the compiled kernel of {@link PairCorrelator} against the correlation's definition in double precision. */
export async function selfTestPairs(): Promise<SelfTestResult[]> {
  return (await Promise.all(SIDES.map(testSide))).flat();
}
