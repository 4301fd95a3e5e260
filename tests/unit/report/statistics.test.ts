import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SEQUENTIAL } from '../../../src/report/colors.js';
import { driftError } from '../../../src/report/driftError.js';
import { axisDecimals, decimals, keepUnits, length, significant } from '../../../src/report/formatNumbers.js';
import { escapeText, Html, html } from '../../../src/report/html.js';
import { matrixTicks } from '../../../src/report/matrixFigure.js';
import { pairStatistics } from '../../../src/report/pairStatistics.js';
import { median, niceBelow, niceTicks, runningMedian } from '../../../src/report/statistics.js';
import { GREYS } from '../../../src/stack/palettePng.js';
import { percentileContrast, shrinkImage } from '../../../src/stack/pngImage.js';
import { quantile } from '../../../src/stack/quantile.js';
import { fakeReport } from './fakeReport.js';

describe('driftError', () => {
  const line = (slope: number) => Float64Array.from({ length: 10 }, (_, n) => slope * n);
  const truth = { rows: line(1), columns: line(-2) };

  test('an offset is no error', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: -50, max: 50, noNaN: true }), (a, b) => {
        const found = { rows: truth.rows.map((v) => v + a), columns: truth.columns.map((v) => v + b) };
        expect(driftError(found, truth).max).toBeLessThan(1e-9);
      }),
    );
  });

  test('a single wrong frame, taken out of the offset, is off by what it is off by', () => {
    const rows = truth.rows.map((v, n) => (n === 4 ? v + 3 : v));
    const columns = truth.columns.map((v, n) => (n === 4 ? v - 4 : v));
    const used = Uint8Array.from(rows, (_, n) => (n === 4 ? 0 : 1));
    const error = driftError({ rows, columns }, truth, { used });
    expect(error.distance[4]).toBeCloseTo(5, 12);
    expect(error.max).toBeCloseTo(5, 12);
    expect(error.median).toBeCloseTo(0, 12);
    expect(error.rms).toBeCloseTo(Math.sqrt(25 / 20), 12);
    expect(error.within3Sigma).toBeNaN();
  });

  test('the share within three sigma counts coordinates of known sigma', () => {
    const rows = truth.rows.map((v, n) => v + (n % 2 ? 1 : -1));
    const sigma = { rows: new Float64Array(10).fill(0.5), columns: new Float64Array(10).fill(0.01) };
    sigma.rows[0] = 0.2;
    sigma.columns[1] = Number.POSITIVE_INFINITY;
    expect(driftError({ rows, columns: truth.columns }, truth, { sigma }).within3Sigma).toBeCloseTo(18 / 19, 12);
  });

  test('refuses other lengths', () => {
    expect(() => driftError(truth, { rows: line(1).slice(1), columns: line(1) })).toThrow(
      "driftError(): 'truth' must have 10 rows and columns, as 'found', got 9",
    );
  });
});

test('pairStatistics recovers known residuals and the distances of their frames', () => {
  const base = fakeReport({ frames: 3, size: 24 });
  const m = 3;
  const pairs = {
    frames: [0, 1, 2],
    weights: Float32Array.from([9, 0.5, 0.5, 9, 9, 0, 9, 9, 9]),
    residualRows: Float32Array.from([9, 3, 0, 9, 9, 5, 9, 9, 9]),
    residualColumns: Float32Array.from([9, 4, 1, 9, 9, 5, 9, 9, 9]),
  };
  expect(pairs.weights).toHaveLength(m * m);
  const axis = { values: Float64Array.from([0, 1, 10]), unit: 'eV', label: 'Energy' };
  const found = pairStatistics({ ...base, pairs, axis });
  expect(found.count).toBe(2);
  expect(found.rmsRows).toBeCloseTo(Math.sqrt(4.5), 6);
  expect(found.rmsColumns).toBeCloseTo(Math.sqrt(8.5), 6);
  expect(found.median).toBeCloseTo(3, 6);
  expect(found.histogram.reduce((sum, bin) => sum + bin.rows, 0)).toBe(2);
  expect(found.byDistance.map(({ median: value }) => value)).toEqual([5, 1]);
  expect(found.byDistance[1].distance).toBeCloseTo(10, 0);
});

