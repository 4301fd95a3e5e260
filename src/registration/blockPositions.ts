/**
 * Position of each frame of a block such that the differences fit the coarse shifts: `shift[i, j] ≈ column[j] − row[i]`.
 * Alternating medians, so that a third of wrong peaks does not matter.
 */
export function fitPositions(
  shift: Float32Array,
  use: Uint8Array,
  height: number,
  width: number,
  fixedRow?: Float64Array,
): { row: Float64Array; column: Float64Array } {
  const row = fixedRow ?? new Float64Array(height);
  const column = new Float64Array(width);
  const median = (values: number[]): number => {
    if (values.length === 0) return 0;
    values.sort((a, b) => a - b);
    return values[values.length >> 1];
  };
  for (let pass = 0; pass < 4; pass++) {
    for (let j = 0; j < width; j++) {
      const values: number[] = [];
      for (let i = 0; i < height; i++) if (use[i * width + j]) values.push(shift[i * width + j] + row[i]);
      column[j] = median(values);
    }
    if (fixedRow) break;
    for (let i = 0; i < height; i++) {
      const values: number[] = [];
      for (let j = 0; j < width; j++) if (use[i * width + j]) values.push(column[j] - shift[i * width + j]);
      row[i] = median(values);
    }
  }
  return { row, column };
}

/** The same for frames compared with each other, of whose pairs only i < j are there: one position a frame. */
export function fitOwnPositions(
  shift: Float32Array,
  use: Uint8Array,
  count: number,
): { row: Float64Array; column: Float64Array } {
  const full = new Float32Array(count * count);
  const known = new Uint8Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      if (!use[i * count + j]) continue;
      full[i * count + j] = shift[i * count + j];
      full[j * count + i] = -shift[i * count + j];
      known[i * count + j] = 1;
      known[j * count + i] = 1;
    }
  }
  const { row, column } = fitPositions(full, known, count, count);
  const both = row.map((value, i) => (value + column[i]) / 2);
  return { row: both, column: both };
}

/** Largest difference of two sets of positions, pixels. */
export function furthest(
  before: { readonly row: Float64Array; readonly column: Float64Array },
  after: { readonly row: Float64Array; readonly column: Float64Array },
): number {
  let most = 0;
  for (const side of ['row', 'column'] as const) {
    for (let i = 0; i < before[side].length; i++) most = Math.max(most, Math.abs(before[side][i] - after[side][i]));
  }
  return most;
}
