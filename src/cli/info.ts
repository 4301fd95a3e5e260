import type { Command } from './command.js';

export const command: Command = {
  name: 'info',
  summary: 'what an input is: format, frames, size, axis, metadata',
  usage: 'INPUT [--frame n] [--json]',
  positionals: [1, 1],
  options: {
    frame: { type: 'string', value: 'n', help: 'also print the metadata of frame n (the first is 0)' },
  },
  run: async () => ({ json: {} }),
};
