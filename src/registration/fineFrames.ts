import type { Tensor } from '@tensorflow/tfjs';
import { irfft2d, readAll, readOut, rfft2d, type Steps, tf } from '../backend/index.js';
import { fastSizeFrom } from './fftSize.js';
import type { FrameSpectra, PatternSpectrum } from './separatePattern.js';

/** Frames that are transformed together. */
const BATCH = 16;
/** Pixels over which the region's edge fades out. */
const RAMP = 6;

/** 1 where all frames have a pixel. */
function knownInAll(frames: readonly Float32Array[]): Uint8Array {
  const known = new Uint8Array(frames[0]?.length ?? 0).fill(1);
  for (const frame of frames) for (let i = 0; i < frame.length; i++) if (Number.isNaN(frame[i])) known[i] = 0;
  return known;
}

/** 1 inside the region that all frames cover, down to 0 at its edges. */
function fadeOut(known: Uint8Array, [height, width]: readonly [number, number]): Float32Array {
  return Float32Array.from(edgeDistance(known, height, width), (value) => {
    const t = (value - 0.5) / RAMP;
    return t <= 0 ? 0 : t >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * t);
  });
}

/** Chessboard distance of each known pixel from the nearest unknown one, or from beyond the region; two sweeps. */
function edgeDistance(known: Uint8Array, height: number, width: number): Float32Array {
  const out = new Float32Array(height * width);
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r >= height || c >= width ? 0 : out[r * width + c]);
  for (let r = 0; r < height; r++) {
    for (let c = 0; c < width; c++) {
      const before = Math.min(at(r - 1, c - 1), at(r - 1, c), at(r - 1, c + 1), at(r, c - 1));
      out[r * width + c] = known[r * width + c] ? before + 1 : 0;
    }
  }
  for (let r = height - 1; r >= 0; r--) {
    for (let c = width - 1; c >= 0; c--) {
      const after = Math.min(at(r + 1, c - 1), at(r + 1, c), at(r + 1, c + 1), at(r, c + 1));
      out[r * width + c] = Math.min(out[r * width + c], after + 1);
    }
  }
  return out;
}

/**
 * Frames without what is smooth (illumination would leak into all frequencies), in a larger periodic square. Beyond the
 * region they are faded out at first, then what the model says there, so that no edge stands still.
 */
export class FineFrames {
  readonly spectra: FrameSpectra;
  /** The same without anything filled in. */
  readonly measured: FrameSpectra;
  readonly #shape: readonly [number, number];
  /** Pixel of the square for each pixel of the region; −1 where there is none. */
  readonly #place: Int32Array;
  /** `[count, size, size]`, 0 beyond the region. */
  readonly #images: Float32Array;
  /** 1 beyond the region. */
  readonly #beyond: Float32Array;

  /**
   * @param frames `[height, width]` each; NaN: no such pixel.
   * @param smooth what is wider than a Gaussian of this many pixels is left out.
   */
  static *make(frames: readonly Float32Array[], shape: readonly [number, number], smooth: number): Steps<FineFrames> {
    const known = knownInAll(frames);
    yield;
    const made = new FineFrames(frames.length, shape, known);
    yield* made.#take(frames, known, smooth);
    return made;
  }

  private constructor(count: number, shape: readonly [number, number], known: Uint8Array) {
    const [height, width] = shape;
    this.#shape = shape;
    const side = Math.max(height, width);
    const size = fastSizeFrom(side + Math.max(16, Math.ceil(side / 8)));
    this.#place = Int32Array.from(known, (is, i) => (is ? Math.floor(i / width) * size + (i % width) : -1));
    this.#beyond = this.#spread(size, known).map((value) => 1 - value);
    const length = size * (size / 2 + 1);
    this.#images = new Float32Array(count * size * size);
    this.spectra = { count, size, re: new Float32Array(count * length), im: new Float32Array(count * length) };
    this.measured = { ...this.spectra, re: new Float32Array(count * length), im: new Float32Array(count * length) };
  }

