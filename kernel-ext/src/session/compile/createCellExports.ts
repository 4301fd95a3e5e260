/** The variables of all cells of a notebook, by name. */
export type CellExports = Record<string, unknown>;

/**
 * The object that all cells get as `exports`.
 *
 * A plain one: compiled cells only assign to it, so that imported names can be declared again and a loop that counts in a
 * variable of an earlier cell is not slowed down by a proxy, as in tslab.
 */
export function createCellExports(): CellExports {
  return {};
}
