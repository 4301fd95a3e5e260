import type { Command, CommandOption } from './command.js';
import type { CommandEntry } from './commands.js';
import { COMMON_OPTIONS } from './parseArguments.js';

const WIDTH = 100;

function wrap(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}

function table(rows: readonly (readonly [string, string])[]): string {
  const left = Math.min(30, Math.max(...rows.map(([name]) => name.length)));
  return rows
    .map(([name, text]) => {
      const gap = name.length > left ? `\n${' '.repeat(left + 4)}` : ' '.repeat(left + 2 - name.length);
      return `  ${name}${gap}${wrap(text, left + 4)}`;
    })
    .join('\n');
}

function optionRow([name, option]: [string, CommandOption]): [string, string] {
  const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : '';
  return [`${option.short ? `-${option.short}, ` : ''}--${name}${value}`, option.help];
}

/** The text of `leem --help`. */
export function mainHelp(version: string, commands: readonly CommandEntry[]): string {
  return `leem ${version} – low-energy electron microscopy: from raw frames to registered series

Usage: leem COMMAND [arguments] [options]

${table(commands.map(({ name, summary }) => [name, summary]))}

leem COMMAND --help says more. Every command takes --json (one JSON object on stdout).
Exit codes: 0 done, 1 failed, 2 wrong use, 130 stopped. LEEMLAB_DEBUG=1 shows where an error comes from,
LEEMLAB_BACKEND=cpu computes without the native TensorFlow library.
`;
}

/** The text of `leem COMMAND --help`. */
export function commandHelp(command: Command): string {
  const options = table([...Object.entries(command.options), ...Object.entries(COMMON_OPTIONS)].map(optionRow));
  const details = command.details ? `\n${command.details.trim()}\n` : '';
  return `leem ${command.name} – ${command.summary}\n\nUsage: leem ${command.name} ${command.usage}\n\n${options}\n${details}`;
}
