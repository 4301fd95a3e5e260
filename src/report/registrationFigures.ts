import { ShapeError } from '../errors.js';
import { runOperation } from '../host.js';
import type { DriftTable, PairTable } from '../registration/index.js';
import type { StackAxis } from '../stack/index.js';
import { type DrawChart, stoppableDraw } from './drawChart.js';
import { driftChart } from './driftChart.js';
import { matrixFigure, symmetricImage } from './matrixFigure.js';
import { qualityChart } from './qualityChart.js';
import type { Figure } from './renderChart.js';
import type { FrameChartData, RegistrationReport, RowsAndColumns } from './types.js';

const AXIS_LABELS: Readonly<Record<StackAxis['kind'], string>> = { energy: 'Energy', time: 'Time', frame: 'Frame' };

function reportAxis({ kind, unit, values }: StackAxis): RegistrationReport['axis'] {
  return { values, unit, label: AXIS_LABELS[kind] };
}

function chartData(name: string, drift: DriftTable, axis: StackAxis, truth?: RowsAndColumns): FrameChartData {
  const count = drift.row.length;
  if (axis.values.length !== count) {
    throw new ShapeError(`${name}(): 'axis' must have ${count} values, one a frame of 'drift', got ${axis.values.length}`);
  }
  return {
    axis: reportAxis(axis),
    drift: { rows: drift.row, columns: drift.column },
    sigma: { rows: drift.sigmaRow, columns: drift.sigmaColumn },
    weight: drift.weight,
    used: drift.used,
    truth,
  };
}

/** A chart's SVG, drawn until the host stops it. */
function drawing(chart: (draw: DrawChart) => Promise<Figure>): Promise<string> {
  return runOperation({ label: 'Drawing' }, async ({ signal }) => svgOf(await chart(stoppableDraw(signal))));
}

function svgOf({ files }: Figure): string {
  return String(files.find(({ extension }) => extension === 'svg')?.content);
}

/**
 * The drift of every frame against the axis with its standard errors; below, how far it lies from the true drift or, where
 * that is not known, from its own running median. The same chart as in the report.
 *
 * @param drift of N frames, pixels.
 * @param axis of the stack, N values.
 * @param options.truth the known drift of a simulated series, N values each; any constant offset.
 * @returns an SVG.
 * @throws ShapeError if the numbers of frames differ.
 */
export async function driftSvg(drift: DriftTable, axis: StackAxis, options: { truth?: RowsAndColumns } = {}): Promise<string> {
  const data = chartData('driftSvg', drift, axis, options.truth);
  return drawing((draw) => driftChart(data, draw));
}

/**
 * Standard error (pixels) and mean pair weight of every frame against the axis. The same chart as in the report.
 *
 * @param drift of N frames; `axis` of the stack, N values.
 * @returns an SVG.
 * @throws ShapeError if the numbers of frames differ.
 */
export async function qualitySvg(drift: DriftTable, axis: StackAxis): Promise<string> {
  const data = chartData('qualitySvg', drift, axis);
  return drawing((draw) => qualityChart(data, draw));
}

export interface PairWeightsSvgOptions {
  /** Indices, in the stack, of the M frames of the pair table. Default: 0 to M − 1. */
  readonly frames?: readonly number[];
  /** Pairs of lower weight are left out. Default 0. */
  readonly minWeight?: number;
}

/**
 * The weights of all pairs as a picture: one square a pair, the axis on both sides, the same above and below the diagonal.
 * Pairs that are left out are hatched. The same figure as in the report.
 *
 * @param pairs table of M frames, weights 0 … 1.
 * @param axis of the stack that the frames belong to.
 * @returns an SVG.
 * @throws ShapeError if the axis has no value for one of the frames.
 */
export function pairWeightsSvg(pairs: PairTable, axis: StackAxis, options: PairWeightsSvgOptions = {}): string {
  const { minWeight = 0, frames = Array.from({ length: pairs.count }, (_, m) => m) } = options;
  if (frames.length !== pairs.count || frames.some((n) => !(n in axis.values))) {
    throw new ShapeError(
      `pairWeightsSvg(): 'frames' must be ${pairs.count} indices below ${axis.values.length}, as 'pairs' and 'axis' have, got ${frames.length} up to ${Math.max(...frames)}`,
    );
  }
  const image = symmetricImage(pairs.count, (at) => {
    const weight = pairs.weight[at];
    return weight > 0 && weight >= minWeight ? weight : Number.NaN;
  });
  const data = { axis: reportAxis(axis), frame: Array.from(axis.values, (_, n) => n), pairs: { frames } };
  return svgOf(matrixFigure(data, 'weights', 'weight', image, { low: 0, high: 1 }));
}
