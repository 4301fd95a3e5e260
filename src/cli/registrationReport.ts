import type { Registration } from '../registration/index.js';
import type { LoopOutlier, RegistrationReport, ReportPattern, RowsAndColumns } from '../report/index.js';
import type { ImageStack } from '../stack/index.js';
import type { RunOptions } from './runRegistration.js';

type ChartData = Pick<RegistrationReport, 'axis' | 'drift' | 'sigma' | 'weight' | 'used' | 'pairs' | 'truth'>;

export interface BuildReportInput {
  readonly stack: ImageStack;
  readonly found: Registration;
  readonly reportImages: RegistrationReport['images'];
  readonly options: RunOptions;
  readonly parameters: RegistrationReport['parameters'];
  readonly versions: Readonly<Record<string, string>>;
  readonly truth: RowsAndColumns | undefined;
  readonly warnings: readonly string[];
  readonly timings: Readonly<Record<string, number>>;
}

/** The part of the report that its charts show: known before the frames are shifted. */
export function chartData({ info }: ImageStack, found: Registration, truth: RowsAndColumns | undefined): ChartData {
  const { drift } = found;
  return {
    axis: {
      values: info.axis.values,
      unit: info.axis.unit,
      label: { energy: 'Energy', time: 'Time', frame: 'Frame' }[info.axis.kind],
    },
    drift: { rows: drift.row, columns: drift.column },
    sigma: { rows: drift.sigmaRow, columns: drift.sigmaColumn },
    weight: drift.weight,
    used: drift.used,
    pairs: {
      frames: found.frames,
      weights: found.pairs.weight,
      residualRows: found.residuals.row,
      residualColumns: found.residuals.column,
    },
    truth,
  };
}

/** Collects what the report of a registration shows. */
export function buildReport(input: BuildReportInput): RegistrationReport {
  const { stack, found, reportImages, options, parameters, versions, truth, warnings, timings } = input;
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
    ...chartData(stack, found, truth),
    reason: drift.remark,
    loopOutliers: loopOutliers(found, options.start),
    images: reportImages,
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
  return out;
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
