import type { Command } from './command.js';

export const command: Command = {
  name: 'doctor',
  summary: 'check this installation: versions, backend, memory, self-test',
  usage: '[--json]',
  positionals: [0, 0],
  options: {},
  run: async () => ({ json: {} }),
};
