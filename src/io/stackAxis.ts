import type { StackAxis } from '../stack/types.js';

/** Values a frame by the name that a file gives them. */
export interface NamedValues {
  readonly name: string;
  readonly values: Float64Array;
  /** As the file gives it, e.g. `eV`, `s`, `seconds since 2017-11-20`. */
  readonly unit: string;
}

const ENERGY_NAMES = ['energy', 'Energy', 'Energy_set', 'Energy_Set', 'landing_energy'];
const TIME_NAMES = ['time', 'Time', 't', 'timestamp'];

/** How many seconds a unit of time is. */
function secondsIn(unit: string): number {
  if (/^(ns|nanosec)/i.test(unit)) return 1e-9;
  if (/^(us|µs|microsec)/i.test(unit)) return 1e-6;
  if (/^(ms|millisec)/i.test(unit)) return 1e-3;
  if (/^min/i.test(unit)) return 60;
  if (/^(h$|hour)/i.test(unit)) return 3600;
  return /^(d$|day)/i.test(unit) ? 86400 : 1;
}

/**
 * The axis of a stack from what stands beside its pixels: energies where there are some (a constant one
 * gives way to times that vary), else times (in seconds; a
 * calendar's since the first frame), else the frame's index.
 */
export function axisFrom(coordinates: readonly NamedValues[], frames: number): StackAxis {
  const find = (names: readonly string[]): NamedValues | undefined =>
    names.map((name) => coordinates.find((entry) => entry.name === name)).find((entry) => entry !== undefined);
  const energy = find(ENERGY_NAMES);
  const time = find(TIME_NAMES);
  const varies = (entry: NamedValues | undefined): boolean => entry?.values.some((value) => value !== entry.values[0]) ?? false;
  if (energy !== undefined && (varies(energy) || !varies(time))) return { kind: 'energy', unit: 'eV', values: energy.values };
  if (time !== undefined) {
    const start = /since/.test(time.unit) ? time.values[0] : 0;
    const factor = secondsIn(time.unit);
    return { kind: 'time', unit: 's', values: time.values.map((value) => (value - start) * factor) };
  }
  const frame = find(['frame']);
  return { kind: 'frame', unit: '', values: frame?.values ?? Float64Array.from({ length: frames }, (_, n) => n) };
}
