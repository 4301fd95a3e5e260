import { join, resolve } from 'node:path';
import { backendInfo, tf } from '../backend/index.js';
import { OptionError, throwIfAborted } from '../errors.js';
import { openStack, type StackFormat, writeFileAtomic } from '../io/index.js';
import { type RegisterOptions, type Registration, registerStack } from '../registration/index.js';
import { driftError, type RowsAndColumns, writeReport } from '../report/index.js';
import type { ImageStack } from '../stack/index.js';
import type { CommandContext, Progress } from './command.js';
import { formatBytes, formatCount, formatSeconds } from './format.js';
import { inputIdentity } from './inputIdentity.js';
import { interpolatedWarning } from './interpolatedWarning.js';
import { machineSlowness } from './machineSpeed.js';
import { defaultMemoryBudget } from './memory.js';
import { openPairStore } from './pairStore.js';
import { assertMemory, planRegistration, type RegistrationPlan } from './registrationPlan.js';
import { buildReport } from './registrationReport.js';
import { fingerprintOf } from './runFingerprint.js';
import { prepareRunFolder } from './runFolder.js';
import { type RunImages, readImages, readTruth } from './runInputs.js';
import { type WrittenData, writeData } from './runOutputs.js';
import { leemlabVersion } from './version.js';

/** The options of `leem register`, checked and with their defaults. */
export interface RunOptions {
  readonly input: string | readonly string[];
  readonly out: string;
  readonly windowSize: number | undefined;
  readonly sigma: number;
  readonly start: number;
  readonly stop: number | undefined;
  readonly stride: number;
  readonly pairs: NonNullable<RegisterOptions['pairs']>;
  readonly minWeight: number | 'auto';
  readonly weightPower: number;
  readonly solver: 'least-squares' | 'robust';
  /** `auto`, `none` or a file. */
  readonly pattern: string;
  readonly mask: string | undefined;
  readonly flat: string | undefined;
  readonly dark: string | undefined;
  readonly aperture: boolean;
  readonly format: StackFormat;
  readonly memoryBytes: number | undefined;
  readonly truth: string | undefined;
  readonly overwrite: boolean;
  readonly resume: boolean;
}

/** What `leem register --json` prints. */
export interface RunResult {
  readonly frames: number;
  readonly pairs: number;
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakRssBytes: number;
  readonly out: string;
  readonly warnings: readonly string[];
  /** Against the known drift, if it was given: pixels. */
  readonly error?: { readonly median: number; readonly p95: number; readonly max: number } | undefined;
}

/** What is known before the work starts. */
export interface Run {
  /** The frames from `--start` to `--stop`. */
  readonly stack: ImageStack;
  /** The files of the whole input. */
  readonly paths: readonly string[];
  readonly options: RunOptions;
  readonly plan: RegistrationPlan;
  readonly images: RunImages;
  readonly truth: RowsAndColumns | undefined;
  readonly fingerprint: string;
}

type FinishedRun = Run & WrittenData & { readonly found: Registration; readonly begin: number };

/** Runs the main job: reads, registers, writes the output folder of the design, and reports. */
export async function runRegistration(options: RunOptions, context: CommandContext): Promise<RunResult> {
  const begin = performance.now();
  const whole = await openStack(options.input, { signal: context.signal });
  try {
    const run = await prepareRun(whole, options, context);
    const found = await register(run, context);
    const data = await writeData({ ...run, found }, context);
    return await report({ ...run, ...data, found, begin }, context);
  } finally {
    await whole.close();
  }
}

/** Checks everything that can be checked before the work starts. */
async function prepareRun(whole: ImageStack, options: RunOptions, context: CommandContext): Promise<Run> {
  const { signal } = context;
  const stack = chosenFrames(whole, options);
  for (const warning of stack.info.warnings) context.warn(warning);
  if (backendInfo.problem)
    context.warn(`the portable backend computes, many times slower than TensorFlow: ${backendInfo.problem}`);
  const [count, height, width] = stack.shape;
  const plan = planRegistration(stack.info, { ...options, pattern: options.pattern === 'auto', slowness: machineSlowness() });
  const memory = options.memoryBytes ?? defaultMemoryBudget();
  context.note(
    `${formatCount(count)} frames of ${height} × ${width} pixels (${stack.info.format}), ${formatCount(plan.pairs)} pairs, ` +
      `${formatBytes(plan.inputBytes)}; memory ${formatBytes(plan.memoryBytes)} of ${formatBytes(memory)}; about ${formatSeconds(plan.seconds)}`,
  );
  assertMemory(plan, memory);
  const images = await readImages(options, [height, width], signal);
  const truth = options.truth === undefined ? undefined : await readTruth(options.truth, options.start, count);
  const fingerprint = fingerprintOf(options, await inputIdentity(whole.info.paths), images);
  const { resumed } = await prepareRunFolder(options.out, fingerprint, options);
  if (resumed) context.note(`going on from the pairs in ${join(options.out, 'pairs.zarr')}`);
  return { stack, paths: whole.info.paths, options, plan, images, truth, fingerprint };
}

/** The frames from `--start` to `--stop`. */
function chosenFrames(whole: ImageStack, { start, stop }: RunOptions): ImageStack {
  const { frames } = whole.info;
  if (start >= frames) throw new OptionError(`--start must be below the number of frames (${frames}), got ${start}`);
  if (stop !== undefined && stop <= start) throw new OptionError(`--stop must be above --start (${start}), got ${stop}`);
  return whole.slice(start, stop);
}

