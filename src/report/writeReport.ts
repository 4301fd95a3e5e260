import { join } from 'node:path';
import { Pace } from '../backend/pace.js';
import { ShapeError } from '../errors.js';
import { type Operation, runOperation } from '../host.js';
import { makeFolder } from '../io/partialOutput.js';
import { writeFileAtomic, writingTo } from '../io/writeFileAtomic.js';
import { percentileContrast } from '../stack/pngImage.js';
import { quantile } from '../stack/quantile.js';
import { stoppableDraw } from './drawChart.js';
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

async function imageFigures(report: RegistrationReport, pace: Pace): Promise<Pick<ReportFigures, 'before' | 'after'>> {
  const { images, pixelSizeNanometers, aperture, window } = report;
  const kinds = ['first', 'last', 'mean'] as const;
  const row = async (when: 'before' | 'after'): Promise<Figure[]> => {
    const figures: Figure[] = [];
    for (const kind of kinds) {
      await pace.next();
      const outlines = when === 'before' && kind === 'mean' ? { aperture, window } : {};
      const [a, b] = [percentileContrast(images.before[kind]), percentileContrast(images.after[kind])];
      const contrast = { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
      const label = `${kind} frame ${when} registration`;
      const options = { pixelSizeNanometers, contrast, ...outlines };
      figures.push(imageFigure(`${kind}-${when}`, label, images[when][kind], options));
    }
    return figures;
  };
  return { before: await row('before'), after: await row('after') };
}

/** Even contrast around a factor of 1. */
function patternContrast({ pixels }: ReportImage): { low: number; high: number } {
  const deviations = pixels.filter(Number.isFinite).map((value) => Math.abs(value - 1));
  const reach = quantile(deviations.sort(), 0.99) || 0.01;
  return { low: 1 - reach, high: 1 + reach };
}

async function allFigures(
  report: RegistrationReport,
  { statistics, ...charts }: ReportCharts,
  pace: Pace,
): Promise<ReportFigures> {
  const { pattern } = report;
  await pace.next();
  const pairs = statistics.count > 0 ? pairFigures(report, statistics) : {};
  return {
    ...charts,
    ...pairs,
    ...(await imageFigures(report, pace)),
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
 * @throws ShapeError if arrays differ in length; OutputError if the folder cannot be written; AbortedError when
 *   `options.signal` is aborted.
 */
export async function writeReport(
  dir: string,
  report: RegistrationReport,
  options: { readonly charts?: ReportCharts; readonly signal?: AbortSignal | undefined } = {},
): Promise<string> {
  assertLengths(report);
  const { charts, signal } = options;
  return runOperation({ label: 'Writing the report', unit: 'figures', signal }, (operation) =>
    write(dir, report, charts, operation),
  );
}

async function write(
  dir: string,
  report: RegistrationReport,
  given: ReportCharts | undefined,
  { signal, progress }: Operation,
): Promise<string> {
  const pace = new Pace(signal, 'Writing the report');
  const charts = given ?? (await reportCharts(report, stoppableDraw(signal)));
  const { statistics } = charts;
  const figures = await allFigures(report, charts, pace);
  const folder = join(dir, 'figures');
  await writingTo(folder, () => makeFolder(folder));
  const all = Object.values(figures).flat() as (Figure | undefined)[];
  const made = all.filter((figure) => figure !== undefined);
  for (const [k, { name, files }] of made.entries()) {
    await pace.next();
    progress(k, made.length);
    for (const { extension, content } of files) await writeFileAtomic(join(folder, `${name}.${extension}`), content);
  }
  const path = join(dir, 'report.html');
  await writeFileAtomic(path, reportPage(report, summarize(report, statistics), statistics, figures));
  return path;
}
