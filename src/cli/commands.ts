import type { Command } from './command.js';

/** A command as `leem --help` lists it; `load` brings its module in. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** The commands of this version. The summaries stand here so that `leem --help` loads none of them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'info',
    summary: 'what an input is: format, frames, size, axis, metadata',
    load: async () => (await import('./info.js')).command,
  },
  {
    name: 'register',
    summary: 'find the drift of a series and write the registered stack, drift.csv and a report',
    load: async () => (await import('./register.js')).command,
  },
  {
    name: 'simulate',
    summary: 'make a series whose true drift is known',
    load: async () => (await import('./simulate.js')).command,
  },
  {
    name: 'bench',
    summary: 'measure time and accuracy, beside LEEM-analysis if it is there',
    load: async () => (await import('./bench.js')).command,
  },
  {
    name: 'doctor',
    summary: 'check this installation: versions, backend, memory, self-test',
    load: async () => (await import('./doctor.js')).command,
  },
];

/** Commands of later versions: known by name, so that asking for one gets a plain answer. */
export const LATER_COMMANDS: readonly string[] = ['gain', 'correct', 'pca', 'cluster', 'stitch', 'download', 'verify', 'worker'];
