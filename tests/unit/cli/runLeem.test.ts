import { describe, expect, test } from 'vitest';
import type { Command, CommandContext } from '../../../src/cli/command.js';
import type { CommandEntry } from '../../../src/cli/commands.js';
import { runLeem } from '../../../src/cli/runCommand.js';
import { AbortedError, DataFormatError, OptionError } from '../../../src/errors.js';

const OPTIONS: Command['options'] = {
  window: { type: 'string', value: 'N', help: 'side of the window in pixels' },
  energies: { type: 'string', value: 'a:b', help: 'part of the energies' },
  mask: { type: 'string', value: 'F', multiple: true, help: 'masks' },
  overwrite: { type: 'boolean', help: 'replace what is there' },
};

function entry(run: Command['run'], positionals: readonly [number, number] = [1, 1]): CommandEntry {
  const command: Command = { name: 'work', summary: 'does it', usage: 'INPUT [options]', positionals, options: OPTIONS, run };
  return { name: 'work', summary: command.summary, load: async () => command };
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function leem(
  argv: readonly string[],
  run: Command['run'] = async () => ({ json: { ok: true } }),
  { signal = new AbortController().signal, debug = false } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runLeem(argv, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    signal,
    debug,
    commands: [entry(run)],
  });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

describe('exit codes', () => {
  test('0 when the command is done, 1 when it says no', async () => {
    expect(await leem(['work', 'x'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await leem(['work', 'x'], async () => ({ json: {}, exitCode: 1 }))).code).toBe(1);
  });

  test.each([
    [['wrok', 'x'], "leem: unknown command 'wrok'; did you mean 'work'? (leem --help lists the commands)"],
    [['xyzzy'], "leem: unknown command 'xyzzy' (leem --help lists the commands)"],
    [[], 'leem: a command is missing; leem --help lists the commands'],
    [['--window', '3'], 'leem: unknown option --window; options come after the command: leem COMMAND [options]'],
    [['work', 'x', '--windov', '3'], 'leem work: unknown option --windov; did you mean --window?'],
    [['work', 'x', '--qq'], 'leem work: unknown option --qq'],
    [['work', 'x', '-q'], 'leem work: unknown option -q'],
    [['work'], 'leem work: an argument is missing: leem work INPUT [options]'],
    [['work', 'x', 'y'], "leem work: unexpected argument 'y': leem work INPUT [options]"],
    [['work', 'x', '--window'], 'leem work: --window needs a value: --window N'],
    [['work', 'x', '--window', '--json'], 'leem work: --window needs a value: --window N'],
    [['work', 'x', '--overwrite=yes'], "leem work: --overwrite takes no value, got 'yes'"],
    [['work', 'x', '--window', '3', '--window', '4'], "leem work: --window is given twice: '3' and '4'"],
    [['gain', 'x'], "leem: 'gain' is not in this version (0.1.0); leem --help lists what is"],
  ])('2 and one line for %j', async (argv, line) => {
    const outcome = await leem(argv);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toBe(`${line}\n`);
  });

  test('2 for an OptionError, 1 for what fails, without a stack', async () => {
    const refused = await leem(['work', 'x'], async () => {
      throw new OptionError('out holds another run; --overwrite replaces it');
    });
    expect(refused).toEqual({ code: 2, stdout: '', stderr: 'leem work: out holds another run; --overwrite replaces it\n' });
    const failed = await leem(['work', 'x'], async () => {
      throw new DataFormatError('the header lies', { path: 'a.dat', offset: 40 });
    });
    expect(failed).toEqual({ code: 1, stdout: '', stderr: 'leem work: a.dat (byte 40): the header lies\n' });
  });

  test('an error that was not foreseen says how to find it; LEEMLAB_DEBUG gives the stack', async () => {
    const fail = async () => {
      throw new TypeError('x is not a function\nmore');
    };
    const plain = await leem(['work', 'x'], fail);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toBe(
      'leem work: x is not a function\n  (this was not foreseen: LEEMLAB_DEBUG=1 shows where it comes from)\n',
    );
    expect((await leem(['work', 'x'], fail, { debug: true })).stderr).toContain('runLeem.test.ts');
  });

  test('130 once the signal was aborted', async () => {
    const controller = new AbortController();
    const run = async (_args: unknown, { signal }: CommandContext) => {
      controller.abort();
      throw new AbortedError('Reading was stopped', { cause: signal.reason });
    };
    const outcome = await leem(['work', 'x'], run, { signal: controller.signal });
    expect(outcome).toEqual({ code: 130, stdout: '', stderr: 'leem work: stopped\n' });
  });
});

describe('arguments', () => {
  test('negative numbers and ranges are values', async () => {
    const { code } = await leem(['work', 'x', '--energies', '-4:20', '--window', '-.5'], async (args) => {
      expect(args.range('energies')).toEqual({ start: -4, stop: 20 });
      expect(args.number('window')).toBe(-0.5);
      return { json: {} };
    });
    expect(code).toBe(0);
  });

  test('values are read by name; what is absent is undefined', async () => {
    const { code } = await leem(['work', '--mask', 'a', '--mask=b', '--overwrite', 'x'], async (args) => {
      expect(args.positionals).toEqual(['x']);
      expect(args.texts('mask')).toEqual(['a', 'b']);
      expect(args.flag('overwrite')).toBe(true);
      expect(args.flag('json')).toBe(false);
      expect(args.text('window')).toBeUndefined();
      expect(args.number('window')).toBeUndefined();
      expect(args.size('window')).toBeUndefined();
      expect(args.choice('window', ['a'])).toBeUndefined();
      expect(args.range('energies')).toBeUndefined();
      return { json: {} };
    });
    expect(code).toBe(0);
  });

  test('after -- everything is an argument', async () => {
    const { code } = await leem(['work', '--', '--window'], async (args) => {
      expect(args.positionals).toEqual(['--window']);
      return { json: {} };
    });
    expect(code).toBe(0);
  });
});

describe('output', () => {
  const busy: Command['run'] = async (_args, context) => {
    context.print('a result');
    context.note('a plan');
    context.warn('odd data');
    context.warn('odd data');
    const progress = context.progress('Correlate', 10, 'pairs');
    progress.update(10);
    progress.done();
    progress.done();
    return { json: { values: new Float32Array([1, Number.NaN]), warnings: context.warnings } };
  };

  test('results go to stdout, the rest to stderr', async () => {
    const { stdout, stderr } = await leem(['work', 'x'], busy);
    expect(stdout).toBe('a result\n');
    expect(stderr).toMatch(/^a plan\nleem work: warning: odd data\nCorrelate: 10 pairs in \d\.\d\d s\n$/);
  });

  test('--json gives one JSON object on stdout and the rest on stderr, wherever it stands', async () => {
    for (const argv of [
      ['work', 'x', '--json'],
      ['--json', 'work', 'x'],
    ]) {
      const { stdout, stderr } = await leem(argv, busy);
      expect(stdout).toBe('{"values":[1,null],"warnings":["odd data"]}\n');
      expect(stderr).toContain('a result\n');
    }
  });

  test('--json tells of an error as well', async () => {
    const { code, stdout, stderr } = await leem(['work', 'x', '--json'], async () => {
      throw new OptionError('no');
    });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ error: { tag: 'OptionError', message: 'no' } });
    expect(stderr).toBe('leem work: no\n');
  });

  test.each([[['--help']], [['-h']], [['help']]])('%j lists the commands of this version only', async (argv) => {
    const { code, stdout } = await leem(argv);
    expect(code).toBe(0);
    expect(stdout).toContain('work  does it');
    expect(stdout).not.toMatch(/gain|cluster|stitch/);
  });

  test.each([
    [['work', '--help']],
    [['help', 'work']],
    [['--help', 'work']],
    [['work', '--window', '3', '-h']],
  ])('%j shows the options of the command', async (argv) => {
    const { code, stdout } = await leem(argv, async () => {
      throw new Error('help must not run the command');
    });
    expect(code).toBe(0);
    for (const text of ['Usage: leem work INPUT', '--window N', 'side of the window in pixels', '--json', '-h, --help']) {
      expect(stdout).toContain(text);
    }
  });

  test('--version', async () => {
    expect((await leem(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
