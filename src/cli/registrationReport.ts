import type { Registration, ShiftPlan } from '../registration/index.js';
import type { LoopOutlier, RegistrationReport, ReportImage, ReportImages, ReportPattern } from '../report/index.js';
import { type FramePlacement, type ImageStack, placeFrame } from '../stack/index.js';
import type { RunOptions } from './runRegistration.js';

/** Frames whose mean the report shows. */
const MEAN_OF = 64;
/** Pairs that contradict the others, listed in the report. */
const OUTLIERS = 30;

export interface BuildReportInput {
  readonly stack: ImageStack;
  readonly found: Registration;
  readonly shift: ShiftPlan;
  readonly options: RunOptions;
  readonly parameters: RegistrationReport['parameters'];
  readonly versions: Readonly<Record<string, string>>;
  readonly truth: { readonly rows: Float64Array; readonly columns: Float64Array } | undefined;
  readonly warnings: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
  readonly signal: AbortSignal;
}

/** Collects what the report of a registration shows. Reads up to 64 frames again for its images. */
export async function buildReport(input: BuildReportInput): Promise<RegistrationReport> {
  const { stack, found, options, parameters, versions, truth, warnings, timings } = input;
  const { info } = stack;
  const { drift } = found;
  const name = typeof options.input === 'string' ? options.input : (options.input[0] ?? '');
  return {
    title:
      name
        .replace(/[/\\]+$/, '')
        .split(/[/\\]/)
        .at(-1) || name,
    input: {
      path: typeof options.input === 'string' ? options.input : `${options.input.length} files from ${name}`,
      format: info.format,
      frames: info.frames,
      height: info.height,
      width: info.width,
      pixelType: info.pixelType,
    },
    finishedAt: new Date(),
    frame: Array.from(drift.row, (_, n) => options.start + n),
    axis: {
      values: info.axis.values,
      unit: info.axis.unit,
      label: { energy: 'Energy', time: 'Time', frame: 'Frame' }[info.axis.kind],
    },
    drift: { rows: drift.row, columns: drift.column },
    sigma: { rows: drift.sigmaRow, columns: drift.sigmaColumn },
    weight: drift.weight,
    used: drift.used,
    reason: drift.remark,
    pairs: {
      frames: found.frames,
      weights: found.pairs.weight,
      residualRows: found.residuals.row,
      residualColumns: found.residuals.column,
    },
    loopOutliers: loopOutliers(found, options.start),
    images: await reportImages(input),
    pixelSizeNanometers: info.pixelSizeNanometers,
    window: found.window,
    pattern: reportPattern(found),
    aperture: found.aperture ? { disc: found.aperture } : undefined,
    findings: findings(found),
    warnings,
    parameters,
    versions,
    timings,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    truth,
  };
}

/** What the report's summary does not say by itself. */
function findings(found: Registration): string[] {
  const out: string[] = [];
  if (!found.patternImage) out.push(`Fixed pattern: ${found.patternRemark}.`);
  if (found.badPixels > 0) out.push(`${found.badPixels} bad pixels were masked.`);
  if (found.residuals.used > 0) out.push(`Pairs agree with the drift to ${found.residuals.median.toFixed(3)} px in the median.`);
  return out;
}

function loopOutliers(found: Registration, start: number): LoopOutlier[] {
  const { residuals, pairs, frames } = found;
  const { count } = pairs;
  const out: LoopOutlier[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const at = i * count + j;
      if (!(Math.hypot(residuals.row[at], residuals.column[at]) > residuals.limit)) continue;
      out.push({
        first: start + frames[i],
        second: start + frames[j],
        rows: residuals.row[at],
        columns: residuals.column[at],
        weight: pairs.weight[at],
      });
    }
  }
  return out.sort((a, b) => b.weight - a.weight).slice(0, OUTLIERS);
}

function reportPattern(found: Registration): ReportPattern | undefined {
  const { patternImage, pattern, window } = found;
  if (!patternImage) return undefined;
  // only what was measured: the window's surroundings
  const { width } = patternImage;
  const pixels = new Float32Array(window.size * window.size);
  for (let r = 0; r < window.size; r++) {
    const at = (window.row + r) * width + window.column;
    pixels.set(patternImage.pixels.subarray(at, at + window.size), r * window.size);
  }
  const rms = pattern?.found.strength ?? Math.sqrt(pixels.reduce((sum, value) => sum + (value - 1) ** 2, 0) / pixels.length);
  return { image: { pixels, height: window.size, width: window.size }, rms, used: true };
}

async function reportImages({
  stack,
  found,
  shift,
  signal,
}: BuildReportInput): Promise<{ before: ReportImages; after: ReportImages }> {
  const used = [...found.drift.used.keys()].filter((n) => found.drift.used[n]);
  const shown = used.length > 0 ? used : [0];
  const some = Array.from({ length: Math.min(MEAN_OF, shown.length) }, (_, k) =>
    Math.floor((k * (shown.length - 1)) / Math.max(1, Math.min(MEAN_OF, shown.length) - 1)),
  ).map((k) => shown[k]);
  const place = async (n: number, shifted: boolean): Promise<ReportImage> => {
    const placement = shift.placements[n];
    // unshifted on the frame's own canvas, so that before and after are treated alike
    const at: FramePlacement = shifted
      ? placement
      : { ...placement, shift: [0, 0], outHeight: placement.height, outWidth: placement.width };
    const stored = placeFrame(await stack.frame(n, signal), at);
    const scale = 1 / shift.multiplier[n];
    return {
      pixels: Float32Array.from(stored, (value) => (value === 0 ? Number.NaN : (value - shift.pedestal) * scale)),
      height: at.outHeight,
      width: at.outWidth,
    };
  };
  const mean = async (shifted: boolean): Promise<ReportImage> => {
    let sum = new Float32Array(0);
    let number = new Uint16Array(0);
    let size = { height: 0, width: 0 };
    for (const n of some) {
      const { pixels, height, width } = await place(n, shifted);
      if (sum.length === 0) {
        sum = new Float32Array(pixels.length);
        number = new Uint16Array(pixels.length);
        size = { height, width };
      }
      for (let i = 0; i < pixels.length; i++) {
        if (Number.isNaN(pixels[i])) continue;
        sum[i] += pixels[i];
        number[i]++;
      }
    }
    return { pixels: sum.map((value, i) => (number[i] > 0 ? value / number[i] : Number.NaN)), ...size };
  };
  const last = shown.at(-1) as number;
  const images = async (shifted: boolean): Promise<ReportImages> => ({
    first: await place(shown[0], shifted),
    last: await place(last, shifted),
    mean: await mean(shifted),
  });
  return { before: await images(false), after: await images(true) };
}
