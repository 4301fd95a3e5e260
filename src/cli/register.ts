import { OptionError } from '../errors.js';
import type { CommandArguments } from './CommandArguments.js';
import type { Command } from './command.js';
import { parsePairs } from './parseValues.js';
import type { RunOptions } from './runRegistration.js';

function readOptions(args: CommandArguments): RunOptions {
  const out = args.text('out');
  if (out === undefined)
    throw new OptionError('--out DIR is needed: the folder for the registered stack, drift.csv and report.html');
  const refine = args.choice('refine', ['none', 'joint', 'model', 'auto'] as const) ?? 'none';
  if (refine !== 'none') throw new OptionError(`--refine must be none in this version, got '${refine}'`);
  const pairs = parsePairs(args.text('pairs') ?? 'all', '--pairs');
  const minWeight = args.text('min-weight') === 'auto' ? 'auto' : args.number('min-weight', { min: 0, max: 0.999 });
  return {
    input: args.positionals.length === 1 ? args.positionals[0] : args.positionals,
    out,
    windowSize: args.number('window', { integer: true, min: 16 }),
    sigma: args.number('sigma', { min: 0, max: 100 }) ?? 3,
    start: args.number('start', { integer: true, min: 0 }) ?? 0,
    stop: args.number('stop', { integer: true, min: 1 }),
    stride: args.number('stride', { integer: true, min: 1 }) ?? 1,
    pairs: pairs.kind === 'all' ? 'all' : { band: pairs.band },
    minWeight: minWeight ?? 0.15,
    weightPower: args.number('weight-power', { min: 0 }) ?? 4,
    solver: args.choice('solver', ['least-squares', 'robust'] as const) ?? 'least-squares',
    pattern: args.text('pattern') ?? 'auto',
    mask: args.text('mask'),
    flat: args.text('flat'),
    dark: args.text('dark'),
    aperture: args.choice('aperture', ['auto', 'none'] as const) !== 'none',
    format: args.choice('format', ['zarr', 'tiff', 'hdf5'] as const) ?? 'zarr',
    memoryBytes: args.size('memory'),
    truth: args.text('truth'),
    overwrite: args.flag('overwrite'),
    resume: args.flag('resume'),
  };
}

/** `leem register`: the main job, from a series of images to registered data with error bars. */
export const command: Command = {
  name: 'register',
  summary: 'find the drift of a series and write the registered stack, drift.csv and a report',
  usage: 'INPUT --out DIR [options]',
  positionals: [1, Number.POSITIVE_INFINITY],
  options: {
    out: { type: 'string', value: 'DIR', help: 'output folder' },
    window: {
      type: 'string',
      value: 'PIXELS',
      help: 'side of the compared window (default 512, or the largest that fits the field of view)',
    },
    sigma: {
      type: 'string',
      value: 'PIXELS',
      help: 'width of the Gaussian before the edge filter (default 3; 3 to 17 is usual)',
    },
    start: { type: 'string', value: 'N', help: 'first frame (default 0)' },
    stop: { type: 'string', value: 'N', help: 'frame after the last one (default: all)' },
    stride: { type: 'string', value: 'N', help: 'compare every N-th frame, interpolate the others (default 1)' },
    pairs: { type: 'string', value: 'all|band:K', help: 'compare all pairs, or frames at most K apart (default all)' },
    'min-weight': { type: 'string', value: 'W|auto', help: 'least weight of a pair that is used, 0 to 1 (default 0.15)' },
    'weight-power': { type: 'string', value: 'P', help: 'power of the weight in the fit (default 4)' },
    solver: { type: 'string', value: 'NAME', help: 'least-squares or robust (default least-squares)' },
    refine: { type: 'string', value: 'NAME', help: 'none (default)' },
    pattern: {
      type: 'string',
      value: 'auto|none|F',
      help: 'what stands still on the detector: found, ignored, or an image (default auto)',
    },
    aperture: { type: 'string', value: 'auto|none', help: 'look for the edge of a round field of view (default auto)' },
    mask: { type: 'string', value: 'F', help: 'image: pixels of 0 are not used' },
    flat: { type: 'string', value: 'F', help: 'flat field, used for the comparison' },
    dark: { type: 'string', value: 'F', help: 'dark count, used for the comparison' },
    format: { type: 'string', value: 'NAME', help: 'zarr, tiff or hdf5 (default zarr)' },
    memory: {
      type: 'string',
      value: 'SIZE',
      help: 'memory to use at most, like 4GiB (default: 2 GiB, or half of what the system allows)',
    },
    truth: {
      type: 'string',
      value: 'CSV',
      help: 'known drift (frame,…,drift_row,drift_col) of a simulated series, to compare with',
    },
    overwrite: { type: 'boolean', help: 'replace what an earlier run left in the folder' },
    resume: { type: 'boolean', help: 'go on with an earlier run of the same input and options' },
  },
  details: [
    'Ctrl-C stops within a second; the same command then goes on from the pairs that are finished.',
    'The drift is where the sample lies in a frame relative to the first used frame: + down, + right, in pixels.',
    '',
    'Examples:',
    '  leem register series/ --out result',
    '  leem register stack.tif --out result --window 256 --sigma 5 --stride 5',
  ].join('\n'),
  async run(args, context) {
    const options = readOptions(args);
    const { runRegistration } = await import('./runRegistration.js');
    return { json: await runRegistration(options, context) };
  },
};
