import { backendInfo } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { countPairs, type Registration, registerStack } from '../registration/index.js';
import { ImageStack } from '../stack/index.js';
import { simulateGrapheneSeries } from '../synthetic/index.js';
import { type PairStepTimes, timeBareTransforms, timePairStep } from './bareTransforms.js';
import { type Peer, runPeer } from './benchPeer.js';
import type { CommandContext } from './command.js';
import { type DriftErrorNumbers, driftErrorNumbers } from './driftErrorNumbers.js';

export interface BenchRegistrationOptions {
  readonly frames: number;
  readonly windowSize: number;
  readonly sigma: number;
  readonly pattern: 'auto' | 'none';
  readonly seed: number;
  readonly peer: Peer | undefined;
  /** Frames that the peer runs; with fewer than `frames` its time is extrapolated. */
  readonly peerFrames: number;
}

/** One run of ours: frames in memory to drift. */
export interface OwnRun {
  readonly frames: number;
  readonly pairs: number;
  /** Wall-clock time of the whole call; `toDrift` without looking for aperture and fixed pattern, which the peer does not do. */
  readonly seconds: Registration['seconds'] & { readonly total: number; readonly toDrift: number };
  readonly error: DriftErrorNumbers;
  readonly band: number;
  readonly coarseBand: number;
  /** Bare inverse FFTs of the pair step's size and number, with TensorFlow. */
  readonly bareSeconds: number;
  /** The pair step and its parts, measured apart. */
  readonly pairStep: PairStepTimes;
  /** Its time over that of its own bare inverse FFTs, and over TensorFlow's. */
  readonly pairStepRatio: number;
  readonly pairStepRatioTensorflow: number;
  readonly patternRemark: string;
}

export interface PeerRun {
  readonly frames: number;
  readonly seconds: { readonly filter: number; readonly correlate: number; readonly solve: number; readonly total: number };
  readonly error: DriftErrorNumbers;
}

export interface BenchRegistrationResult {
  readonly backend: string;
  readonly frameSize: readonly [number, number];
  readonly windowSize: number;
  readonly sigma: number;
  readonly own: OwnRun;
  readonly peer?: {
    readonly run: PeerRun;
    /** Ours on the same frames. */
    readonly own: OwnRun;
    /** Peer's time over ours, on these frames: whole call, and without aperture and pattern. */
    readonly ratio: number;
    readonly ratioToDrift: number;
    /** For all frames: filter by N, correlation and solve by N². */
    readonly extrapolated?: {
      readonly frames: number;
      readonly seconds: number;
      readonly ratio: number;
      readonly ratioToDrift: number;
    };
  };
}

/** Simulates frames in memory, registers them, and has the peer register the same. */
export async function benchRegistration(
  options: BenchRegistrationOptions,
  context: Pick<CommandContext, 'signal' | 'progress'>,
): Promise<BenchRegistrationResult> {
  const { frames: count, windowSize, sigma, seed } = options;
  // room for the drift and for the margins of both filters
  const side = windowSize + 2 * Math.max(32, Math.ceil(4 * sigma));
  const series = simulateGrapheneSeries({ frames: count, height: side, width: side, seed });
  const simulated = context.progress('simulate', count, 'frames');
  const frames: Uint16Array[] = [];
  for await (const frame of eachFrame(series.source(), count, context.signal)) {
    frames.push(frame);
    simulated.update(frames.length);
  }
  simulated.done();
  const all = Array.from({ length: count }, (_, n) => n);
  const run = (chosen: readonly number[], label: string) =>
    ownRun(
      chosen.map((n) => frames[n]),
      pick(series.truth.drift, chosen),
      { ...options, side, label },
      context,
    );
  const own = await run(all, 'register');
  const result = { backend: backendInfo.name, frameSize: [side, side] as const, windowSize, sigma, own };
  if (!options.peer) return result;
  const part = spread(count, Math.min(count, options.peerFrames));
  const same = part.length === count ? own : await run(part, `register ${part.length}`);
  const peer = await peerRun(
    part.map((n) => frames[n]),
    pick(series.truth.drift, part),
    { ...options, peer: options.peer, side },
    context,
  );
  const ratio = peer.seconds.total / same.seconds.total;
  const ratioToDrift = peer.seconds.total / same.seconds.toDrift;
  if (part.length === count) return { ...result, peer: { run: peer, own: same, ratio, ratioToDrift } };
  const factor = count / part.length;
  const seconds = peer.seconds.filter * factor + (peer.seconds.correlate + peer.seconds.solve) * factor ** 2;
  const extrapolated = {
    frames: count,
    seconds,
    ratio: seconds / own.seconds.total,
    ratioToDrift: seconds / own.seconds.toDrift,
  };
  return { ...result, peer: { run: peer, own: same, ratio, ratioToDrift, extrapolated } };
}

