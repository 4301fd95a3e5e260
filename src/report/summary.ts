import { type DriftError, driftError } from './driftError.js';
import { decimals, keepUnits, length, significant, whole } from './formatNumbers.js';
import type { PairStatistics } from './pairStatistics.js';
import { median } from './statistics.js';
import type { RegistrationReport } from './types.js';

/** What the report says first. */
export interface ReportSummary {
  /** Large numbers: [what, value, remark]. */
  readonly figures: readonly (readonly [string, string, string])[];
  readonly sentences: readonly string[];
  /** The distance to the truth, where it is known. */
  readonly error: DriftError | undefined;
}

interface TotalDrift {
  readonly row: number;
  readonly column: number;
  readonly distance: number;
}

function totalDrift({ drift, used }: RegistrationReport): TotalDrift {
  const first = used.indexOf(1);
  const last = used.lastIndexOf(1);
  const row = drift.rows[last] - drift.rows[first];
  const column = drift.columns[last] - drift.columns[first];
  return { row, column, distance: first < last ? Math.hypot(row, column) : Number.NaN };
}

function onSample(pixels: number, pixelSize: number | undefined, digits = 3): string {
  return pixelSize && Number.isFinite(pixels) ? length(pixels * pixelSize, digits) : '';
}

function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

function framesSentence({ used, reason, input }: RegistrationReport): string {
  const count = used.length;
  const registered = used.reduce((sum, flag) => sum + flag, 0);
  const doubtful = reason.filter((text, n) => text !== '' && used[n] === 1).length;
  const rest = count - registered;
  const were = registered === 1 ? 'was' : 'were';
  const start = rest === 0 && count > 1 ? `All ${whole(count)} frames` : `${whole(registered)} of ${plural(count, 'frame')}`;
  const interpolated = rest === 0 ? '' : `; the drift of the other ${rest === 1 ? 'one' : whole(rest)} was interpolated`;
  const doubts = doubtful === 0 ? '' : `; ${plural(doubtful, 'registered frame is', 'registered frames are')} doubtful`;
  const part = count < input.frames ? ` (of ${whole(input.frames)} in the input)` : '';
  return `${start}${part} ${were} registered${interpolated}${doubts}.`;
}

function driftSentence(report: RegistrationReport): string {
  const { row, column, distance } = totalDrift(report);
  if (!Number.isFinite(distance)) return 'No drift could be found: fewer than two frames were registered.';
  const size = onSample(distance, report.pixelSizeNanometers);
  const words = `From the first to the last registered frame the sample moved by ${decimals(row, 2)} px in rows and ${decimals(column, 2)} px in columns`;
  return `${words}: ${decimals(distance, 1)} px${size && `, ${size}`}.`;
}

function sigmaSentence({ sigma, pixelSizeNanometers }: RegistrationReport): string {
  const [rows, columns] = [median(sigma.rows), median(sigma.columns)];
  if (!Number.isFinite(rows)) return 'The error of the drift is unknown.';
  const size = onSample(Math.hypot(rows, columns) / Math.SQRT2, pixelSizeNanometers, 2);
  return `Half of the frames have a standard error below ${significant(rows, 2)} px in rows and ${significant(columns, 2)} px in columns${size && ` (about ${size})`}.`;
}

function truthSentence(error: DriftError): string {
  const within = Number.isFinite(error.within3Sigma)
    ? `; ${decimals(100 * error.within3Sigma, 1)} % of the coordinates lie within three standard errors`
    : '';
  return `The true drift is known: the found one is ${significant(error.median)} px off in the median, ${significant(error.percentile95)} px at 95 %, ${significant(error.max)} px at most (after the mean difference was taken off)${within}.`;
}

function patternSentence({ pattern }: RegistrationReport): string | undefined {
  if (!pattern) return undefined;
  const size = `${significant(100 * pattern.rms, 2)} % rms`;
  return pattern.used
    ? `A pattern that stands still on the detector was found (${size}) and divided out before the frames were compared.`
    : `A pattern that stands still on the detector was found (${size}); it was left in.`;
}

function apertureSentence({ aperture, window }: RegistrationReport): string | undefined {
  const { disc, mask } = aperture ?? {};
  const inside = window ? ` The frames were compared in a window of ${window.size} px.` : '';
  if (disc) {
    return `The field of view is round: radius ${decimals(disc.radius, 0)} px around row ${decimals(disc.row, 0)}, column ${decimals(disc.column, 0)}.${inside}`;
  }
  if (mask) {
    const valid = mask.pixels.reduce((sum, value) => sum + (value > 0 ? 1 : 0), 0);
    return `${decimals((100 * valid) / mask.pixels.length, 1)} % of the detector is valid.${inside}`;
  }
  return inside.trim() || undefined;
}

/** The numbers and sentences at the top of the report; all of them follow from the data. */
export function summarize(report: RegistrationReport, pairs: PairStatistics): ReportSummary {
  const { used, sigma, drift, truth, timings } = report;
  const error = truth && driftError(drift, truth, { used, sigma });
  const total = totalDrift(report);
  const registered = used.reduce((sum, flag) => sum + flag, 0);
  const components = Number.isFinite(total.distance) ? `${decimals(total.row, 1)} down, ${decimals(total.column, 1)} right` : '';
  const figures: [string, string, string][] = [
    ['frames registered', whole(registered), `of ${whole(used.length)}`],
    [
      'total drift',
      Number.isFinite(total.distance) ? `${decimals(total.distance, 1)} px` : '–',
      onSample(total.distance, report.pixelSizeNanometers) || components,
    ],
    [
      'standard error',
      `${significant(median(sigma.rows), 2)} px`,
      `median, rows; columns ${significant(median(sigma.columns), 2)} px`,
    ],
    ['pairs used', whole(pairs.count), Number.isFinite(pairs.median) ? `median residual ${significant(pairs.median, 2)} px` : ''],
  ];
  if (error)
    figures.push([
      'distance to the truth',
      `${significant(error.median, 2)} px`,
      `median; at most ${significant(error.max, 2)} px`,
    ]);
  else if (timings.total !== undefined) figures.push(['time', `${significant(timings.total, 3)} s`, '']);
  const sentences = [
    framesSentence(report),
    driftSentence(report),
    sigmaSentence(report),
    error && truthSentence(error),
    patternSentence(report),
    apertureSentence(report),
    ...report.findings,
  ].filter((sentence) => sentence !== undefined);
  return {
    figures: figures.map(([what, value, remark]) => [what, keepUnits(value), keepUnits(remark)]),
    sentences: sentences.map(keepUnits),
    error,
  };
}