  *#take(frames: readonly Float32Array[], known: Uint8Array, smooth: number): Steps<void> {
    const { size, re, im } = this.spectra;
    const length = size * (size / 2 + 1);
    const fade = this.#spread(size, fadeOut(known, this.#shape));
    const weight = this.#spread(size, known);
    const area = weight.reduce((a, b) => a + b, 0);
    for (const [n, frame] of frames.entries()) {
      yield;
      const image = this.#spread(size, frame);
      const mean = image.reduce((a, b) => a + b, 0) / Math.max(area, 1);
      for (let p = 0; p < image.length; p++) image[p] = weight[p] > 0 ? image[p] - mean : 0;
      this.#images.set(image, n * size * size);
    }
    const response = gaussianResponse(size, smooth);
    const reach = readOut(() => blur(tf.tensor3d(weight, [1, size, size]), tf.tensor3d(response, [1, size, size / 2 + 1])));
    for (let start = 0; start < frames.length; start += BATCH) {
      yield;
      const stop = Math.min(frames.length, start + BATCH);
      const batch = this.#images.subarray(start * size * size, stop * size * size);
      const parts = readAll(() => {
        const images = tf.tensor3d(batch, [batch.length / (size * size), size, size]);
        const share = tf.tensor3d(
          weight.map((value, p) => value / Math.max(reach[p], 1e-3)),
          [1, size, size],
        );
        // what lies beyond the region is 0 already
        const fine = tf.sub(images, tf.mul(blur(images, tf.tensor3d(response, [1, size, size / 2 + 1])), share));
        const spectrum = rfft2d(tf.mul(fine, tf.tensor3d(fade, [1, size, size])));
        return [fine, tf.real(spectrum), tf.imag(spectrum)];
      });
      batch.set(parts[0]);
      re.set(parts[1], start * length);
      im.set(parts[2], start * length);
    }
    this.measured.re.set(re);
    this.measured.im.set(im);
  }

  #spread(size: number, values: ArrayLike<number>): Float32Array {
    const image = new Float32Array(size * size);
    for (let i = 0; i < this.#place.length; i++) if (this.#place[i] >= 0) image[this.#place[i]] = values[i];
    return image;
  }

  /** Takes what lies beyond the region from predicted spectra, `[used, length]` each part. */
  *fillBeyond(used: readonly number[], [re, im]: readonly [Float32Array, Float32Array]): Steps<void> {
    const { size, re: allRe, im: allIm } = this.spectra;
    const length = size * (size / 2 + 1);
    const area = size * size;
    for (let start = 0; start < used.length; start += BATCH) {
      yield;
      const some = used.slice(start, start + BATCH);
      const images = new Float32Array(some.length * area);
      for (const [k, n] of some.entries()) images.set(this.#images.subarray(n * area, (n + 1) * area), k * area);
      const parts = readAll(() => {
        const shape: [number, number, number] = [some.length, size, size / 2 + 1];
        const part = (values: Float32Array) =>
          tf.tensor3d(values.subarray(start * length, (start + some.length) * length), shape);
        const predicted = tf.mul(irfft2d(tf.complex(part(re), part(im))), tf.tensor3d(this.#beyond, [1, size, size]));
        const spectrum = rfft2d(tf.add(predicted, tf.tensor3d(images, [some.length, size, size])));
        return [tf.real(spectrum), tf.imag(spectrum)];
      });
      for (const [k, n] of some.entries()) {
        allRe.set(parts[0].subarray(k * length, (k + 1) * length), n * length);
        allIm.set(parts[1].subarray(k * length, (k + 1) * length), n * length);
      }
    }
  }

  /** A spectrum as an image of the region, of mean 0; 0 where no pixel is known. */
  image({ re, im }: PatternSpectrum): Float32Array {
    const [height, width] = this.#shape;
    const whole = inverse(this.spectra.size, Float32Array.from(re), Float32Array.from(im));
    const out = new Float32Array(height * width);
    let sum = 0;
    let known = 0;
    for (let i = 0; i < out.length; i++) {
      if (this.#place[i] < 0) continue;
      out[i] = whole[this.#place[i]];
      sum += out[i];
      known++;
    }
    for (let i = 0; i < out.length; i++) if (this.#place[i] >= 0) out[i] -= sum / known;
    return out;
  }
}

function inverse(size: number, re: Float32Array, im: Float32Array): Float32Array {
  const shape: [number, number, number] = [1, size, size / 2 + 1];
  return readOut(() => irfft2d(tf.complex(tf.tensor3d(re, shape), tf.tensor3d(im, shape))));
}

/** A Gaussian's transfer function, `[size, size / 2 + 1]`: real. */
function gaussianResponse(size: number, sigma: number): Float32Array {
  const stored = size / 2 + 1;
  return Float32Array.from({ length: size * stored }, (_, q) => {
    const k = Math.floor(q / stored);
    return Math.exp(-2 * ((Math.PI * sigma) / size) ** 2 * ((k < size / 2 ? k : k - size) ** 2 + (q % stored) ** 2));
  });
}

/** Blurs images `[B, size, size]`, periodically. Call inside a tfjs scope. */
function blur(images: Tensor, response: Tensor): Tensor {
  const spectrum = rfft2d(images);
  return irfft2d(tf.complex(tf.mul(tf.real(spectrum), response), tf.mul(tf.imag(spectrum), response)));
}
