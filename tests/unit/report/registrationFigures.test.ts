import { describe, expect, test } from 'vitest';
import { type DriftTable, driftSvg, type PairTable, pairWeightsSvg, qualitySvg, type StackAxis } from '../../../src/index.js';

const COUNT = 8;
const axis: StackAxis = { kind: 'energy', unit: 'eV', values: Float64Array.from({ length: COUNT }, (_, n) => n / 2) };
const values = (at: (n: number) => number): Float64Array => Float64Array.from({ length: COUNT }, (_, n) => at(n));
const drift: DriftTable = {
  row: values((n) => 0.5 * n),
  column: values((n) => -n),
  sigmaRow: values((n) => (n === 3 ? Number.POSITIVE_INFINITY : 0.1)),
  sigmaColumn: values(() => 0.2),
  weight: values(() => 0.6),
  used: Uint8Array.from({ length: COUNT }, (_, n) => (n === 3 ? 0 : 1)),
  remark: new Array(COUNT).fill(''),
  doubtful: new Uint8Array(COUNT),
};
const pairs: PairTable = {
  count: COUNT,
  shiftRow: new Float32Array(COUNT ** 2),
  shiftColumn: new Float32Array(COUNT ** 2),
  weight: Float32Array.from({ length: COUNT ** 2 }, (_, at) => (at % COUNT) / COUNT),
};
const short: StackAxis = { ...axis, values: axis.values.slice(1) };

describe('figures of a registration', () => {
  test('the drift, with the running median below it', async () => {
    const svg = await driftSvg(drift, axis);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    for (const words of ['Energy (eV)', 'drift (px)', 'drift − trend (px)', 'rows (+ down)', 'columns (+ right)'])
      expect(svg).toContain(words);
    expect(svg).not.toContain('true drift');
  });

  test('with a truth, the difference to it', async () => {
    const svg = await driftSvg(drift, axis, { truth: { rows: drift.row, columns: drift.column } });
    expect(svg).toContain('true drift');
    expect(svg).toContain('found − true (px)');
  });

  test('standard error and weight; without energies the axis counts frames', async () => {
    const svg = await qualitySvg(drift, { ...axis, kind: 'frame', unit: '' });
    for (const words of ['standard error (px)', 'weight', '>Frame<']) expect(svg).toContain(words);
  });

  test('the weights of the pairs, with the axis of the frames that were compared', () => {
    const all = pairWeightsSvg(pairs, axis);
    expect(all).toContain('Energy (eV)');
    expect(pairWeightsSvg(pairs, axis, { minWeight: 0.9 })).not.toBe(all);
    const wide = { ...axis, values: Float64Array.from({ length: 100 }, (_, n) => n) };
    const spread = pairWeightsSvg(pairs, wide, { frames: Array.from({ length: COUNT }, (_, m) => 10 * m) });
    expect(spread).toContain('>60<');
  });

  test('an axis of another length is a ShapeError', async () => {
    await expect(driftSvg(drift, short)).rejects.toMatchObject({
      tag: 'ShapeError',
      message: "driftSvg(): 'axis' must have 8 values, one a frame of 'drift', got 7",
    });
    await expect(qualitySvg(drift, short)).rejects.toThrow("qualitySvg(): 'axis' must have 8 values");
    expect(() => pairWeightsSvg(pairs, short)).toThrow("pairWeightsSvg(): 'frames' must be 8 indices below 7");
  });
});