async function register({ stack, options, images, fingerprint }: Run, context: CommandContext): Promise<Registration> {
  const stages = stageProgress(context);
  const found = await registerStack(stack, {
    ...options,
    mask: images.mask && Uint8Array.from(images.mask, (value) => (value > 0 ? 1 : 0)),
    flat: images.flat,
    dark: images.dark,
    pattern: images.pattern ?? (options.pattern as 'auto' | 'none'),
    checkpoint: (frames) =>
      openPairStore(
        join(options.out, 'pairs.zarr'),
        fingerprint,
        frames.map((m) => options.start + m),
      ),
    signal: context.signal,
    onProgress: stages.update,
  });
  stages.end();
  for (const warning of found.warnings) context.warn(warning);
  const left = interpolatedWarning(found, options.start);
  if (left !== undefined) context.warn(left);
  return found;
}

/** Writes the report and `provenance.json`, which comes last: it says that the run is complete. */
async function report(run: FinishedRun, context: CommandContext): Promise<RunResult> {
  const { options, found, truth, plan, fingerprint, hashes, shiftSeconds, stackPath } = run;
  const writing = performance.now() - 1000 * run.waitedSeconds;
  const finishing = (): Record<string, number> => {
    const write = (performance.now() - writing) / 1000;
    const all = { ...found.seconds, shift: shiftSeconds, write, total: (performance.now() - run.begin) / 1000 };
    return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Math.round(value * 1000) / 1000]));
  };
  const parameters = shownParameters(options, found);
  const versions = {
    leemlab: leemlabVersion(),
    node: process.versions.node,
    tfjs: tf.version.tfjs,
    [backendInfo.name]: backendInfo.version,
  };
  const { warnings, signal } = context;
  throwIfAborted(signal, 'Writing the report');
  const shown = buildReport({ ...run, parameters, versions, warnings, timings: finishing() });
  await writeReport(options.out, shown, { charts: run.charts, signal });
  const result: RunResult = {
    frames: run.stack.info.frames,
    pairs: plan.pairs,
    seconds: finishing(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    out: resolve(options.out),
    warnings: [...warnings],
    ...(truth ? { error: compare(found, truth) } : {}),
  };
  const provenance = {
    command: 'register',
    finished: new Date().toISOString(),
    fingerprint,
    parameters,
    versions,
    inputs: hashes,
    ...result,
  };
  await writeFileAtomic(join(options.out, 'provenance.json'), `${JSON.stringify(provenance, null, 2)}\n`);
  summarize(found, result, stackPath, context);
  return result;
}

const STAGES = {
  survey: ['looking at the detector', 'frames'],
  pattern: ['fixed pattern', 'rounds'],
  filter: ['reading and filtering', 'frames'],
  correlate: ['comparing pairs', 'pairs'],
  solve: ['solving for the drift', 'steps'],
} as const;

/** One progress line after the other, as the stages come. */
function stageProgress(context: CommandContext): { update: NonNullable<RegisterOptions['onProgress']>; end(): void } {
  let stage = '';
  let progress: Progress | undefined;
  return {
    update(next, done, total) {
      if (next !== stage) {
        progress?.done();
        progress = context.progress(STAGES[next][0], total, STAGES[next][1]);
        stage = next;
      }
      progress?.update(done);
    },
    end: () => progress?.done(),
  };
}

function compare(found: Registration, truth: RowsAndColumns): NonNullable<RunResult['error']> {
  const { drift } = found;
  const error = driftError({ rows: drift.row, columns: drift.column }, truth, { used: drift.used });
  return { median: error.median, p95: error.percentile95, max: error.max };
}

function shownParameters(options: RunOptions, found: Registration): Record<string, string | number | boolean | undefined> {
  const { pairs, input, out: _out, memoryBytes: _memory, ...rest } = options;
  return {
    input: typeof input === 'string' ? input : input.join(' '),
    ...rest,
    pairs: pairs === 'all' ? 'all' : `band:${pairs.band}`,
    windowSize: found.window.size,
    windowRow: found.window.row,
    windowColumn: found.window.column,
    minWeight: found.minWeight,
    band: found.band,
  };
}

function summarize(found: Registration, result: RunResult, stackPath: string, context: CommandContext): void {
  const { drift } = found;
  const last = drift.row.length - 1;
  const sigma = [...drift.sigmaRow.keys()]
    .filter((n) => drift.used[n])
    .map((n) => Math.hypot(drift.sigmaRow[n], drift.sigmaColumn[n]))
    .sort((a, b) => a - b);
  const used = drift.used.reduce((a, b) => a + b, 0);
  context.print(
    `Registered ${used} of ${drift.used.length} frames; drift of the last one ${drift.row[last].toFixed(2)} px down, ${drift.column[last].toFixed(2)} px right.`,
  );
  if (sigma.length > 0) context.print(`Standard error of a frame: ${sigma[sigma.length >> 1].toFixed(2)} px in the median.`);
  context.print(`Fixed pattern: ${found.patternRemark}.`);
  if (found.aperture)
    context.print(
      `Round field of view of radius ${found.aperture.radius.toFixed(0)} px found; the window of ${found.window.size} px lies inside it.`,
    );
  if (result.error) {
    context.print(
      `Distance from the true drift: ${result.error.median.toFixed(3)} px in the median, ${result.error.p95.toFixed(3)} px for 95 %, ${result.error.max.toFixed(3)} px at most.`,
    );
  }
  context.print(`Stack:  ${stackPath}`);
  context.print(`Report: ${join(result.out, 'report.html')}`);
}
