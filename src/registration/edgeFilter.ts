import type { Tensor, Tensor1D, Tensor3D } from '@tensorflow/tfjs';
import { irfft2d, rfft2d, sliceComplex, tf } from '../backend/index.js';
import { fastSizeFrom, isFastSize } from './fftSize.js';

/** Edge images of one window size: how they are cut out of a frame and filtered. */
export interface EdgeFilterPlan {
  /** Side of the filtered window, pixels. */
  readonly windowSize: number;
  /** Gaussian width, pixels. */
  readonly sigma: number;
  /** Pixels around the window that the filter needs; replicated where the frame ends. */
  readonly margin: number;
  /** Side of the transforms: window and margins, rounded up to a fast size. */
  readonly fftSize: number;
  /** Edges are computed at every so many pixels along rows and columns: 1, 2 or 4. */
  readonly step: number;
}

/** Radius at which the Gaussian is cut off, in units of its width; scipy's and scikit-image's default. */
const TRUNCATE = 4;

/**
 * Plans {@link EdgeFilter}: the Gaussian reaches 4 sigma, the Sobel operator one pixel.
 *
 * @param step edges at every so many pixels; divides the window, see {@link largestStep}. Default 1.
 */
export function planEdgeFilter(windowSize: number, sigma: number, step: number = 1): EdgeFilterPlan {
  const reach = Math.floor(TRUNCATE * sigma + 0.5) + 1;
  // the window's first pixel is one of those that are computed
  const margin = step * Math.ceil(reach / step);
  return { windowSize, sigma, margin, fftSize: step * fastSizeFrom((windowSize + 2 * margin) / step), step };
}

/** Gaussian width a pixel of the step at which the gradient's spectrum, above half the step's frequency, is below 1e-4. */
const SIGMA_PER_STEP = 1.37;

/**
 * The largest step at which edges may be computed without losing any of their frequencies up to `band`: after the Gaussian
 * the gradient holds nothing that a coarser grid does not show. Its magnitude does, a little, so the band stays below half
 * of what the grid shows.
 */
export function largestStep(windowSize: number, sigma: number, band: number): number {
  return (
    [4, 2].find(
      (step) =>
        sigma >= SIGMA_PER_STEP * step &&
        windowSize % step === 0 &&
        isFastSize(windowSize / step) &&
        4 * band * step <= windowSize,
    ) ?? 1
  );
}

function gaussianKernel(sigma: number): Float64Array {
  const radius = Math.floor(TRUNCATE * sigma + 0.5);
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    sigma > 0 ? Math.exp(-0.5 * ((i - radius) / sigma) ** 2) : 1,
  );
  const sum = kernel.reduce((a, b) => a + b, 0);
  return kernel.map((value) => value / sum);
}

/** Transfer function of a symmetric kernel at all `size` frequencies: real. */
function cosineTransform(kernel: Float64Array, size: number): Float64Array {
  const radius = (kernel.length - 1) / 2;
  return Float64Array.from({ length: size }, (_, k) => {
    let sum = kernel[radius];
    for (let r = 1; r <= radius; r++) sum += 2 * kernel[radius + r] * Math.cos((2 * Math.PI * k * r) / size);
    return sum;
  });
}

/** The transfer functions of Gaussian × Sobel along rows and along columns, `[1, 2, side, side / 2 + 1]`, on the step's grid. */
function makeResponses({ fftSize: size, sigma, step }: EdgeFilterPlan): Tensor {
  const gaussian = cosineTransform(gaussianKernel(sigma), size);
  const side = size / step;
  const stored = side / 2 + 1;
  const values = new Float32Array(2 * side * stored);
  for (let k = 0; k < side; k++) {
    const row = k < side / 2 ? k : k + size - side;
    const angleRow = (2 * Math.PI * row) / size;
    for (let l = 0; l < stored; l++) {
      const angleColumn = (2 * Math.PI * l) / size;
      // Sobel: the difference [1, 0, −1] has response ±2i·sin one way, the mean [1, 2, 1] / 4 has (1 + cos) / 2 the other;
      // scikit-image takes the root mean square of both directions, hence 1 / √2; fewer points divide the inverse by less
      const both = (Math.SQRT2 * gaussian[row] * gaussian[l]) / step ** 2;
      values[k * stored + l] = both * Math.sin(angleRow) * ((1 + Math.cos(angleColumn)) / 2);
      values[(side + k) * stored + l] = both * Math.sin(angleColumn) * ((1 + Math.cos(angleRow)) / 2);
    }
  }
  // odd kernels have imaginary responses
  return tf.tidy(() => {
    const im = tf.tensor4d(values, [1, 2, side, stored]);
    return tf.complex(tf.zerosLike(im), im);
  });
}

