/** Numbers of a picture, row by row, `channels` beside each other. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: ArrayLike<number>;
}

/** How many rows and columns become one. */
export interface Factors {
  readonly rows: number;
  readonly columns: number;
}

/** Means over rectangles of pixels, without the NaN; those at the end may be smaller. */
export function coarsenMean(picture: Picture, factors: Factors): Picture {
  const { width, channels, values } = picture;
  const shape = coarseShape(picture, factors);
  const sums = new Float64Array(shape.height * shape.width * channels);
  const counts = new Uint32Array(sums.length);
  let from = 0;
  for (let r = 0; r < picture.height; r++) {
    const rowStart = Math.floor(r / factors.rows) * shape.width * channels;
    for (let column = 0, start = 0; start < width; column++, start += factors.columns) {
      const end = Math.min(width, start + factors.columns);
      const to = rowStart + column * channels;
      for (let c = start; c < end; c++) {
        for (let k = 0; k < channels; k++, from++) {
          const value = values[from];
          if (Number.isNaN(value)) continue;
          sums[to + k] += value;
          counts[to + k]++;
        }
      }
    }
  }
  for (let i = 0; i < sums.length; i++) sums[i] = counts[i] > 0 ? sums[i] / counts[i] : Number.NaN;
  return { ...shape, channels, values: sums };
}

/** The pixel in the middle of each rectangle, for labels, of which there is no mean. */
export function coarsenNearest(picture: Picture, factors: Factors): Picture {
  const { height, width, channels, values } = picture;
  const shape = coarseShape(picture, factors);
  const out = new Float64Array(shape.height * shape.width * channels);
  for (let r = 0; r < shape.height; r++) {
    const row = Math.min(height - 1, r * factors.rows + Math.floor(factors.rows / 2));
    for (let c = 0; c < shape.width; c++) {
      const column = Math.min(width - 1, c * factors.columns + Math.floor(factors.columns / 2));
      for (let k = 0; k < channels; k++) {
        out[(r * shape.width + c) * channels + k] = values[(row * width + column) * channels + k];
      }
    }
  }
  return { ...shape, channels, values: out };
}

/** Each pixel as a square of `factor` × `factor`. */
export function enlarge(picture: Picture, factor: number): Picture {
  if (factor === 1) return picture;
  const { channels, values } = picture;
  const height = picture.height * factor;
  const width = picture.width * factor;
  const out = new Float64Array(height * width * channels);
  for (let r = 0, to = 0; r < height; r++) {
    const rowStart = Math.floor(r / factor) * picture.width;
    for (let c = 0; c < width; c++) {
      const from = (rowStart + Math.floor(c / factor)) * channels;
      for (let k = 0; k < channels; k++) out[to++] = values[from + k];
    }
  }
  return { height, width, channels, values: out };
}

function coarseShape({ height, width }: Picture, factors: Factors): { height: number; width: number } {
  return { height: Math.ceil(height / factors.rows), width: Math.ceil(width / factors.columns) };
}
