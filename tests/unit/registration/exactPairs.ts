import type { PairTable } from '../../../src/registration/solveDrift.js';

/** The table of exact pair shifts; pairs for which `weight` gives 0 do not exist. */
export function exactPairs(
  drift: { readonly row: ArrayLike<number>; readonly column: ArrayLike<number> },
  weight: (i: number, j: number) => number,
): PairTable {
  const count = drift.row.length;
  const table = {
    count,
    shiftRow: new Float32Array(count * count),
    shiftColumn: new Float32Array(count * count),
    weight: new Float32Array(count * count).fill(Number.NaN),
  };
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      table.shiftRow[i * count + j] = drift.row[j] - drift.row[i];
      table.shiftColumn[i * count + j] = drift.column[j] - drift.column[i];
      table.weight[i * count + j] = weight(i, j);
    }
  }
  return table;
}
