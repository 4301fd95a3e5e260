import { describe, expect, test } from 'vitest';
import { finishBundle } from '../../../kernel-ext/src/session/display/finishBundle.js';
import { html, json, latex, markdown, mime, png, svg } from '../../../kernel-ext/src/session/display/mime.js';
import { render } from '../../../kernel-ext/src/session/display/render.js';

const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

test.each([
  ['html', html('<b>12</b> frames'), { 'text/html': '<b>12</b> frames', 'text/plain': '12 frames' }],
  ['markdown', markdown('**a**'), { 'text/markdown': '**a**', 'text/plain': '**a**' }],
  ['latex', latex('\\sigma^2'), { 'text/latex': '$$\\sigma^2$$', 'text/plain': '\\sigma^2' }],
  ['latex with dollar signs', latex('$x$'), { 'text/latex': '$x$', 'text/plain': '$x$' }],
  ['svg', svg('<svg/>'), { 'image/svg+xml': '<svg/>', 'text/plain': 'SVG image, 6 B' }],
  ['png', png(PNG), { 'image/png': 'iVBORw0KGgo=', 'text/plain': 'PNG image, 8 B' }],
  ['json', json({ a: [1, Number.NaN] }), { 'application/json': { a: [1, null] }, 'text/plain': '{ a: [ 1, null ] }' }],
  ['mime', mime({ 'text/markdown': ['a\n', 'b'] }), { 'text/markdown': 'a\nb', 'text/plain': 'a\nb' }],
])('%s()', async (_, output, data) => {
  expect(await render(output)).toEqual({ data });
});

test('png() carries a size as metadata', async () => {
  expect((await render(png(PNG, { width: 100 })))?.metadata).toEqual({ 'image/png': { width: 100 } });
});

describe('finishBundle', () => {
  test('what cannot be sent is left out and named', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const data = { 'text/plain': 'a', 'image/png': 12, 'application/json': circle, 'no type': 'x', 'text/html': undefined };
    const bundle = finishBundle({ data });
    expect(Object.keys(bundle.data)).toEqual(['text/plain']);
    expect(bundle.data['text/plain']).toMatch(
      /^a\nimage\/png is left out: .*\napplication\/json is left out: .*\nno type is left out/,
    );
  });

  test('above 16 MiB a text tells the sizes', () => {
    const large = finishBundle({ data: { 'text/html': 'x'.repeat(17 * 2 ** 20), 'text/plain': 'x' } });
    expect(Object.keys(large.data)).toEqual(['text/plain']);
    expect(large.data['text/plain']).toMatch(
      /^This output of 17\.0 MiB is not shown.*16\.0 MiB \(text\/html 17\.0 MiB, text\/plain 1 B\)/,
    );
    const bytes = finishBundle({ data: { 'image/png': new Uint8Array(17 * 2 ** 20) } });
    expect(Object.keys(bytes.data)).toEqual(['text/plain']);
  });

  test('a large HTML output gets a short text in a short time', () => {
    const bundle = finishBundle({ data: { 'text/html': '<script '.repeat(1_000_000) } });
    expect((bundle.data['text/plain'] as string).length).toBeLessThan(30_000);
  });

  test('metadata that is no JSON is dropped', () => {
    expect(finishBundle({ data: { 'text/plain': 'a' }, metadata: { a: 1n } })).toEqual({ data: { 'text/plain': 'a' } });
  });
});
