import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { backendInfo, tf } from '../backend/index.js';
import { isLeemError, OptionError, ShapeError, throwIfAborted } from '../errors.js';
import {
  createStackWriter,
  createZarrGroup,
  openStack,
  readCsv,
  type StackFormat,
  writeCsv,
  writeFileAtomic,
} from '../io/index.js';
import {
  planShift,
  type RegisterOptions,
  type Registration,
  registerStack,
  type ShiftPlan,
  shiftStack,
} from '../registration/index.js';
import { driftError, writeReport } from '../report/index.js';
import type { ImageStack } from '../stack/index.js';
import type { CommandContext, Progress } from './command.js';
import { formatBytes, formatCount, formatSeconds } from './format.js';
import { hashInputs, inputIdentity } from './inputIdentity.js';
import { defaultMemoryBudget } from './memory.js';
import { openPairStore } from './pairStore.js';
import { assertMemory, planRegistration } from './registrationPlan.js';
import { buildReport } from './registrationReport.js';
import { fingerprintOf } from './runFingerprint.js';
import { prepareRunFolder } from './runFolder.js';
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

const FILE_NAMES: Readonly<Record<StackFormat, string>> = {
  zarr: 'registered.zarr',
  tiff: 'registered.tif',
  hdf5: 'registered.h5',
};

/** Mean of all frames of an image file: flat field, dark count, mask or pattern. */
async function readImage(
  path: string,
  shape: readonly [number, number],
  option: string,
  signal: AbortSignal,
): Promise<Float32Array> {
  const stack = await openStack(path, { signal });
  try {
    const [count, height, width] = stack.shape;
    if (height !== shape[0] || width !== shape[1]) {
      throw new ShapeError(
        `${option} must be ${shape[0]} × ${shape[1]} pixels like the frames, got ${height} × ${width} in ${path}`,
      );
    }
    const mean = new Float32Array(height * width);
    for (let n = 0; n < count; n++) {
      const pixels = await stack.frame(n, signal);
      for (let i = 0; i < mean.length; i++) mean[i] += pixels[i] / count;
    }
    return mean;
  } finally {
    await stack.close();
  }
}

/** Runs the main job: reads, registers, writes the output folder of the design, and reports. */
export async function runRegistration(options: RunOptions, context: CommandContext): Promise<RunResult> {
  const begin = performance.now();
  const whole = await openStack(options.input, { signal: context.signal });
  try {
    return await runOn(whole, options, context, begin);
  } finally {
    await whole.close();
  }
}

async function runOn(whole: ImageStack, options: RunOptions, context: CommandContext, begin: number): Promise<RunResult> {
  const { signal } = context;
  const stack = whole.slice(options.start, options.stop);
  for (const warning of stack.info.warnings) context.warn(warning);
  if (backendInfo.problem)
    context.warn(`the portable backend computes, many times slower than TensorFlow: ${backendInfo.problem}`);
  const [count, height, width] = stack.shape;
  const shape: [number, number] = [height, width];
  const plan = planRegistration(stack.info, { ...options, pattern: options.pattern === 'auto' });
  const memory = options.memoryBytes ?? defaultMemoryBudget();
  context.note(
    `${formatCount(count)} frames of ${height} × ${width} pixels (${stack.info.format}), ${formatCount(plan.pairs)} pairs, ` +
      `${formatBytes(plan.inputBytes)}; memory ${formatBytes(plan.memoryBytes)} of ${formatBytes(memory)}; about ${formatSeconds(plan.seconds)}`,
  );
  assertMemory(plan, memory);
  const images = {
    mask: options.mask === undefined ? undefined : await readImage(options.mask, shape, '--mask', signal),
    flat: options.flat === undefined ? undefined : await readImage(options.flat, shape, '--flat', signal),
    dark: options.dark === undefined ? undefined : await readImage(options.dark, shape, '--dark', signal),
    pattern:
      options.pattern === 'auto' || options.pattern === 'none'
        ? undefined
        : await readImage(options.pattern, shape, '--pattern', signal),
  };
  const truth = options.truth === undefined ? undefined : await readTruth(options.truth, options.start, count);
  const identity = await inputIdentity(whole.info.paths);
  const fingerprint = fingerprintOf(options, identity, images);
  const { resumed } = await prepareRunFolder(options.out, fingerprint, options);
  if (resumed) context.note(`going on from the pairs in ${join(options.out, 'pairs.zarr')}`);

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
    signal,
    onProgress: stages.update,
  });
  stages.end();
  for (const warning of found.warnings) context.warn(warning);
  const shifting = performance.now();
  // frames that the stride left out were not looked at: they may hold a 0
  const least = options.stride === 1 ? found.range.least : 0;
  const shift = await planShift(stack, found.drift, { least, signal });
  const stackPath = await writeStack(stack, found, shift, options, context);
  const shiftSeconds = (performance.now() - shifting) / 1000;

  const writing = performance.now();
  await writeDrift(stack, found, options);
  if (found.patternImage) await writePattern(found, options.out);
  const hashes = await hashInputs(whole.info.paths, signal);
  throwIfAborted(signal, 'Writing the report');
  const seconds: Record<string, number> = {
    read: found.seconds.read,
    filter: found.seconds.filter,
    correlate: found.seconds.correlate,
    refine: found.seconds.refine,
    solve: found.seconds.solve,
    shift: shiftSeconds,
    write: 0,
    survey: found.seconds.survey,
    pattern: found.seconds.pattern,
    total: 0,
  };
  const finishing = (): Record<string, number> => {
    seconds.write = (performance.now() - writing) / 1000;
    seconds.total = (performance.now() - begin) / 1000;
    return Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, Math.round(value * 1000) / 1000]));
  };
  const parameters = shownParameters(options, found);
  const versions = {
    leemlab: leemlabVersion(),
    node: process.versions.node,
    tfjs: tf.version.tfjs,
    [backendInfo.name]: backendInfo.version,
  };
  const report = await buildReport({
    stack,
    found,
    shift,
    options,
    parameters,
    versions,
    truth,
    warnings: context.warnings,
    timings: finishing(),
    signal,
  });
  await writeReport(options.out, report);
  const result: RunResult = {
    frames: count,
    pairs: plan.pairs,
    seconds: finishing(),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    out: resolve(options.out),
    warnings: [...context.warnings],
    ...(truth ? { error: compare(found, truth) } : {}),
  };
  await writeFileAtomic(
    join(options.out, 'provenance.json'),
    `${JSON.stringify({ command: 'register', finished: new Date().toISOString(), fingerprint, parameters, versions, inputs: hashes, ...result }, null, 2)}\n`,
  );
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

