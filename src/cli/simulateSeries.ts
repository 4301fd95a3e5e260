import { join } from 'node:path';
import { encode } from 'fast-png';
import { breathe } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { createStackWriter, writeCsv, writeFileAtomic } from '../io/index.js';
import { makeFolder } from '../io/partialOutput.js';
import { writingTo } from '../io/writeFileAtomic.js';
import type { ChunkSink } from '../stack/index.js';
import { type GrapheneSeries, type GrapheneSeriesOptions, simulateGrapheneSeries } from '../synthetic/index.js';
import { createElmitecWriter } from './elmitecWriter.js';
import { leemlabVersion } from './version.js';

/** Formats of a simulated series, and the names under which it stands in the output folder. */
export const SIMULATED_SERIES = { zarr: 'series.zarr', tiff: 'series.tif', hdf5: 'series.h5', dat: 'series' } as const;

export type SimulatedFormat = keyof typeof SIMULATED_SERIES;

export interface SimulateSeriesOptions extends GrapheneSeriesOptions {
  /** Default `zarr`. */
  readonly format?: SimulatedFormat | undefined;
  /** Whether a series that stands there already is replaced. Default false. */
  readonly overwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every frame with the number of frames written. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What {@link simulateSeriesTo} wrote. */
export interface SimulatedSeries {
  /** The series: the input of `leem register`. */
  readonly series: string;
  readonly truth: string;
  readonly simulation: string;
  /** `[N, 2]`: the true drift. */
  readonly drift: Float64Array;
}

/**
 * Simulates a series and writes it into a folder: the series, `truth.csv` (`frame,axis,drift_row,drift_col,contrast`;
 * drift in pixels relative to frame 0), `simulation.json` (all parameters), `truth/layers.png` (number of layers, 0 to
 * 3) and `truth/gain.png` (what the detector makes of an even field, 16 bits, 16384 = 1). Frames are made and written one
 * at a time, so memory does not grow with their number.
 *
 * @throws OutputError where a series stands there already, or the folder cannot be written; OptionError for the options.
 */
export async function simulateSeriesTo(out: string, options: SimulateSeriesOptions = {}): Promise<SimulatedSeries> {
  const { format = 'zarr', overwrite = false, signal, onProgress, ...simulation } = options;
  const series = simulateGrapheneSeries(simulation);
  const path = join(out, SIMULATED_SERIES[format]);
  const sink = await openSink(path, format, series, { overwrite, signal });
  try {
    for (let n = 0; n < series.info.frames; n++) {
      // a frame takes tens of milliseconds: let Ctrl-C and the progress bar in between
      await breathe();
      throwIfAborted(signal, 'Simulating a series');
      await sink.writeFrame(n, series.frame(n));
      onProgress?.(n + 1, series.info.frames);
    }
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return { series: path, ...(await writeTruth(out, series, format)), drift: series.truth.drift };
}

function openSink(
  path: string,
  format: SimulatedFormat,
  { info }: GrapheneSeries,
  options: { overwrite: boolean; signal: AbortSignal | undefined },
): Promise<ChunkSink> {
  return format === 'dat' ? createElmitecWriter(path, info, options) : createStackWriter(path, format, info, options);
}

async function writeTruth(
  out: string,
  series: GrapheneSeries,
  format: SimulatedFormat,
): Promise<{ truth: string; simulation: string }> {
  const { info, truth, parameters } = series;
  const csv = join(out, 'truth.csv');
  const json = join(out, 'simulation.json');
  const column = (axis: number): Float64Array => Float64Array.from({ length: info.frames }, (_, n) => truth.drift[2 * n + axis]);
  await writeCsv(csv, {
    frame: Float64Array.from({ length: info.frames }, (_, n) => n),
    axis: info.axis.values,
    drift_row: column(0),
    drift_col: column(1),
    contrast: truth.contrast,
  });
  const text = { program: 'leemlab', version: leemlabVersion(), kind: 'series', series: SIMULATED_SERIES[format], parameters };
  await writeFileAtomic(json, `${JSON.stringify(text, undefined, 2)}\n`);
  await writeMaps(join(out, 'truth'), series);
  return { truth: csv, simulation: json };
}

/** In a folder of their own, so that a reader of images that is given the output folder does not take them for frames. */
async function writeMaps(folder: string, { info, truth }: GrapheneSeries): Promise<void> {
  const { height, width } = info;
  const gain = Uint16Array.from(truth.gain, (value) => Math.min(65535, Math.round(16384 * value)));
  await writingTo(folder, () => makeFolder(folder));
  await writeFileAtomic(join(folder, 'layers.png'), encode({ height, width, channels: 1, depth: 8, data: truth.layers }));
  await writeFileAtomic(join(folder, 'gain.png'), encode({ height, width, channels: 1, depth: 16, data: gain }));
}
