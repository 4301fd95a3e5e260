import { join } from 'node:path';
import { ShapeError } from '../errors.js';
import { makeFolder } from '../io/partialOutput.js';
import { writeFileAtomic, writingTo } from '../io/writeFileAtomic.js';
import { percentileContrast } from '../stack/pngImage.js';
import { quantile } from '../stack/quantile.js';
import { imageFigure } from './imageFigure.js';
import { matrixFigure, symmetricImage } from './matrixFigure.js';
import { type ReportFigures, reportPage } from './page.js';
import type { PairStatistics } from './pairStatistics.js';
import type { Figure } from './renderChart.js';
import { type ReportCharts, reportCharts } from './reportCharts.js';
import { summarize } from './summary.js';
import type { RegistrationReport, ReportImage } from './types.js';

function assertLengths(report: RegistrationReport): void {
  const count = report.used.length;
  const perFrame: Record<string, ArrayLike<unknown>> = {
    frame: report.frame,
    'axis.values': report.axis.values,
    'drift.rows': report.drift.rows,
    'drift.columns': report.drift.columns,
    'sigma.rows': report.sigma.rows,
    'sigma.columns': report.sigma.columns,
    weight: report.weight,
    reason: report.reason,
    ...(report.truth ? { 'truth.rows': report.truth.rows, 'truth.columns': report.truth.columns } : {}),
  };
  for (const [name, values] of Object.entries(perFrame)) {
    if (values.length !== count)
      throw new ShapeError(`writeReport(): '${name}' must have ${count} values, one a frame, got ${values.length}`);
  }
  const { frames, ...matrices } = report.pairs;
  for (const [name, values] of Object.entries(matrices)) {
    if (values.length !== frames.length ** 2)
      throw new ShapeError(
        `writeReport(): 'pairs.${name}' must be [${frames.length}, ${frames.length}], got ${values.length} values`,
      );
  }
}

function pairFigures(report: RegistrationReport, statistics: PairStatistics): Pick<ReportFigures, 'weights' | 'residuals'> {
  const { frames, weights, residualRows, residualColumns } = report.pairs;
  const weightImage = symmetricImage(frames.length, (at) => (weights[at] > 0 ? weights[at] : Number.NaN));
  const residualImage = symmetricImage(frames.length, (at) =>
    weights[at] > 0 ? Math.hypot(residualRows[at], residualColumns[at]) : Number.NaN,
  );
  // Ten times the median at most: a few wild pairs must not turn the rest into one color.
  const high = Math.min(percentileContrast(residualImage, 0, 99).high, 10 * statistics.median) || 1;
  return {
    weights: matrixFigure(report, 'weights', 'weight', weightImage, { low: 0, high: 1 }),
    residuals: matrixFigure(report, 'residuals', 'residual (px)', residualImage, { low: 0, high }),
  };
}

function imageFigures(report: RegistrationReport): Pick<ReportFigures, 'before' | 'after'> {
  const { images, pixelSizeNanometers, aperture, window } = report;
  const kinds = ['first', 'last', 'mean'] as const;
  const row = (when: 'before' | 'after') =>
    kinds.map((kind) => {
      const outlines = when === 'before' && kind === 'mean' ? { aperture, window } : {};
      const [a, b] = [percentileContrast(images.before[kind]), percentileContrast(images.after[kind])];
      const contrast = { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
      const label = `${kind} frame ${when} registration`;
      return imageFigure(`${kind}-${when}`, label, images[when][kind], { pixelSizeNanometers, contrast, ...outlines });
    });
  return { before: row('before'), after: row('after') };
}

/** Even contrast around a factor of 1. */
function patternContrast({ pixels }: ReportImage): { low: number; high: number } {
  const deviations = pixels.filter(Number.isFinite).map((value) => Math.abs(value - 1));
  const reach = quantile(deviations.sort(), 0.99) || 0.01;
  return { low: 1 - reach, high: 1 + reach };
}

function allFigures(report: RegistrationReport, { statistics, ...charts }: ReportCharts): ReportFigures {
  const { pattern } = report;
  return {
    ...charts,
    ...(statistics.count > 0 ? pairFigures(report, statistics) : {}),
    ...imageFigures(report),
    pattern: pattern && imageFigure('pattern', 'fixed pattern', pattern.image, { contrast: patternContrast(pattern.image) }),
  };
}

/**
 * Writes `report.html`, which needs no other file, and its figures as SVG and PNG into `figures`. The report comes last,
 * so that it never stands without its figures.
 *
 * @param dir folder, made where it is not there; files of the same names are replaced.
 * @param report what the registration found; arrays are only read.
 * @param options.charts the report's charts where they were drawn before; default: drawn here.
 * @returns the path of the report.
 * @throws ShapeError if arrays differ in length; OutputError if the folder cannot be written.
 */
export async function writeReport(
  dir: string,
  report: RegistrationReport,
  options: { readonly charts?: ReportCharts } = {},
): Promise<string> {
  assertLengths(report);
  const charts = options.charts ?? (await reportCharts(report));
  const { statistics } = charts;
  const figures = allFigures(report, charts);
  const folder = join(dir, 'figures');
  await writingTo(folder, () => makeFolder(folder));
  const all = Object.values(figures).flat() as (Figure | undefined)[];
  for (const { name, files } of all.filter((figure) => figure !== undefined)) {
    for (const { extension, content } of files) await writeFileAtomic(join(folder, `${name}.${extension}`), content);
  }
  const path = join(dir, 'report.html');
  await writeFileAtomic(path, reportPage(report, summarize(report, statistics), statistics, figures));
  return path;
}
