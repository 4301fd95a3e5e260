import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What tests/fixtures/generateRegistration.py stored: results of NumPy, SciPy and scikit-image. */
export interface Golden {
  readonly edgeFilter: readonly { height: number; width: number; sigma: number; edges: number[] }[];
  readonly peaks: readonly { size: number; band: number; shift: [number, number]; other: number; found: [number, number] }[];
  readonly shifts: readonly { shift: [number, number]; values: (number | null)[] }[];
  readonly interpolation: { known: number[]; values: number[]; count: number; expected: number[] };
  readonly eigen: readonly { size: number; values: number[]; vectors: number[] }[];
  readonly drifts: readonly { count: number; power: number; drift: number[] }[];
}

export function readGolden(): Golden {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'golden.json'), 'utf8')) as Golden;
}

/** The script's `noise`: numbers in [0, 1) of a linear congruential generator modulo 2³¹. */
export function noise(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(1103515245, state) + 12345) & 0x7fffffff;
    return state / 2 ** 31;
  });
}

/** The script's `waves`: all waves of frequency 1 … band with random phases and amplitudes, moved by `shift`. */
export function waves(size: number, band: number, seed: number, shift: readonly [number, number] = [0, 0]): Float64Array {
  const numbers = noise(2 * (2 * band + 1) * (band + 1), seed);
  const out = new Float64Array(size * size);
  let at = 0;
  for (let k = -band; k <= band; k++) {
    for (let l = 0; l <= band; l++, at += 2) {
      for (let r = 0; r < size; r++) {
        for (let c = 0; c < size; c++) {
          const angle = (2 * Math.PI * (k * (r - shift[0]) + l * (c - shift[1]))) / size;
          out[r * size + c] += numbers[at] * Math.cos(angle + 2 * Math.PI * numbers[at + 1]);
        }
      }
    }
  }
  return out;
}
