import type { ShiftPlan } from '../registration/index.js';
import type { RegistrationReport, ReportImage } from '../report/index.js';
import { type FramePlacement, type PixelArray, placeFrame } from '../stack/index.js';

/** Frames whose mean the report shows, evenly spread over those that were registered. */
const MEAN_OF = 64;

/** The measured values of an image's pixels, summed. */
class Sum {
  readonly #values: Float32Array;
  readonly #count: Uint16Array;

  constructor(
    readonly height: number,
    readonly width: number,
  ) {
    this.#values = new Float32Array(height * width);
    this.#count = new Uint16Array(height * width);
  }

  add(pixels: Float32Array): void {
    for (let i = 0; i < pixels.length; i++) {
      if (Number.isNaN(pixels[i])) continue;
      this.#values[i] += pixels[i];
      this.#count[i]++;
    }
  }

  mean(): ReportImage {
    const pixels = new Float32Array(this.#values.length);
    for (let i = 0; i < pixels.length; i++) pixels[i] = this.#count[i] > 0 ? this.#values[i] / this.#count[i] : Number.NaN;
    return { pixels, height: this.height, width: this.width };
  }
}

/** First, last and mean frame on one canvas. */
class ImageSet {
  readonly #sum: Sum;
  #first: ReportImage | undefined;
  #last: ReportImage | undefined;

  constructor(
    private readonly plan: ShiftPlan,
    private readonly placement: (index: number) => FramePlacement,
  ) {
    const { outHeight, outWidth } = placement(0);
    this.#sum = new Sum(outHeight, outWidth);
  }

  take(index: number, input: PixelArray): void {
    const at = this.placement(index);
    const stored = placeFrame(input, at);
    const scale = 1 / this.plan.multiplier[index];
    const pixels = new Float32Array(stored.length);
    for (let i = 0; i < stored.length; i++) pixels[i] = stored[i] === 0 ? Number.NaN : (stored[i] - this.plan.pedestal) * scale;
    this.#sum.add(pixels);
    this.#last = { pixels, height: at.outHeight, width: at.outWidth };
    this.#first ??= this.#last;
  }

  images(): RegistrationReport['images']['before'] {
    const mean = this.#sum.mean();
    return { first: this.#first ?? mean, last: this.#last ?? mean, mean };
  }
}

/**
 * The report's images, gathered from the frames as they pass on their way to the disk: the first and the last registered
 * frame and the mean of up to 64, before and after the shift. Holds a dozen images, whatever the number of frames.
 */
export class ReportImageSums {
  readonly #chosen: ReadonlySet<number>;
  readonly #before: ImageSet;
  readonly #after: ImageSet;

  /** @param used 1 for registered frames; without any, the first frame stands for all. */
  constructor(plan: ShiftPlan, used: Uint8Array) {
    const registered = [...used.keys()].filter((n) => used[n] === 1);
    const shown = registered.length > 0 ? registered : [0];
    const count = Math.min(MEAN_OF, shown.length);
    const places = Array.from({ length: count }, (_, k) => Math.floor((k * (shown.length - 1)) / Math.max(1, count - 1)));
    this.#chosen = new Set(places.map((k) => shown[k]));
    this.#after = new ImageSet(plan, (n) => plan.placements[n]);
    // unshifted on the frame's own canvas, so that before and after are treated alike
    this.#before = new ImageSet(plan, (n) => {
      const placement = plan.placements[n];
      return { ...placement, shift: [0, 0], outHeight: placement.height, outWidth: placement.width };
    });
  }

  /** Number of frames in the mean. */
  get count(): number {
    return this.#chosen.size;
  }

  /** Takes a frame of the input; frames come in order, each once. */
  take(index: number, pixels: PixelArray): void {
    if (!this.#chosen.has(index)) return;
    this.#before.take(index, pixels);
    this.#after.take(index, pixels);
  }

  images(): RegistrationReport['images'] {
    return { before: this.#before.images(), after: this.#after.images(), meanOf: this.count };
  }
}
