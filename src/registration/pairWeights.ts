import type { PairTable } from './solveDrift.js';

/** Weights between which the automatic bound is looked for. */
const LOWEST = 0.05;
const HIGHEST = 0.6;

/**
 * A bound on the pair weight that keeps wrong pairs out: the lowest one above which at most one pair in fifty contradicts
 * the loops that it closes (`pairShift_ij + pairShift_jk + pairShift_ki = 0`), kept low enough that no frame is lost by it
 * that has a pair twice as good as noise.
 *
 * @param pairs the table; at most 20,000 loops of it are looked at, chosen evenly.
 * @returns the bound, 0.05 to 0.6.
 */
export function automaticMinWeight(pairs: PairTable): number {
  const { count, weight, shiftRow, shiftColumn } = pairs;
  const loops: { weight: number; broken: boolean }[] = [];
  const step = Math.max(1, Math.floor(count / 50));
  for (let i = 0; i < count; i += step) {
    for (let j = i + 1; j < count; j += step) {
      for (let k = j + 1; k < count; k += step) {
        const least = Math.min(weight[i * count + j], weight[j * count + k], weight[i * count + k]);
        if (!(least > 0)) continue;
        const gap = (shift: Float32Array): number => shift[i * count + j] + shift[j * count + k] - shift[i * count + k];
        loops.push({ weight: least, broken: Math.hypot(gap(shiftRow), gap(shiftColumn)) > 3 });
      }
    }
  }
  loops.sort((a, b) => b.weight - a.weight);
  let broken = 0;
  let bound = LOWEST;
  for (const [n, loop] of loops.entries()) {
    if (loop.broken) broken++;
    if (n >= 20 && broken > n / 50) {
      bound = loop.weight;
      break;
    }
  }
  return Math.min(HIGHEST, Math.max(LOWEST, bound));
}
