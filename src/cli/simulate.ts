import { OptionError, UnsupportedError } from '../errors.js';
import type { CommandArguments } from './CommandArguments.js';
import type { Command } from './command.js';
import { formatSeconds } from './format.js';
import type { SimulateSeriesOptions } from './simulateSeries.js';

const KINDS = ['series', 'scan', 'sweep'] as const;
const FORMATS = ['zarr', 'tiff', 'hdf5', 'dat'] as const;

/** `600` or `600,592`: rows and columns. */
function parseFrameSize(text: string): readonly [number, number] {
  const match = /^(\d+)(?:[,x×](\d+))?$/i.exec(text.trim());
  if (!match) throw new OptionError(`--size must be rows and columns 'H,W' (for example 600,592), got '${text}'`);
  return [Number(match[1]), Number(match[2] ?? match[1])];
}

function parseEnergies(args: CommandArguments): readonly [number, number] | undefined {
  const range = args.range('energies');
  if (!range) return undefined;
  const { start, stop } = range;
  if (start === undefined || stop === undefined) {
    throw new OptionError(`--energies must give both ends 'a:b' in eV, got '${args.text('energies')}'`);
  }
  return [start, stop];
}

function parseAperture(args: CommandArguments): number | 'none' | undefined {
  return args.text('aperture') === 'none' ? 'none' : args.number('aperture', { above: 0, max: 2 });
}

function readOptions(args: CommandArguments): SimulateSeriesOptions {
  const share = { min: 0, max: 1 };
  const size = args.text('size');
  const [height, width] = size === undefined ? [undefined, undefined] : parseFrameSize(size);
  const options = {
    frames: args.number('frames', { integer: true, min: 1 }),
    height,
    width,
    energies: parseEnergies(args),
    driftPixels: args.number('drift', { min: 0 }),
    jumpPixels: args.number('jump', { min: 0 }),
    noise: args.number('noise', share),
    fixedPattern: args.number('pattern', share),
    contrast: args.number('contrast', { min: 0, max: 2 }),
    aperture: parseAperture(args),
    darkCount: args.number('dark', { min: 0, max: 65535 }),
    pixelSizeNanometers: args.number('pixel-size', { above: 0 }),
    seed: args.number('seed', { integer: true, min: 0 }),
  };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

export const command: Command = {
  name: 'simulate',
  summary: 'make a series whose true drift is known',
  usage: 'series --out DIR [options]',
  positionals: [1, 1],
  options: {
    out: { type: 'string', value: 'DIR', help: 'output folder' },
    frames: { type: 'string', value: 'N', help: 'number of frames; default 100' },
    size: { type: 'string', value: 'H,W', help: 'rows and columns of a frame; default 600,592' },
    energies: { type: 'string', value: 'a:b', help: 'first and last landing energy in eV; default -3:20' },
    drift: { type: 'string', value: 'PIXELS', help: 'largest distance of the drift from frame 0; default 12' },
    jump: { type: 'string', value: 'PIXELS', help: 'sudden jump within the drift; default a quarter of --drift' },
    noise: { type: 'string', value: 'SHARE', help: 'shot noise of a pixel of mean brightness; default 0.065' },
    pattern: { type: 'string', value: 'SHARE', help: 'rms of the pattern fixed on the detector; default 0.034' },
    contrast: { type: 'string', value: 'FACTOR', help: 'factor on the differences in reflectivity; default 1' },
    aperture: {
      type: 'string',
      value: 'SHARE',
      help: "radius of the round field of view as a share of half the shorter side, or 'none' (default)",
    },
    dark: { type: 'string', value: 'COUNTS', help: 'dark count of the camera; default 110' },
    'pixel-size': { type: 'string', value: 'NM', help: 'size of a pixel on the sample in nanometers; default 5' },
    seed: { type: 'string', value: 'n', help: 'seed of everything random; default 0' },
    format: { type: 'string', value: 'FORMAT', help: 'zarr (default), tiff, hdf5, or dat (a folder of Elmitec files)' },
    overwrite: { type: 'boolean', help: 'replace a series that stands in DIR already' },
  },
  details: `Writes the series (series.zarr, series.tif, series.h5 or the folder series), truth.csv with the true drift and contrast
of every frame, simulation.json with all parameters, and truth/ with the maps of the layers and of the detector.
The same seed gives the same series.

  leem simulate series --out sim
  leem register sim/series.zarr --out sim/registered`,
  async run(args, context) {
    const [kind] = args.positionals;
    if (kind === 'scan' || kind === 'sweep') {
      throw new UnsupportedError(`simulate: '${kind}' is not in this version; 'leem simulate series' is`);
    }
    if (kind !== 'series') throw new OptionError(`simulate: what to simulate must be one of ${KINDS.join(', ')}, got '${kind}'`);
    const out = args.text('out');
    if (!out) throw new OptionError('simulate: --out DIR is missing');
    const format = args.choice('format', FORMATS) ?? 'zarr';
    const options = readOptions(args);
    const { simulateSeriesTo } = await import('./simulateSeries.js');
    const start = performance.now();
    const progress = context.progress('simulate', options.frames ?? 100, 'frames');
    const result = await simulateSeriesTo(out, {
      ...options,
      format,
      overwrite: args.flag('overwrite'),
      signal: context.signal,
      onProgress: (done) => progress.update(done),
    });
    progress.done();
    const seconds = (performance.now() - start) / 1000;
    const frames = result.drift.length / 2;
    context.print(`${result.series}: ${frames} frames in ${formatSeconds(seconds)}`);
    context.print(`${result.truth}: where the sample truly is in each of them`);
    const { series, truth, simulation } = result;
    return { json: { out, format, frames, series, truth, simulation, seconds, warnings: context.warnings } };
  },
};
