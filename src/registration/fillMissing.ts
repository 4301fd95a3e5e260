/**
 * Fills missing pixels smoothly from their surroundings (pull and push over a pyramid of averages), so that a filter or a
 * transform does not spread them. Of the pyramid, only what the missing pixels need is computed.
 *
 * @param image `[height, width]`; NaN: missing. Changed in place; an image without any known pixel becomes 0.
 * @param missing indices of all missing pixels, where they are known already.
 */
export function fillMissing(image: Float32Array, height: number, width: number, missing?: Int32Array): void {
  const cells = missing ?? missingPixels(image);
  if (cells.length === 0) return;
  const values = interpolate(image, [height, width], cells, 0);
  for (let k = 0; k < cells.length; k++) image[cells[k]] = values[k];
}

function missingPixels(image: Float32Array): Int32Array {
  let count = 0;
  for (let i = 0; i < image.length; i++) if (Number.isNaN(image[i])) count++;
  const out = new Int32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (Number.isNaN(image[i])) out[k++] = i;
  return out;
}

/** Values of `cells` of a level, squares of 2^level pixels that hold no known one, from the next coarser level. */
function interpolate(
  image: Float32Array,
  [height, width]: readonly [number, number],
  cells: Int32Array,
  level: number,
): Float32Array {
  const out = new Float32Array(cells.length);
  const across = Math.ceil(width / 2 ** level);
  if (across === 1 && Math.ceil(height / 2 ** level) === 1) return out;
  const rows = Math.ceil(height / 2 ** (level + 1));
  const columns = Math.ceil(width / 2 ** (level + 1));
  const coarse = new CoarseLevel(image, [height, width], level + 1);
  const places = new Int32Array(4 * cells.length);
  const weights = new Float32Array(4 * cells.length);
  for (let k = 0; k < cells.length; k++) {
    // the middle of the cell, among the four of the next level around it
    const y = Math.min(rows - 1, Math.max(0, (Math.floor(cells[k] / across) - 0.5) / 2));
    const x = Math.min(columns - 1, Math.max(0, ((cells[k] % across) - 0.5) / 2));
    const r = Math.floor(y);
    const c = Math.floor(x);
    for (let corner = 0; corner < 4; corner++) {
      const down = corner >> 1;
      const right = corner & 1;
      const place = Math.min(rows - 1, r + down) * columns + Math.min(columns - 1, c + right);
      coarse.want(place);
      places[4 * k + corner] = place;
      weights[4 * k + corner] = (down ? y - r : 1 - y + r) * (right ? x - c : 1 - x + c);
    }
  }
  const values = coarse.values();
  for (let i = 0; i < places.length; i++) out[i >> 2] += weights[i] * values[places[i]];
  return out;
}

/** Means of the known pixels of squares of 2^level pixels: of those that are wanted. */
class CoarseLevel {
  readonly #image: Float32Array;
  readonly #shape: readonly [number, number];
  readonly #level: number;
  readonly #columns: number;
  readonly #values: Float32Array;
  readonly #seen: Uint8Array;
  readonly #empty: number[] = [];

  constructor(image: Float32Array, shape: readonly [number, number], level: number) {
    this.#image = image;
    this.#shape = shape;
    this.#level = level;
    this.#columns = Math.ceil(shape[1] / 2 ** level);
    const size = Math.ceil(shape[0] / 2 ** level) * this.#columns;
    this.#values = new Float32Array(size);
    this.#seen = new Uint8Array(size);
  }

  want(cell: number): void {
    if (this.#seen[cell]) return;
    this.#seen[cell] = 1;
    const [height, width] = this.#shape;
    const step = 2 ** this.#level;
    const top = Math.floor(cell / this.#columns) * step;
    const left = (cell % this.#columns) * step;
    let sum = 0;
    let count = 0;
    for (let r = top; r < Math.min(height, top + step); r++) {
      for (let i = r * width + left; i < r * width + Math.min(width, left + step); i++) {
        const value = this.#image[i];
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
      }
    }
    if (count > 0) this.#values[cell] = sum / count;
    else this.#empty.push(cell);
  }

  /** Means by cell; cells without any known pixel take the next level's. */
  values(): Float32Array {
    const cells = Int32Array.from(this.#empty);
    if (cells.length === 0) return this.#values;
    const filled = interpolate(this.#image, this.#shape, cells, this.#level);
    for (let k = 0; k < cells.length; k++) this.#values[cells[k]] = filled[k];
    return this.#values;
  }
}