async function* eachFrame(
  source: ReturnType<ReturnType<typeof simulateGrapheneSeries>['source']>,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<Uint16Array> {
  for (let n = 0; n < count; n++) yield (await source.readFrame(n, signal)) as Uint16Array;
}

/** `some` of `count` frames, evenly spread. */
function spread(count: number, some: number): number[] {
  return Array.from({ length: some }, (_, k) => Math.floor((k * count) / some));
}

function pick(drift: Float64Array, frames: readonly number[]): Float64Array {
  return Float64Array.from(frames.flatMap((n) => [drift[2 * n], drift[2 * n + 1]]));
}

async function ownRun(
  frames: readonly Uint16Array[],
  truth: Float64Array,
  options: BenchRegistrationOptions & { readonly side: number; readonly label: string },
  { signal, progress }: Pick<CommandContext, 'signal' | 'progress'>,
): Promise<OwnRun> {
  const { windowSize, sigma, pattern, side, label } = options;
  const stack = ImageStack.fromFrames(frames, [side, side]);
  const pairs = countPairs(frames.length, 'all');
  // shown from the first pair on, so that its rate is that of the pairs
  let shown: ReturnType<typeof progress> | undefined;
  const start = performance.now();
  const found = await registerStack(stack, {
    windowSize,
    sigma,
    pattern,
    signal,
    onProgress: (stage, done) => {
      if (stage !== 'correlate') return;
      shown ??= progress(label, pairs, 'pairs');
      shown.update(done);
    },
  });
  const total = (performance.now() - start) / 1000;
  shown?.done();
  throwIfAborted(signal, 'The benchmark');
  const bareSeconds = await timeBareTransforms(pairs, 2 * found.coarseBand, signal);
  const pairStep = await timePairStep(frames.length, 2 * found.coarseBand, signal);
  const { seconds } = found;
  return {
    frames: frames.length,
    pairs,
    seconds: { ...seconds, total, toDrift: total - seconds.survey - seconds.pattern },
    error: driftErrorNumbers(found.drift, truth, 'median'),
    band: found.band,
    coarseBand: found.coarseBand,
    bareSeconds,
    pairStep,
    pairStepRatio: pairStep.all / pairStep.transform,
    pairStepRatioTensorflow: pairStep.all / bareSeconds,
    patternRemark: found.patternRemark,
  };
}

async function peerRun(
  frames: readonly Uint16Array[],
  truth: Float64Array,
  options: BenchRegistrationOptions & { readonly side: number; readonly peer: Peer },
  { signal, progress }: Pick<CommandContext, 'signal' | 'progress'>,
): Promise<PeerRun> {
  const { peer, side, windowSize, sigma } = options;
  const shown = progress(`peer ${frames.length}`, 1, 'run');
  const input = { count: frames.length, height: side, width: side, type: 'uint16' as const, frame: (n: number) => frames[n] };
  const [found] = await runPeer(peer, input, [{ windowSize, sigma, minWeight: 0.15 }], { signal });
  shown.done();
  return { frames: frames.length, seconds: found.seconds, error: driftErrorNumbers(found, truth, 'median') };
}
