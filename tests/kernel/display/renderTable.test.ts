// starts TensorFlow without its messages, before danfojs does
import '../../../src/backend/index.js';
import { DataFrame, Series } from 'danfojs-node';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { render } from '../../../kernel-ext/src/session/display/render.js';

async function shown(table: unknown): Promise<{ text: string; html: string }> {
  const bundle = await render(table);
  return { text: bundle?.data['text/plain'] as string, html: bundle?.data['text/html'] as string };
}

/** Texts of the cells of a row of the table's body. */
function cells(html: string, row: number): string[] {
  const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map((match) => match[1]);
  return [...rows[row].matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map((match) => match[1]);
}

test('a DataFrame as text and HTML: numbers to the right with the same decimals, types as titles', async () => {
  const table = new DataFrame({ energy: [1.5, 2, 2.25], frame: [1, 2, 3], name: ['a', '<b>', null], used: [true, false, true] });
  const { text, html } = await shown(table);
  expect(text).toBe(
    [
      '   energy  frame  name  used',
      '0    1.50      1  a     true',
      '1    2.00      2  <b>   false',
      '2    2.25      3  null  true',
      '3 rows × 4 columns',
    ].join('\n'),
  );
  expect(html).toContain('<th scope="col" title="float32" style="text-align:right">energy</th>');
  expect(html).toContain('<td style="text-align:left">&lt;b&gt;</td>');
  expect(cells(html, 1)).toEqual(['0', '1.50', '1', 'a', 'true']);
});

test('a Series with its own index', async () => {
  const series = new Series([1, Number.NaN, 3], { index: ['x', 'y', 'z'], columns: ['drift'] });
  expect((await shown(series)).text).toBe('   drift\nx      1\ny    NaN\nz      3\n3 values, float32');
});

test('long and wide tables are cut in the middle', async () => {
  const rows = Array.from({ length: 700 }, (_, r) => Array.from({ length: 25 }, (_, c) => 100 * r + c));
  const { text, html } = await shown(new DataFrame(rows));
  expect(text.split('\n')).toHaveLength(1 + 21 + 1);
  expect(text).toMatch(/\n700 rows × 25 columns$/);
  expect(cells(html, 0)).toEqual([
    '',
    '0',
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
    '8',
    '9',
    '…',
    ...Array.from({ length: 10 }, (_, k) => String(15 + k)),
  ]);
  expect(cells(html, 10)[0]).toBe('9');
  expect(cells(html, 11)).toEqual(new Array(22).fill('…'));
  expect(cells(html, 12)[0]).toBe('690');
  expect(cells(html, 21)[21]).toBe('69924');
});

test('60 rows and 20 columns are shown in full', async () => {
  const rows = Array.from({ length: 60 }, () => new Array(20).fill(0));
  const { html } = await shown(new DataFrame(rows));
  expect(html).not.toContain('…');
  expect(html.match(/<tr>/g)).toHaveLength(61);
});

test('empty tables', async () => {
  expect((await shown(new DataFrame([]))).text).toMatch(/0 rows × 0 columns$/);
  expect((await shown(new Series([]))).text).toMatch(/0 values$/);
});

test('a long cell is cut, line breaks and color codes are removed', async () => {
  const { text, html } = await shown(new DataFrame({ a: ['x'.repeat(1_000_000), 'a\nb\u001b[31mc\u001b[0m'] }));
  expect(text.length).toBeLessThan(200);
  expect(html.length).toBeLessThan(1000);
  expect(text).toContain('a bc');
});

test.each<[string, number[], string[]]>([
  ['whole numbers', [1, 20, -3], ['1', '20', '-3']],
  ['six digits of the largest', [123.456789, 1], ['123.457', '1.000']],
  ['small values beside large ones', [1234.5, 0.00012345678], ['1234.5', '0.000123457']],
  ['very large', [1.5e12, 0.5], ['1500000000000', '0.5']],
  ['very small', [1.5e-12, 2e-12], ['1.5e-12', '2e-12']],
])('digits: %s', async (_, values, expected) => {
  const { html } = await shown(new Series(values));
  expect(values.map((_value, row) => cells(html, row + 1)[1])).toEqual(expected);
});

describe('nothing of a table becomes HTML', () => {
  test('names, index and cells', async () => {
    const nasty = fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', '/', '=', ' ', '\n', '\u001b') });
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, async (name, index, cell) => {
        const table = new DataFrame([[cell, 1]], { columns: [`${name}1`, 'b'], index: [`${index}i`] });
        const { html } = await shown(table);
        const tags = html.match(/<[^>]*>/g) ?? [];
        for (const tag of tags)
          expect(tag).toMatch(/^<\/?(table|thead|tbody|tr|th|td|div|small)( (class|scope|title|style)="[\w:; ×-]*")*>$/);
        // what is left holds no sign that HTML would read
        expect(html.replace(/<[^>]*>/g, '')).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|#39);)/);
      }),
    );
  });
});