async function writeStack(
  stack: ImageStack,
  found: Registration,
  shift: ShiftPlan,
  options: RunOptions,
  context: CommandContext,
): Promise<string> {
  const { signal } = context;
  const path = join(options.out, FILE_NAMES[options.format]);
  const sink = await createStackWriter(
    path,
    options.format,
    {
      frames: stack.info.frames,
      height: shift.height,
      width: shift.width,
      axis: stack.info.axis,
      pixelSizeNanometers: stack.info.pixelSizeNanometers,
      multiplier: shift.multiplier,
      pedestal: shift.pedestal,
      mcpBiasKilovolts: stack.info.mcpBiasKilovolts,
      attributes: stack.info.attributes,
    },
    {
      overwrite: true,
      signal,
      attributes: {
        registration: {
          program: `leemlab ${leemlabVersion()}`,
          window: found.window,
          sigma: options.sigma,
          // the reference frame's upper left corner on the canvas
          origin: shift.origin,
          first_frame: options.start,
        },
      },
    },
  );
  const progress = context.progress('shifting and writing', stack.info.frames, 'frames');
  try {
    await shiftStack(stack, shift, sink, { signal, onProgress: (done) => progress.update(done) });
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  progress.done();
  return path;
}

async function writeDrift(stack: ImageStack, found: Registration, options: RunOptions): Promise<void> {
  const { drift } = found;
  await writeCsv(join(options.out, 'drift.csv'), {
    frame: Array.from(drift.row, (_, n) => options.start + n),
    axis: stack.info.axis.values,
    drift_row: drift.row,
    drift_col: drift.column,
    sigma_row: drift.sigmaRow,
    sigma_col: drift.sigmaColumn,
    weight: drift.weight,
    used: Array.from(drift.used),
  });
}

/** The pattern as a factor, in pixels of the detector: serves as `--pattern` of another run. */
async function writePattern(found: Registration, out: string): Promise<void> {
  const { patternImage } = found;
  if (!patternImage) return;
  // that of the run that goes on
  await rm(join(out, 'pattern.zarr'), { recursive: true, force: true });
  const group = await createZarrGroup(join(out, 'pattern.zarr'), {
    attributes: { what: 'factor of the detector, 1 on average and where it is unknown' },
  });
  await group.writeArray('intensity', patternImage.pixels, {
    shape: [1, patternImage.height, patternImage.width],
    chunks: [1, patternImage.height, patternImage.width],
    dimensionNames: ['frame', 'row', 'column'],
  });
}

async function readTruth(path: string, start: number, count: number): Promise<{ rows: Float64Array; columns: Float64Array }> {
  const table = await readCsv(path).catch((error: unknown) => {
    throw isLeemError(error) ? error : new OptionError(`--truth must be a CSV file, got ${path}: ${(error as Error).message}`);
  });
  const column = (name: string): Float64Array => {
    const values = table[name];
    if (!values) throw new OptionError(`--truth must have a column '${name}', got ${Object.keys(table).join(', ')} in ${path}`);
    if (values.length < start + count)
      throw new OptionError(`--truth must have a row for each of ${start + count} frames, got ${values.length} in ${path}`);
    return Float64Array.from(values, Number).slice(start, start + count);
  };
  return { rows: column('drift_row'), columns: column('drift_col') };
}

function compare(found: Registration, truth: { rows: Float64Array; columns: Float64Array }): NonNullable<RunResult['error']> {
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
