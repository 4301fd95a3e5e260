import { ShapeError } from '../errors.js';
import type { ImageStack } from '../stack/index.js';
import { patternGain, type RegionPattern, sampleFixedPattern } from './patternSample.js';
import type { RegisterOptions } from './registerStack.js';
import { extent } from './statistics.js';
import type { PixelCorrection, WindowPlace } from './windowCutter.js';

/** A pattern is taken out if its two halves agree so well … */
const LEAST_RELIABILITY = 0.15;
/** … and it is at least so strong. */
const LEAST_STRENGTH = 0.001;
/** … and without it the pairs of frames contradict each other by no more than this share of what they do with it. */
const LARGEST_MISFIT = 0.7;
/** Pixels that the sample must have moved by for a pattern to be told from it. */
const LEAST_DRIFT = 1;

/** What was decided about the fixed pattern. */
export interface TakenPattern {
  /** The pattern that was found and is taken out. */
  readonly pattern: RegionPattern | undefined;
  /** Found or given, as a factor of the detector; 1 where it is not known. */
  readonly image: { readonly pixels: Float32Array; readonly height: number; readonly width: number } | undefined;
  readonly remark: string;
  /** Factor for the frames, `[H, W]`: flat field and pattern together; undefined: none. */
  readonly gain: Float32Array | undefined;
}

/** 1 / (flat field − dark count), 1 on average; 1 where the flat field has no light. */
export function flatFieldGain(flat: Float32Array, dark: Float32Array | undefined): Float32Array {
  const net = flat.map((value, i) => value - (dark?.[i] ?? 0));
  const lit = net.filter((value) => value > 0).sort();
  const mean = lit.reduce((a, b) => a + b, 0) / Math.max(1, lit.length);
  // below a tenth of the brightest the channel plate ends (the paper's section 3.1)
  const least = 0.1 * (lit[Math.floor(0.999 * (lit.length - 1))] ?? 0);
  return net.map((value) => (value > least ? mean / value : 1));
}

export interface TakePatternOptions extends RegisterOptions {
  readonly sigma: number;
  readonly correction: PixelCorrection;
  readonly taper: Float32Array | undefined;
  readonly minWeight: number;
}

/** Finds the fixed pattern, or takes the given one, and decides whether the frames are divided by it. */
export async function takePattern(compared: ImageStack, window: WindowPlace, options: TakePatternOptions): Promise<TakenPattern> {
  const { pattern: wish = 'auto', correction, onProgress } = options;
  const [, height, width] = compared.shape;
  const without = (remark: string): TakenPattern => ({ pattern: undefined, image: undefined, remark, gain: correction.gain });
  const withGain = (remark: string, gain: Float32Array, pattern?: RegionPattern): TakenPattern => ({
    pattern,
    image: { pixels: gain.map((value) => 1 / value), height, width },
    remark,
    gain: correction.gain ? gain.map((value, i) => value * (correction.gain as Float32Array)[i]) : gain,
  });
  if (wish === 'none') return without('not looked for');
  if (wish !== 'auto') {
    if (wish.length !== height * width) {
      throw new ShapeError(
        `registerStack(): 'pattern' must be ${height} × ${width} pixels like the frames, got ${wish.length} values`,
      );
    }
    return withGain(
      'given, taken out for the registration',
      wish.map((value) => (value > 0 ? 1 / value : 1)),
    );
  }
  const sampled = await sampleFixedPattern(compared, window, {
    sigma: options.sigma,
    correction,
    taper: options.taper,
    minWeight: options.minWeight,
    signal: options.signal,
    onProgress: (done, total) => onProgress?.('pattern', done, total),
  });
  if ('reason' in sampled) return without(`not looked for: ${sampled.reason}`);
  const { found } = sampled;
  const moved = sampled.coarsen * Math.max(extent(found.drift.row), extent(found.drift.column));
  if (moved < LEAST_DRIFT) {
    return without(`none taken out: the sample moved by ${moved.toFixed(2)} px only, too little to tell it from a pattern`);
  }
  const agreement = `two halves of the frames agree to ${found.reliability.toFixed(2)}`;
  if (!(found.reliability >= LEAST_RELIABILITY && found.strength >= LEAST_STRENGTH))
    return without(`none found (${agreement} only)`);
  const agree = `pairs of frames agree to ${found.drift.misfit.toFixed(3)} px without it, to ${found.misfitBefore.toFixed(3)} px with it`;
  // a pattern that matters makes pairs contradict each other; what the sample shows at some energies only, or what drifts of
  // this size leave open, may pass for a pattern, too, and does not
  if (found.drift.misfit > LARGEST_MISFIT * found.misfitBefore) {
    return without(`${(100 * found.strength).toFixed(1)} % rms found (${agreement}), but left in: ${agree}`);
  }
  return withGain(
    `${(100 * found.strength).toFixed(1)} % rms found and taken out for the registration (${agreement}; ${agree})`,
    patternGain(sampled, height, width),
    sampled,
  );
}
