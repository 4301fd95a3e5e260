import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLeemError } from '../../../src/errors.js';
import { type RegistrationReport, writeReport } from '../../../src/report/index.js';
import { fakeReport } from './fakeReport.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leem-report-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function write(name: string, report: RegistrationReport): Promise<string> {
  return readFileSync(await writeReport(join(folder, name), report), 'utf8');
}

/** The text of the page as a reader sees it, with plain spaces. */
function visibleText(page: string): string {
  return page
    .replace(/<style>.*?<\/style>/s, ' ')
    .replace(/<svg.*?<\/svg>/gs, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/[\s\u00a0]+/g, ' ');
}

/** The cells of the table behind a heading. */
function tableBehind(page: string, heading: string): string[][] {
  const body = /<tbody>(.*?)<\/tbody>/s.exec(page.slice(page.indexOf(`${heading}</h`)))?.[1] ?? '';
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) => visibleText(cell).trim()),
  );
}

describe('a report', () => {
  const data = fakeReport({ frames: 240, size: 96 });
  let page = '';
  let text = '';
  beforeAll(async () => {
    page = await write('whole', data);
    text = visibleText(page);
  });

  test('needs no other file, no script and no network', () => {
    expect(page).not.toMatch(/<script|<link|@import|\son\w+=/i);
    const addresses = [...page.matchAll(/(?:href|src)="([^"]*)"|url\(([^)]*)\)/g)].map(([, a, b]) => a ?? b);
    expect(addresses.length).toBeGreaterThan(8);
    for (const address of addresses) expect(address).toMatch(/^(data:image\/png;base64,|#)/);
  });

  test('says first what was found; every number comes from the data', () => {
    const used = Array.from(data.used);
    const registered = used.filter((flag) => flag === 1).length;
    expect(text).toContain(`${registered} of 240 frames (of 300 in the input) were registered`);
    expect(text).toContain(`the drift of the other ${240 - registered} was interpolated; 1 registered frame is doubtful.`);
    const [first, last] = [used.indexOf(1), used.lastIndexOf(1)];
    const row = data.drift.rows[last] - data.drift.rows[first];
    const column = data.drift.columns[last] - data.drift.columns[first];
    const minus = (value: number) => value.toFixed(2).replace('-', '−');
    expect(text).toContain(`moved by ${minus(row)} px in rows and ${minus(column)} px in columns`);
    const micrometers = (Math.hypot(row, column) * (data.pixelSizeNanometers ?? 0)) / 1000;
    expect(text).toContain(`${Math.hypot(row, column).toFixed(1)} px, ${micrometers.toFixed(2)} µm.`);
    const sorted = Float64Array.from(data.sigma.rows).sort();
    expect(text).toContain(`standard error below ${((sorted[119] + sorted[120]) / 2).toPrecision(2)} px in rows`);
    expect(text).toContain('found (3.4 % rms) and divided out');
    expect(text).toContain(data.findings[0]);
    const m = data.pairs.frames.length;
    let pairs = 0;
    for (let i = 0; i < m; i++) for (let j = i + 1; j < m; j++) if (data.pairs.weights[i * m + j] > 0) pairs++;
    expect(text).toContain(`Residuals of ${pairs.toLocaleString('en-US')} pairs`);
  });

  test('shows warnings, parameters, versions and timings', () => {
    expect(text).toContain('2 warnings');
    for (const warning of data.warnings) expect(text).toContain(warning);
    expect(tableBehind(page, 'Parameters')).toEqual(
      Object.entries(data.parameters).map(([name, value]) => [
        name,
        value === undefined ? 'none' : value === true ? 'yes' : String(value),
      ]),
    );
    expect(tableBehind(page, 'Versions')).toEqual(Object.entries(data.versions));
    const timings = tableBehind(page, 'Time');
    expect(timings.map(([name]) => name)).toEqual(Object.keys(data.timings));
    for (const [name, seconds] of timings) expect(Number(seconds)).toBeCloseTo(data.timings[name], 1);
    expect(text).toContain('Peak memory 1239 MiB');
  });

  test('lists every frame that was not used or is doubtful, with its numbers and the reason', () => {
    const expected = Array.from(data.used).flatMap((flag, n) => (flag === 0 || data.reason[n] !== '' ? [n] : []));
    const rows = tableBehind(page, 'Frames not used or doubtful');
    expect(rows.map(([frame]) => Number(frame))).toEqual(expected.map((n) => n + 60));
    for (const [k, n] of expected.entries()) {
      const [, energy, state, reason, drift, sigma, weight] = rows[k];
      expect(Number(energy.replace('−', '-'))).toBeCloseTo(data.axis.values[n], 2);
      expect(state).toBe(data.used[n] === 1 ? 'doubtful' : 'interpolated');
      expect(reason).toBe(data.reason[n]);
      const [row, column] = drift.replaceAll('−', '-').split(', ').map(Number);
      expect(row).toBeCloseTo(data.drift.rows[n], 1);
      expect(column).toBeCloseTo(data.drift.columns[n], 1);
      expect(Number(sigma.split(', ')[1])).toBeCloseTo(data.sigma.columns[n], 2);
      expect(Number(weight)).toBeCloseTo(data.weight[n], 2);
    }
  });

  test('lists the pairs that contradict the others, the worst first', () => {
    expect(tableBehind(page, 'Contradictions')).toEqual([
      ['80', '299', '−5.50', '4.75', '7.27', '0.16'],
      ['65', '170', '3.21', '−1.05', '3.38', '0.18'],
    ]);
  });

  test('escapes what comes from the user', () => {
    expect(page).not.toMatch(/<fake>|<low contrast>|<a & b>/);
    expect(page).toContain('leem series &lt;fake&gt; &amp; &quot;seeded&quot;');
    expect(text).toContain('<low contrast> & noise');
  });

  test('every figure is a file, and complete', () => {
    const names = readdirSync(join(folder, 'whole', 'figures')).sort();
    const images = ['first', 'last', 'mean'].flatMap((kind) => [`${kind}-after.png`, `${kind}-before.png`]);
    const charts = ['drift.svg', 'quality.svg', 'residuals-distance.svg', 'residuals-histogram.svg'];
    expect(names).toEqual(
      [...images, ...charts, 'pattern.png', 'residuals.png', 'residuals.svg', 'weights.png', 'weights.svg'].sort(),
    );
    for (const name of names.filter((n) => n.endsWith('.svg'))) {
      const svg = readFileSync(join(folder, 'whole', 'figures', name), 'utf8');
      expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg".*<\/svg>$/s);
      expect(svg).not.toContain('var(--');
      // a picture's own bytes may spell anything
      expect(svg.replace(/base64,[^"]*/g, '')).not.toContain('NaN');
    }
  });

  test('the weight matrix has a pixel for every pair, on both sides of the diagonal', () => {
    const image = decode(readFileSync(join(folder, 'whole', 'figures', 'weights.png')));
    const m = data.pairs.frames.length;
    expect([image.height, image.width]).toEqual([m, m]);
    for (const [i, j] of [
      [0, 1],
      [3, 50],
      [m - 2, m - 1],
    ]) {
      const weight = data.pairs.weights[i * m + j];
      const level = weight > 0 ? 1 + Math.round(Math.min(1, weight) * 254) : 0;
      expect(image.data[i * m + j]).toBe(level);
      expect(image.data[j * m + i]).toBe(level);
    }
    expect(image.data[0]).toBe(0);
    expect(image.palette?.[0][3]).toBe(0);
  });

  test('unmeasured pixels are transparent, measured ones rise with the value', () => {
    const image = decode(readFileSync(join(folder, 'whole', 'figures', 'first-after.png')));
    const { pixels } = data.images.after.first;
    expect(image.data.length).toBe(pixels.length);
    for (let i = 0; i < pixels.length; i++) expect(image.data[i] === 0).toBe(Number.isNaN(pixels[i]));
    const order = Array.from(pixels.keys()).filter((i) => !Number.isNaN(pixels[i]));
    order.sort((a, b) => pixels[a] - pixels[b]);
    expect(order.every((i, k) => k === 0 || image.data[i] >= image.data[order[k - 1]])).toBe(true);
  });

  test('the scale bar is as long as it says, and the outlines are where they are', () => {
    const figure = /<svg class="image"[^>]*aria-label="first frame before registration".*?<\/svg>/s.exec(page)?.[0] ?? '';
    const width = Number(/class="scale-bar"[^>]* width="([\d.]+)"/.exec(figure)?.[1]);
    const [, number, unit] = />([\d.]+) (nm|µm)<\/text>/.exec(figure) ?? [];
    const nanometers = Number(number) * (unit === 'µm' ? 1000 : 1);
    expect(width * (data.pixelSizeNanometers ?? 0)).toBeCloseTo(nanometers, 0);
    expect(width).toBeLessThan(96 * 0.3);
    const mean = /<svg class="image"[^>]*aria-label="mean frame before registration".*?<\/svg>/s.exec(page)?.[0] ?? '';
    expect(mean).toContain(`cx="48.5" cy="48.5" r="${96 * 0.47}"`);
    expect(mean).toContain('<rect x="-42" y="-42" width="180"');
  });

  test('the drift chart has a line for rows, columns and truth, and a mark for every unused frame', () => {
    const svg = readFileSync(join(folder, 'whole', 'figures', 'drift.svg'), 'utf8');
    for (const name of ['rows (+ down)', 'columns (+ right)', 'true drift', 'found − true (px)', 'Energy (eV)']) {
      expect(svg).toContain(name);
    }
    const unused = Array.from(data.used).filter((flag) => flag === 0).length;
    // in both panels
    expect(svg.match(/<line [^>]*stroke="#d9c98f"/g)).toHaveLength(2 * unused);
  });
});

describe('degenerate runs', () => {
  test('one frame, without truth, pattern, pixel size and pairs', async () => {
    const one = fakeReport({ frames: 1, size: 32, truth: false });
    const text = visibleText(
      await write('one', {
        ...one,
        pattern: undefined,
        aperture: undefined,
        window: undefined,
        pixelSizeNanometers: undefined,
        warnings: [],
      }),
    );
    expect(text).toContain('1 of 1 frame (of 61 in the input) was registered');
    expect(text).toContain('No drift could be found');
    expect(text).toContain('No pair of frames took part.');
    expect(text).not.toMatch(/NaN|undefined|warning|pattern that stands still/i);
  });

  test('equal frames: drift 0 and infinite errors', async () => {
    const base = fakeReport({ frames: 6, size: 32, truth: false });
    const same = (value: number) => ({ rows: new Float64Array(6).fill(value), columns: new Float64Array(6).fill(value) });
    const page = await write('equal', { ...base, drift: same(0), sigma: same(Number.POSITIVE_INFINITY) });
    expect(visibleText(page)).toContain('The error of the drift is unknown.');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('an axis that is repeated and not in order', async () => {
    const base = fakeReport({ frames: 6, size: 32 });
    const values = Float64Array.from([3, 1, 1, 2, 5, 4]);
    const page = await write('mixed', { ...base, axis: { values, unit: 's', label: 'Time' } });
    expect(page).toContain('Time (s)');
    // The matrices then count frames.
    expect(page).toMatch(/>Frame<\/text>/);
    expect(page).not.toContain('NaN');
  });

  test('a mask is outlined along its pixels', async () => {
    const base = fakeReport({ frames: 4, size: 32 });
    const mask = { pixels: Uint8Array.from([0, 0, 0, 0, 1, 1, 0, 1, 1]), height: 3, width: 3 };
    const page = await write('mask', { ...base, aperture: { mask } });
    expect(visibleText(page)).toContain('44.4 % of the detector is valid.');
    expect(page).toContain('d="M1 1H3M1 3H3M1 1V3M3 1V3"');
  });

  test('many unused frames: the table is cut and says so', async () => {
    const base = fakeReport({ frames: 500, size: 24, truth: false });
    const reason = base.reason.map(() => 'too dark');
    const page = await write('many', { ...base, reason });
    expect(tableBehind(page, 'Frames not used or doubtful')).toHaveLength(200);
    expect(visibleText(page)).toContain('The first 200 of 500; drift.csv has all of them.');
  });
});

describe('refusals', () => {
  test('arrays of different lengths, with the name and the numbers', async () => {
    const base = fakeReport({ frames: 5, size: 24 });
    await expect(writeReport(join(folder, 'bad'), { ...base, weight: [1, 2] })).rejects.toThrow(
      "writeReport(): 'weight' must have 5 values, one a frame, got 2",
    );
    const pairs = { ...base.pairs, weights: new Float32Array(3) };
    await expect(writeReport(join(folder, 'bad'), { ...base, pairs })).rejects.toSatisfy(
      (error) => isLeemError(error, 'ShapeError') && /'pairs\.weights' must be \[/.test(error.message),
    );
    expect(existsSync(join(folder, 'bad'))).toBe(false);
  });

  test('a folder that cannot be written', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    await expect(writeReport(path, fakeReport({ frames: 3, size: 24 }))).rejects.toSatisfy((error) =>
      isLeemError(error, 'OutputError'),
    );
  });
});
