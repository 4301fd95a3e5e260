import type { BenchAccuracyResult } from './benchAccuracy.js';
import type { BenchRegistrationResult, OwnRun, PeerRun } from './benchRegistration.js';
import type { DriftErrorNumbers } from './driftErrorNumbers.js';
import { formatCount } from './format.js';

const pixels = (value: number): string => (value < 0.01 ? value.toFixed(5) : value.toFixed(3));
const times = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(2));

function table(rows: readonly (readonly [string, number, string?])[]): string[] {
  return rows.map(([name, seconds, remark = '']) =>
    `  ${name.padEnd(26)} ${seconds.toFixed(2).padStart(9)} s  ${remark}`.trimEnd(),
  );
}

function describeError({ median, percentile95, max }: DriftErrorNumbers): string {
  return `error median ${pixels(median)}, 95 % ${pixels(percentile95)}, max ${pixels(max)} px`;
}

function describeOwn(run: OwnRun): string[] {
  const { seconds, pairs, coarseBand, bareSeconds, pairStep } = run;
  const side = 2 * coarseBand;
  const each = (total: number): string => `${((1000 * total) / pairs).toFixed(4)} ms a pair`;
  return [
    ...table([
      ['aperture, bad pixels', seconds.survey],
      ['fixed pattern', seconds.pattern, run.patternRemark],
      ['filter', seconds.filter, `band ${run.band} cycles a window`],
      ['correlate', seconds.correlate, `products, inverse FFTs of ${side} × ${side}, peak search; ${each(seconds.correlate)}`],
      ['refinement', seconds.refine, each(seconds.refine)],
      ['solve', seconds.solve, 'with standard errors'],
      ['total', seconds.total, 'frames in memory to drift'],
      ['  without the first two', seconds.toDrift],
      ['pair step, measured apart', pairStep.all, each(pairStep.all)],
      ['  bare inverse FFTs', pairStep.transform, `${formatCount(pairs)} with the same kernel, ${each(pairStep.transform)}`],
      ['  products', pairStep.multiply - pairStep.transform, 'by difference'],
      ['  peak search', pairStep.all - pairStep.multiply, 'by difference'],
      ['TensorFlow inverse FFTs', bareSeconds, `bare, in batches of 64, ${each(bareSeconds)}`],
    ]),
    `  pair step / bare inverse FFTs: ${times(run.pairStepRatio)} (TensorFlow's: ${times(run.pairStepRatioTensorflow)})`,
    `  ${describeError(run.error)}`,
  ];
}

function describePeer({ seconds, error }: PeerRun): string[] {
  return [
    ...table([
      ['filter', seconds.filter],
      ['correlate, peak search', seconds.correlate],
      ['solve', seconds.solve],
      ['total', seconds.total],
    ]),
    `  ${describeError(error)}`,
  ];
}

/** The report of `leem bench registration`, line by line. */
export function describeRegistration(result: BenchRegistrationResult): string[] {
  const { own, peer, windowSize, sigma, frameSize, backend } = result;
  const lines = [
    `${own.frames} simulated frames of ${frameSize.join(' × ')}, window ${windowSize}, sigma ${sigma}, ${formatCount(own.pairs)} pairs, backend ${backend}`,
    ...describeOwn(own),
  ];
  if (!peer) return lines;
  if (peer.own !== own)
    lines.push('', `the same for ${peer.own.frames} of these frames, evenly spread`, ...describeOwn(peer.own));
  lines.push('', `LEEM-analysis on the same ${peer.run.frames} frames`, ...describePeer(peer.run));
  lines.push(`  takes ${times(peer.ratio)} times as long as leemlab (${times(peer.ratioToDrift)} without aperture and pattern)`);
  if (peer.extrapolated) {
    const { frames, seconds, ratio, ratioToDrift } = peer.extrapolated;
    lines.push(
      `  for ${frames} frames: ${seconds.toFixed(0)} s, EXTRAPOLATED (filter by N, correlation and solve by N²), ${times(ratio)} times as long (${times(ratioToDrift)})`,
    );
  }
  return lines;
}

/** The report of `leem bench accuracy`, line by line. */
export function describeAccuracy(result: BenchAccuracyResult): string[] {
  const row = (cells: readonly string[], program: string): string =>
    `${cells.map((cell, k) => cell.padStart(k < 2 ? 7 : 10)).join('')}  ${program}`;
  const line = (noise: number, sigma: number, { rows, columns }: DriftErrorNumbers, program: string): string =>
    row([noise.toFixed(2), String(sigma), ...[rows.mean, rows.max, columns.mean, columns.max].map(pixels)], program);
  const lines = [
    `annulus, ${result.frames} frames of ${result.size}², window ${result.windowSize}, backend ${result.backend}; errors in pixels`,
    row(['A', 'sigma', 'row mean', 'max', 'col mean', 'max'], '').trimEnd(),
  ];
  for (const { noise, sigma, own, peer } of result.rows) {
    lines.push(line(noise, sigma, own, 'leemlab'));
    if (peer) lines.push(line(noise, sigma, peer, 'LEEM-analysis'));
  }
  for (const { noise, own, peer } of result.best) {
    const mean = (error: DriftErrorNumbers): string => pixels((error.rows.mean + error.columns.mean) / 2);
    const theirs = peer?.peer ? `; LEEM-analysis at its best, sigma ${peer.sigma}: ${mean(peer.peer)}` : '';
    lines.push(`A = ${noise}: mean error at the best sigma (${own.sigma}): ${mean(own.own)}${theirs}`);
  }
  return lines;
}
