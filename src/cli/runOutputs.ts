import { join } from 'node:path';
import { loadDanfo } from '../io/csv.js';
import { createStackWriter, type StackFormat, writeCsv } from '../io/index.js';
import { planShift, type Registration, type ShiftPlan, shiftStack } from '../registration/index.js';
import { ChartThread } from '../report/ChartThread.js';
import type { RegistrationReport } from '../report/index.js';
import { type ReportCharts, reportCharts } from '../report/reportCharts.js';
import type { ImageStack, PixelArray } from '../stack/index.js';
import type { CommandContext } from './command.js';
import { hashInputs, type InputHash } from './inputIdentity.js';
import { ReportImageSums } from './ReportImageSums.js';
import { chartData } from './registrationReport.js';
import type { Run, RunOptions } from './runRegistration.js';
import { leemlabVersion } from './version.js';

const FILE_NAMES: Readonly<Record<StackFormat, string>> = {
  zarr: 'registered.zarr',
  tiff: 'registered.tif',
  hdf5: 'registered.h5',
};

/** What {@link writeData} wrote, and what it made for the report. */
export interface WrittenData {
  readonly stackPath: string;
  readonly charts: ReportCharts;
  readonly reportImages: RegistrationReport['images'];
  readonly hashes: readonly InputHash[];
  /** Time until the stack was there, and how much longer the rest of it took. */
  readonly shiftSeconds: number;
  readonly waitedSeconds: number;
}

/**
 * Writes the registered stack, then `drift.csv` and the pattern. While frames are shifted the input is hashed, the tables'
 * library is loaded, and the report's charts are drawn in a thread of their own; its images are gathered from the frames as they pass, so that none is read again.
 */
export async function writeData(run: Run & { readonly found: Registration }, context: CommandContext): Promise<WrittenData> {
  const { stack, found, options, truth, paths } = run;
  const begin = performance.now();
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  // frames that the stride left out were not looked at: they may hold a 0
  const range = options.stride === 1 ? found.range : { least: 0, most: found.range.most };
  const shift = await planShift(stack, found.drift, { ...range, signal });
  const images = new ReportImageSums(shift, found.drift.used);
  const thread = new ChartThread();
  let shiftSeconds = 0;
  const stackWritten = async (): Promise<string> => {
    const path = await writeStack(stack, found, shift, options, { ...context, signal }, (n, pixels) => images.take(n, pixels));
    shiftSeconds = (performance.now() - begin) / 1000;
    return path;
  };
  const work = [
    reportCharts(chartData(stack, found, truth), thread.draw),
    stackWritten(),
    hashInputs(paths, signal),
    loadDanfo(),
  ] as const;
  try {
    const [charts, stackPath, hashes] = await Promise.all(work);
    await writeDrift(stack, found, options);
    await writePattern(found, options.out);
    const waitedSeconds = (performance.now() - begin) / 1000 - shiftSeconds;
    return { stackPath, charts, hashes, reportImages: images.images(), shiftSeconds, waitedSeconds };
  } catch (error) {
    // one of them failed: the others stop and clear away what they had begun
    failed.abort();
    await thread.close();
    await Promise.allSettled(work);
    throw error;
  } finally {
    await thread.close();
  }
}

/** Shifts all frames and writes them; `onFrame` sees every frame of the input as it passes. */
async function writeStack(
  stack: ImageStack,
  found: Registration,
  shift: ShiftPlan,
  options: RunOptions,
  context: CommandContext,
  onFrame: (index: number, pixels: PixelArray) => void,
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
    await shiftStack(stack, shift, sink, { signal, onFrame, onProgress: (done) => progress.update(done) });
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  progress.done();
  return path;
}

/** `drift.csv`. */
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
  const { pixels, height, width } = patternImage;
  const sink = await createStackWriter(
    join(out, 'pattern.zarr'),
    'zarr',
    {
      frames: 1,
      height,
      width,
      pixelType: 'float32',
      axis: { kind: 'frame', unit: '', values: Float64Array.of(0) },
      zeroIsMissing: false,
      attributes: { what: 'factor of the detector, 1 on average and where it is unknown' },
    },
    { overwrite: true, threads: 0 },
  );
  try {
    await sink.writeFrame(0, pixels);
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}