test('quantiles and medians', () => {
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
  expect(quantile([1, 2], 1)).toBe(2);
  expect(quantile([], 0.5)).toBeNaN();
  expect(median([3, Number.NaN, 1, Number.POSITIVE_INFINITY, 2])).toBe(2);
  expect(Array.from(runningMedian(Float64Array.from([0, 0, 9, 0, 0]), 1))).toEqual([0, 0, 0, 0, 0]);
});

test('nice numbers', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
      const nice = niceBelow(value);
      expect(nice).toBeLessThanOrEqual(value * (1 + 1e-9));
      expect(nice).toBeGreaterThan(value / 2.5001);
      expect(nice.toExponential()).toMatch(/^[125]e/);
    }),
  );
  expect(niceTicks(-4, 19.9, 6)).toEqual([0, 5, 10, 15]);
  expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(niceTicks(2, 2, 5)).toEqual([2]);
});

test('the ticks of a matrix stand where the frame of that energy stands', () => {
  const report = fakeReport({ frames: 240, size: 24 });
  const { ticks, title } = matrixTicks(report);
  expect(title).toBe('Energy (eV)');
  expect(ticks.map(({ text }) => text)).toEqual(['0', '5', '10', '15']);
  const values = Array.from(report.pairs.frames, (n) => report.axis.values[n]);
  for (const { at, text } of ticks) {
    const near = values[Math.min(values.length - 1, Math.floor(at))];
    expect(Math.abs(near - Number(text))).toBeLessThan(0.21);
  }
});

test('numbers for people', () => {
  expect([decimals(-0.001, 2), decimals(-2.5, 1), decimals(Number.POSITIVE_INFINITY, 2), decimals(Number.NaN, 2)]).toEqual([
    '0.00',
    '−2.5',
    '∞',
    '–',
  ]);
  expect([0.05234, 12.44, 1250.4, 0, 99.95].map((value) => significant(value))).toEqual([
    '0.0523',
    '12.4',
    '1,250',
    '0',
    '100.0',
  ]);
  expect([length(500), length(2140), length(5000, 1)]).toEqual(['500 nm', '2.14 µm', '5 µm']);
  expect(axisDecimals([1, 2, 3])).toBe(0);
  expect(axisDecimals([-4, Math.fround(-3.9), Math.fround(19.9)])).toBe(1);
  expect(axisDecimals([0.123456])).toBe(3);
  expect(keepUnits('0.1 px and 5 pxs, 3 %')).toBe('0.1\u00a0px and 5 pxs, 3\u00a0%');
});

test('html escapes everything that is not Html', () => {
  expect(html`<p title="${'"a"'}">${'<b>'}${new Html('<i>')}${[1, '&']}${undefined}</p>`.text).toBe(
    '<p title="&quot;a&quot;">&lt;b&gt;<i>1&amp;</p>',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeText(text);
      expect(escaped).not.toMatch(/[<>"']/);
      expect(Array.from(escaped).every((character) => character >= ' ' || character === '\n' || character === '\t')).toBe(true);
    }),
  );
});

test('shrinking takes means of the measured pixels', () => {
  const pixels = Float32Array.from([1, 3, Number.NaN, 5, 7, Number.NaN, Number.NaN, Number.NaN, 9]);
  const small = shrinkImage({ pixels, height: 3, width: 3 }, 2);
  expect(small).toMatchObject({ height: 2, width: 2, factor: 2 });
  expect(Array.from(small.pixels)).toEqual([4, Number.NaN, Number.NaN, 9]);
  expect(percentileContrast({ pixels: new Float32Array(4).fill(7), height: 2, width: 2 })).toEqual({ low: 6.5, high: 7.5 });
  expect(percentileContrast({ pixels: new Float32Array(4).fill(Number.NaN), height: 2, width: 2 })).toEqual({
    low: -0.5,
    high: 0.5,
  });
});

test('the color scales rise steadily in lightness', () => {
  for (const colors of [SEQUENTIAL, GREYS]) {
    expect(colors).toHaveLength(255);
    const lightness = colors.map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    expect(lightness.every((value, k) => k === 0 || value > lightness[k - 1] - 0.5)).toBe(true);
  }
});
