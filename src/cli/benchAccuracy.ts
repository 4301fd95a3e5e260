import { backendInfo, breathe } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { registerStack } from '../registration/index.js';
import { ImageStack } from '../stack/index.js';
import { annulusSeries } from '../synthetic/index.js';
import { type Peer, runPeer } from './benchPeer.js';
import type { CommandContext } from './command.js';
import { type DriftErrorNumbers, driftErrorNumbers } from './driftErrorNumbers.js';

export interface BenchAccuracyOptions {
  readonly frames: number;
  readonly windowSize: number;
  readonly sigmas: readonly number[];
  /** Noise amplitudes A. */
  readonly noises: readonly number[];
  readonly seed: number;
  readonly peer: Peer | undefined;
}

/** Error at one noise amplitude and sigma. */
export interface AccuracyRow {
  readonly noise: number;
  readonly sigma: number;
  readonly own: DriftErrorNumbers;
  readonly peer?: DriftErrorNumbers;
}

export interface BenchAccuracyResult {
  readonly backend: string;
  readonly frames: number;
  readonly size: number;
  readonly windowSize: number;
  readonly rows: readonly AccuracyRow[];
  /** For each amplitude the sigma with the smallest mean error of rows and columns together. */
  readonly best: readonly { readonly noise: number; readonly own: AccuracyRow; readonly peer?: AccuracyRow }[];
}

const meanError = ({ rows, columns }: DriftErrorNumbers): number => (rows.mean + columns.mean) / 2;

/** The paper's accuracy test (its section 4) for every noise amplitude and sigma given, and the same through the peer. */
export async function benchAccuracy(
  options: BenchAccuracyOptions,
  context: Pick<CommandContext, 'signal' | 'progress'>,
): Promise<BenchAccuracyResult> {
  const { frames, windowSize, sigmas, noises, seed, peer } = options;
  // 8 pixels more than the window, as in the paper, or what the largest sigma's margins take
  const size = windowSize + Math.max(8, 2 * Math.ceil(Math.max(...sigmas)));
  const rows: AccuracyRow[] = [];
  const shown = context.progress('accuracy', noises.length * sigmas.length * (peer ? 2 : 1), 'runs');
  let done = 0;
  for (const noise of noises) {
    const series = annulusSeries({ frames, size, noise, seed });
    const pixels: Float32Array[] = [];
    for (let n = 0; n < frames; n++) {
      throwIfAborted(context.signal, 'The benchmark');
      pixels.push(series.frame(n));
      await breathe();
    }
    const stack = ImageStack.fromFrames(pixels, [size, size]);
    const own: DriftErrorNumbers[] = [];
    for (const sigma of sigmas) {
      // the test has neither a detector nor weak pairs: the paper takes all of them
      const found = await registerStack(stack, {
        windowSize,
        sigma,
        minWeight: 0,
        pattern: 'none',
        aperture: false,
        signal: context.signal,
      });
      own.push(driftErrorNumbers(found.drift, series.drift, 'mean'));
      shown.update(++done);
    }
    const before = done;
    const theirs =
      peer &&
      (await peerErrors(peer, pixels, series.drift, {
        size,
        windowSize,
        sigmas,
        signal: context.signal,
        onJob: (jobs) => shown.update(before + jobs),
      }));
    if (theirs) done += sigmas.length;
    for (const [k, sigma] of sigmas.entries()) rows.push({ noise, sigma, own: own[k], ...(theirs ? { peer: theirs[k] } : {}) });
  }
  shown.done();
  const best = noises.map((noise) => bestOf(rows.filter((row) => row.noise === noise)));
  return { backend: backendInfo.name, frames, size, windowSize, rows, best };
}

function bestOf(rows: readonly AccuracyRow[]): BenchAccuracyResult['best'][number] {
  const least = (error: (row: AccuracyRow) => DriftErrorNumbers): AccuracyRow =>
    rows.reduce((best, row) => (meanError(error(row)) < meanError(error(best)) ? row : best));
  const own = least((row) => row.own);
  return { noise: own.noise, own, ...(own.peer ? { peer: least((row) => row.peer as DriftErrorNumbers) } : {}) };
}

async function peerErrors(
  peer: Peer,
  frames: readonly Float32Array[],
  truth: Float64Array,
  options: {
    readonly size: number;
    readonly windowSize: number;
    readonly sigmas: readonly number[];
    readonly signal: AbortSignal;
    readonly onJob: (done: number) => void;
  },
): Promise<DriftErrorNumbers[]> {
  const { size, windowSize, sigmas, signal, onJob } = options;
  const jobs = sigmas.map((sigma) => ({ sigma, windowSize, minWeight: 0 }));
  const input = { count: frames.length, height: size, width: size, type: 'float32' as const, frame: (n: number) => frames[n] };
  const found = await runPeer(peer, input, jobs, { signal, onJob });
  return found.map((result) => driftErrorNumbers(result, truth, 'mean'));
}
