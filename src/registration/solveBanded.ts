import { finishSteps, type Steps } from '../backend/index.js';
import { NotConvergedError } from '../errors.js';

/**
 * Solves `A x = b` for a symmetric positive definite band matrix by Cholesky factorization, in place: `size · band²`
 * operations in double precision (tfjs has single precision only).
 *
 * @param matrix lower triangle, row by row: element (r, c) at `r · (band + 1) + band − (r − c)`. Becomes the factor.
 * @param right b, or several; they become x.
 * @param size number of unknowns.
 * @param band largest r − c of an element that is not 0.
 * @throws NotConvergedError if the matrix is not positive definite.
 */
export function solveBanded(
  matrix: Float64Array,
  right: Float64Array | readonly Float64Array[],
  size: number,
  band: number,
): void {
  finishSteps(bandedSteps(matrix, right instanceof Float64Array ? [right] : right, size, band));
}

/** Multiplications between two breaths: some 20 ms. */
const STRETCH = 2e7;

/** {@link solveBanded} in pieces. */
export function* bandedSteps(matrix: Float64Array, right: readonly Float64Array[], size: number, band: number): Steps<void> {
  let left = STRETCH;
  for (let r = 0; r < size; r++) {
    factorRow(matrix, r, band);
    left -= Math.min(r, band) ** 2 / 2;
    if (left > 0) continue;
    left = STRETCH;
    yield;
  }
  for (const values of right) {
    substitute(matrix, values, size, band);
    yield;
  }
}

/** Makes row `r` of the factor, the rows above it being made. */
function factorRow(matrix: Float64Array, r: number, band: number): void {
  const stride = band + 1;
  const row = r * stride + band - r; // element (r, c) at row + c
  const first = Math.max(0, r - band);
  for (let c = first; c < r; c++) {
    const other = c * stride + band - c;
    let sum = matrix[row + c];
    for (let k = Math.max(first, c - band); k < c; k++) sum -= matrix[row + k] * matrix[other + k];
    matrix[row + c] = sum / matrix[other + c];
  }
  let diagonal = matrix[row + r];
  for (let k = first; k < r; k++) diagonal -= matrix[row + k] ** 2;
  if (!(diagonal > 0)) {
    throw new NotConvergedError(`solveBanded(): 'matrix' must be positive definite, got a pivot of ${diagonal} in row ${r}`);
  }
  matrix[row + r] = Math.sqrt(diagonal);
}

/** Forward and back substitution with the factor. */
function substitute(factor: Float64Array, right: Float64Array, size: number, band: number): void {
  const stride = band + 1;
  for (let r = 0; r < size; r++) {
    const row = r * stride + band - r;
    let sum = right[r];
    for (let k = Math.max(0, r - band); k < r; k++) sum -= factor[row + k] * right[k];
    right[r] = sum / factor[row + r];
  }
  for (let r = size - 1; r >= 0; r--) {
    const row = r * stride + band - r;
    right[r] /= factor[row + r];
    for (let k = Math.max(0, r - band); k < r; k++) right[k] -= factor[row + k] * right[r];
  }
}
