import { axisTitle } from './chartChannels.js';
import { decimals, keepUnits, significant, whole } from './formatNumbers.js';
import { escapeText, Html, html } from './html.js';
import { PAGE_STYLE } from './pageStyle.js';
import type { PairStatistics } from './pairStatistics.js';
import type { Figure } from './renderChart.js';
import type { ReportSummary } from './summary.js';
import { outlierTable, timingTable, unusedTable, valueTable } from './tables.js';
import type { RegistrationReport } from './types.js';

/** The figures of the report, by their place. Those that a report has no data for are absent. */
export interface ReportFigures {
  readonly drift: Figure;
  readonly quality: Figure;
  readonly weights?: Figure | undefined;
  readonly residuals?: Figure | undefined;
  readonly histogram?: Figure | undefined;
  readonly distance?: Figure | undefined;
  readonly before: readonly Figure[];
  readonly after: readonly Figure[];
  readonly pattern?: Figure | undefined;
}

function figure({ inline }: Figure, caption: Html | string, kind = ''): Html {
  return html`<figure${kind ? new Html(` class="${kind}"`) : ''}>${inline}<figcaption>${typeof caption === 'string' ? keepUnits(caption) : caption}</figcaption></figure>\n`;
}

function header(report: RegistrationReport, { figures, sentences }: ReportSummary): Html {
  const { title, input, finishedAt, versions, warnings } = report;
  const day = finishedAt.toISOString().slice(0, 16).replace('T', ' ');
  const version = versions.leemlab ? ` · leemlab ${versions.leemlab}` : '';
  const alerts =
    warnings.length === 0
      ? ''
      : html`<section class="warnings"><b>${warnings.length === 1 ? 'One warning' : `${warnings.length} warnings`}</b><ul>${warnings.map((text) => html`<li>${keepUnits(text)}</li>`)}</ul></section>`;
  return html`<header><h1>Registration of ${title}</h1>
<p class="subtitle">${input.path} · ${input.format}, ${whole(input.frames)} × ${input.height} × ${input.width} ${input.pixelType} · ${day} UTC${version}</p></header>
<section class="figures">${figures.map(([what, value, remark]) => html`<div><span>${what}</span><b>${value}</b><span>${remark}</span></div>`)}</section>
<section>${sentences.map((sentence) => html`<p>${sentence}</p>`)}</section>
${alerts}`;
}

function driftSection(report: RegistrationReport, figures: ReportFigures): Html {
  const marks = report.used.includes(0)
    ? ' Hollow points on a tinted line: the frame was not used, its drift was interpolated.'
    : '';
  const lower = report.truth
    ? 'Below: what is left when the true drift is taken off, after the mean difference. '
    : 'Below: the drift without its trend (a running median of 15 frames), where jitter and error bars can be compared. ';
  return html`<section><h2>Drift</h2>
${figure(figures.drift, `Where the sample lies in each frame, relative to the first registered one; bars are one standard error. ${lower}${marks}`)}
${figure(figures.quality, 'Standard error of each frame’s drift, and the weight with which the frame takes part.')}</section>`;
}

function imageSection(report: RegistrationReport, { before, after, pattern }: ReportFigures): Html {
  const captions = [
    'first registered frame',
    'last registered frame',
    report.images.meanOf ? `mean of ${whole(report.images.meanOf)} frames` : 'mean of all frames',
  ];
  const outlines = [
    report.aperture ? 'yellow line: edge of the field of view' : '',
    report.window ? 'dashed: the window in which the frames were compared' : '',
  ].filter(Boolean);
  const note = outlines.length > 0 ? ` In the mean, ${outlines.join('; ')}.` : '';
  const row = (images: readonly Figure[]) =>
    html`<div class="images">${images.map((image, k) => figure(image, captions[k]))}</div>`;
  return html`<section><h2>Images</h2>
<h3>Before</h3>${row(before)}
<h3>After</h3>${row(after)}
<p class="note">Grey values reach from the 0.5 to the 99.5 percentile and are the same before and after. Hatched: not measured.${note}</p>
${
  pattern && report.pattern
    ? html`<h3>Pattern that stands still on the detector</h3>${figure(pattern, `Sensitivity relative to the mean, ${significant(100 * report.pattern.rms, 2)} % rms. Hatched: outside the field of view.`, 'single')}`
    : ''
}</section>`;
}

function pairSection(report: RegistrationReport, pairs: PairStatistics, figures: ReportFigures): Html {
  const { weights, residuals, histogram, distance } = figures;
  if (!weights || !residuals || !histogram) return html`<section><h2>Pairs</h2><p>No pair of frames took part.</p></section>`;
  const outside = pairs.outside > 0 ? ` ${whole(pairs.outside)} pairs lie outside.` : '';
  const rms = `Residuals of ${whole(pairs.count)} pairs: ${significant(pairs.rmsRows, 2)} px rms in rows, ${significant(pairs.rmsColumns, 2)} px in columns; length ${significant(pairs.median, 2)} px in the median, ${significant(pairs.percentile95, 2)} px at 95 %.`;
  return html`<section><h2>Pairs</h2>
<p>Every pair of frames gives a shift; the drift is what fits all of them best. ${keepUnits(rms)} Residuals show contradictions between pairs, not the error of the drift: noise of a frame enters all its pairs alike.</p>
<div class="pair">${figure(weights, 'Weight of every pair: height of the correlation peak, normalized. Hatched: not used.')}${figure(residuals, 'Length of the residual: measured shift against the drift found; the brightest color also stands for all above. Hatched: not used.')}</div>
${figure(histogram, `How many pairs have which residual.${outside}`)}
${distance ? figure(distance, `Residual of pairs whose frames lie so far apart in ${report.axis.label.toLowerCase()}: contrast that changes shows as a rise.`) : ''}
<h3>Contradictions</h3>${outlierTable(report)}</section>`;
}

function dataSection(report: RegistrationReport): Html {
  const { parameters, versions, timings, peakRssBytes } = report;
  const memory =
    peakRssBytes === undefined ? '' : html`<p class="note">Peak memory ${decimals(peakRssBytes / 2 ** 20, 0)} MiB.</p>`;
  return html`<section><h2>How it was made</h2><div class="tables">
<div><h3>Parameters</h3>${valueTable(parameters)}</div>
<div><h3>Time</h3>${timingTable(timings)}${memory}<h3>Versions</h3>${valueTable(versions)}</div></div></section>`;
}

/** The whole page. Everything from the data is escaped. */
export function reportPage(
  report: RegistrationReport,
  summary: ReportSummary,
  pairs: PairStatistics,
  figures: ReportFigures,
): string {
  const body = html`<main>${header(report, summary)}
${driftSection(report, figures)}
${imageSection(report, figures)}
<section><h2>Frames not used or doubtful</h2>${unusedTable(report)}</section>
${pairSection(report, pairs, figures)}
${dataSection(report)}
<footer class="note">Drift by frame: drift.csv (${axisTitle(report.axis)}, pixels). Method: T. A. de Jong et al., Ultramicroscopy 213 (2020) 112913. Every figure is a file in the folder figures.</footer></main>`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(`Registration of ${report.title}`)}</title><style>${PAGE_STYLE}</style></head>
<body>${body.text}</body></html>
`;
}
