import { OptionError } from '../errors.js';
import type { CommandArguments } from './CommandArguments.js';
import type { Command, CommandContext, CommandResult } from './command.js';
import { type NumberRule, parseNumber } from './parseValues.js';

const KINDS = ['registration', 'accuracy'] as const;

/** `3` or `3,6,9`. */
function numberList(args: CommandArguments, name: string, rule: NumberRule): number[] | undefined {
  return args
    .text(name)
    ?.split(',')
    .map((part) => parseNumber(part, `--${name}`, rule));
}

async function readPeer(args: CommandArguments) {
  const checkout = args.text('peer');
  if (checkout === undefined) {
    if (args.text('peer-python') !== undefined) throw new OptionError('bench: --peer-python needs --peer DIR');
    return undefined;
  }
  return (await import('./benchPeer.js')).findPeer(checkout, args.text('peer-python'));
}

async function runRegistration(args: CommandArguments, context: CommandContext): Promise<CommandResult> {
  const sigmas = numberList(args, 'sigma', { min: 0, max: 100 }) ?? [3];
  if (sigmas.length !== 1) throw new OptionError(`bench registration: --sigma must be one number, got '${args.text('sigma')}'`);
  const frames = args.number('frames', { integer: true, min: 2 }) ?? 700;
  const options = {
    frames,
    windowSize: args.number('window', { integer: true, min: 16 }) ?? 512,
    sigma: sigmas[0],
    pattern: args.choice('pattern', ['auto', 'none'] as const) ?? 'auto',
    seed: args.number('seed', { integer: true, min: 0 }) ?? 0,
    peer: await readPeer(args),
    peerFrames: args.number('peer-frames', { integer: true, min: 4 }) ?? Math.min(frames, 100),
  };
  const { benchRegistration } = await import('./benchRegistration.js');
  const { describeRegistration } = await import('./describeBench.js');
  const result = await benchRegistration(options, context);
  for (const line of describeRegistration(result)) context.print(line);
  return { json: { kind: 'registration', ...result, warnings: context.warnings } };
}

async function runAccuracy(args: CommandArguments, context: CommandContext): Promise<CommandResult> {
  const options = {
    frames: args.number('frames', { integer: true, min: 2 }) ?? 100,
    windowSize: args.number('window', { integer: true, min: 208 }) ?? 512,
    sigmas: numberList(args, 'sigma', { min: 0, max: 100 }) ?? [3],
    noises: numberList(args, 'noise', { min: 0 }) ?? [0, 1],
    seed: args.number('seed', { integer: true, min: 0 }) ?? 42,
    peer: await readPeer(args),
  };
  const { benchAccuracy } = await import('./benchAccuracy.js');
  const { describeAccuracy } = await import('./describeBench.js');
  const result = await benchAccuracy(options, context);
  for (const line of describeAccuracy(result)) context.print(line);
  return { json: { kind: 'accuracy', ...result, warnings: context.warnings } };
}

export const command: Command = {
  name: 'bench',
  summary: 'measure time and accuracy, beside LEEM-analysis if it is there',
  usage: 'registration|accuracy [options]',
  positionals: [1, 1],
  options: {
    frames: { type: 'string', value: 'N', help: 'number of simulated frames; default 700 (accuracy: 100)' },
    window: { type: 'string', value: 'PIXELS', help: 'full side of the window; default 512' },
    sigma: { type: 'string', value: 'PIXELS', help: 'width of the Gaussian; default 3 (accuracy: also a list, 3,6,9)' },
    noise: { type: 'string', value: 'A,…', help: 'accuracy: noise amplitudes; default 0,1' },
    pattern: { type: 'string', value: 'auto|none', help: 'registration: look for a fixed pattern or not; default auto' },
    seed: { type: 'string', value: 'n', help: 'seed of the simulation; default 0 (accuracy: 42)' },
    peer: { type: 'string', value: 'DIR', help: 'a checkout of TAdeJong/LEEM-analysis, to run on the same frames' },
    'peer-python': { type: 'string', value: 'PYTHON', help: 'a Python with its requirements; default python3' },
    'peer-frames': {
      type: 'string',
      value: 'n',
      help: 'registration: frames that the peer runs, evenly spread; beyond, its time is extrapolated; default 100',
    },
  },
  details: `registration: frames in memory to drift, each phase apart, beside bare inverse FFTs of the same size and number.
accuracy: the annulus of the paper's section 4, with mean and largest errors of rows and columns.

  leem bench registration --peer LEEM-analysis --peer-python venv/bin/python
  leem bench accuracy --noise 0,1 --sigma 3,5,7`,
  async run(args, context) {
    const [kind] = args.positionals;
    if (kind === 'registration') return runRegistration(args, context);
    if (kind === 'accuracy') return runAccuracy(args, context);
    throw new OptionError(`bench: what to measure must be one of ${KINDS.join(', ')}, got '${kind}'`);
  },
};