/** A filter for many frames of one size; holds a tensor until {@link EdgeFilter.dispose}. */
export class EdgeFilter {
  readonly plan: EdgeFilterPlan;
  readonly #responses: Tensor;

  constructor(plan: EdgeFilterPlan) {
    this.plan = plan;
    this.#responses = makeResponses(plan);
  }

  /**
   * Magnitude of the Sobel gradient after a Gaussian: large at edges, whichever side is brighter, so that contrast
   * inversion does no harm. One real FFT a frame and two of the step's grid, whatever `sigma`.
   *
   * @param padded float32 `[B, fftSize, fftSize]`: the window with its margin in the upper left corner.
   * @returns float32 `[B, windowSize / step, windowSize / step]`: the edges at the window's pixels 0, step, 2·step …, in the
   *   units of the input. The caller disposes it.
   */
  apply(padded: Tensor3D): Tensor3D {
    const { windowSize, margin, fftSize, step } = this.plan;
    const side = fftSize / step;
    const size = windowSize / step;
    return tf.tidy(() => {
      const spectrum = lowFrequencies(rfft2d(padded), fftSize, side);
      const both = tf.mul(tf.expandDims(spectrum, 1), this.#responses);
      const gradient = irfft2d(both).slice([0, 0, margin / step, margin / step], [-1, 2, size, size]);
      return tf.sqrt(tf.sum(tf.square(gradient), 1)) as Tensor3D;
    });
  }

  dispose(): void {
    this.#responses.dispose();
  }
}

/** The frequencies of a real FFT of `[size, size]` that a grid of `[side, side]` over the same area has. */
export function lowFrequencies(spectrum: Tensor, size: number, side: number): Tensor {
  if (side === size) return spectrum;
  const half = side / 2;
  return tf.concat(
    [sliceComplex(spectrum, [0, 0, 0], [-1, half, half + 1]), sliceComplex(spectrum, [0, size - half, 0], [-1, half, half + 1])],
    1,
  );
}

/**
 * The paper's edge filter (section 3.2, step 2): Gaussian of width `sigma`, then the magnitude of the Sobel gradient.
 * Frames keep their size; beyond their edges the nearest pixel is repeated.
 *
 * @param frames float32 `[B, H, W]`.
 * @param sigma Gaussian width in pixels, from 0.
 * @returns float32 `[B, H, W]` in the units of the input; the same as scikit-image's `sobel(gaussian(frame, sigma))`
 *   to 1e-4 of the range. The caller disposes it.
 */
export function edgeFilter(frames: Tensor3D, sigma: number): Tensor3D {
  const [, height, width] = frames.shape;
  const { margin, fftSize } = planEdgeFilter(Math.max(height, width), sigma);
  return tf.tidy(() => {
    const index = (n: number): Tensor1D =>
      tf.tensor1d(
        Array.from({ length: fftSize }, (_, i) => Math.min(n - 1, Math.max(0, i - margin))),
        'int32',
      );
    const padded = tf.gather(tf.gather(frames, index(height), 1), index(width), 2);
    const smooth = irfft2d(tf.mul(rfft2d(padded), gaussianResponse(sigma, fftSize))).slice(
      [0, margin, margin],
      [-1, height, width],
    );
    // scikit-image's Sobel operator reflects the smoothed image at its edges
    const framed = tf.mirrorPad(
      smooth,
      [
        [0, 0],
        [1, 1],
        [1, 1],
      ],
      'symmetric',
    );
    const part = (row: number, column: number): Tensor => framed.slice([0, row, column], [-1, height, width]);
    const along = (at: (step: number, aside: number) => Tensor): Tensor => {
      const step = (aside: number): Tensor => tf.sub(at(0, aside), at(2, aside));
      return tf.mul(tf.add(tf.add(step(0), step(2)), tf.mul(step(1), 2)), 0.25);
    };
    const rows = along(part);
    const columns = along((step, aside) => part(aside, step));
    return tf.sqrt(tf.div(tf.add(tf.square(rows), tf.square(columns)), 2)) as Tensor3D;
  });
}

function gaussianResponse(sigma: number, size: number): Tensor {
  const gaussian = cosineTransform(gaussianKernel(sigma), size);
  const stored = size / 2 + 1;
  const real = tf.tensor3d(
    Float32Array.from({ length: size * stored }, (_, i) => gaussian[Math.floor(i / stored)] * gaussian[i % stored]),
    [1, size, stored],
  );
  return tf.complex(real, tf.zerosLike(real));
}
