import { parseArgs } from 'node:util';
import { OptionError } from '../errors.js';
import { CommandArguments } from './CommandArguments.js';
import type { Command, CommandOption } from './command.js';
import { suggest } from './suggest.js';

/** The options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', help: 'print one JSON object on stdout, everything else on stderr' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

// A value may start with a dash only where it is a number or a range: in `--out --json` the value was forgotten.
const LOOKS_LIKE_VALUE = /^(-[\d.:]|[^-]|-$|$)/;

function unknownOption(rawName: string, known: readonly string[]): never {
  const near = suggest(rawName.replace(/^-+/, ''), known);
  throw new OptionError(`unknown option ${rawName}${near ? `; did you mean --${near}?` : ''}`);
}

function checkCount(positionals: readonly string[], command: Command): void {
  const [least, most] = command.positionals;
  if (positionals.length < least) {
    throw new OptionError(`an argument is missing: leem ${command.name} ${command.usage}`);
  }
  if (positionals.length > most) {
    throw new OptionError(`unexpected argument '${positionals[most]}': leem ${command.name} ${command.usage}`);
  }
}

/**
 * Reads what follows the command's name. Unlike parseArgs' strict mode it lets a negative number be a value, and its
 * messages name the option that was probably meant.
 *
 * @throws OptionError for an unknown option, a missing or superfluous value, or a wrong number of arguments.
 */
export function parseArguments(command: Command, argv: readonly string[]): CommandArguments {
  const options: Record<string, CommandOption> = { ...command.options, ...COMMON_OPTIONS };
  const known = Object.keys(options);
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short }]) => [name, { type, multiple: true, ...(short ? { short } : {}) }]),
  );
  const { tokens } = parseArgs({ args: [...argv], options: config, strict: false, allowPositionals: true, tokens: true });
  const positionals: string[] = [];
  const values = new Map<string, (string | boolean)[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : unknownOption(token.rawName, known);
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new OptionError(`${token.rawName} takes no value, got '${token.value}'`);
    }
    if (option.type === 'string' && (token.value === undefined || (!token.inlineValue && !LOOKS_LIKE_VALUE.test(token.value)))) {
      throw new OptionError(`${token.rawName} needs a value: ${token.rawName} ${option.value ?? 'VALUE'}`);
    }
    const given = values.get(token.name) ?? [];
    if (given.length > 0 && option.type === 'string' && !option.multiple) {
      throw new OptionError(`${token.rawName} is given twice: '${given[0]}' and '${token.value}'`);
    }
    values.set(token.name, [...given, token.value ?? true]);
  }
  const args = new CommandArguments(positionals, values);
  if (!args.flag('help')) checkCount(positionals, command);
  return args;
}
