import { AsyncLocalStorage } from 'node:async_hooks';
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { render } from '../../../kernel-ext/src/session/display/render.js';

const DISPLAY = Symbol.for('leemlab.display');
const JUPYTER = Symbol.for('Jupyter.display');
const ESCAPE = '\u001b';
const COLOR_CODE = new RegExp(`${ESCAPE}\\[`);

async function textOf(value: unknown): Promise<string> {
  const bundle = await render(value);
  const text = bundle?.data['text/plain'];
  if (typeof text !== 'string') throw new Error('no text');
  return text;
}

describe('plain values', () => {
  test('undefined is not shown', async () => {
    expect(await render(undefined)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['number', 12.5],
    ['minus zero', -0],
    ['null', null],
    ['bigint', 12n],
    ['symbol', Symbol('s')],
    ['quoted string', "it's <b>"],
    ['string with lines', 'a\nb'],
    ['object', { a: 1, b: { c: { d: { e: 1 } } } }],
    ['sparse array', Object.assign(new Array(3), { 1: 'a' })],
    ['typed array', Float32Array.of(1, 2)],
    ['buffer', Buffer.from('abc')],
    ['map', new Map([['a', { b: 1 }]])],
    ['set', new Set([1, 2])],
    ['date', new Date(0)],
    ['function', function name() {}],
    ['class', class Frame {}],
    [
      'instance',
      new (class Frame {
        rows = 3;
      })(),
    ],
    ['promise', Promise.resolve(3)],
    ['pending promise', new Promise(() => {})],
    ['null prototype', Object.assign(Object.create(null), { a: 1 })],
    ['regular expression', /a/g],
    ['SVG source', '<svg></svg>'],
  ])('%s: as Node prints it', async (_, value) => {
    expect(await render(value)).toEqual({ data: { 'text/plain': inspect(value) } });
  });

  test('a cyclic object is marked as such', async () => {
    const cyclic: Record<string, unknown> = { a: 1 };
    cyclic.self = cyclic;
    expect(await textOf(cyclic)).toBe(inspect(cyclic));
  });

  test('what Node hangs on promises and timers to follow their cell is not printed', async () => {
    const cell = new AsyncLocalStorage();
    const [promise, timer] = cell.run({ secret: true }, () => [new Promise(() => {}), setTimeout(() => {}, 0)]);
    expect(await textOf(promise)).toBe('Promise { <pending> }');
    expect(await textOf({ inner: promise })).toBe('{ inner: Promise { <pending> } }');
    expect(await textOf(timer)).not.toContain('secret');
  });

  test("colors of the object's own inspect are removed", async () => {
    const text = await textOf({ [inspect.custom]: () => `${ESCAPE}[31mred${ESCAPE}[39m` });
    expect(text).toBe('red');
  });
});

describe('values that could break it', () => {
  test('a getter that throws is not called', async () => {
    const value = {
      get bad(): number {
        throw new Error('called');
      },
    };
    expect(await textOf(value)).toBe('{ bad: [Getter] }');
  });

  test('every property access that throws still gives a text', async () => {
    const value = {};
    for (const key of ['shape', 'dtype', '$schema', '$isSeries', 'dataId', DISPLAY, Symbol.toStringTag]) {
      Object.defineProperty(value, key, {
        get() {
          throw new Error('no');
        },
      });
    }
    // Node 24 prints it without asking for the tag
    expect(await textOf(value)).toMatch(/cannot be printed|^\{\}\n\(its display method failed: Error: no\)$/);
  });

  test("a proxy's traps are not called", async () => {
    const trap = () => {
      throw new Error('trap');
    };
    expect(await textOf(new Proxy({ a: 1 }, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap }))).toBe('{ a: 1 }');
    const answersAll: unknown = new Proxy(() => {}, { get: () => answersAll, apply: () => answersAll });
    expect(await textOf(answersAll)).toContain('Function');
  });

  test('an inspect method that throws is told', async () => {
    const value = {
      [inspect.custom]() {
        throw new TypeError('own');
      },
    };
    expect(await textOf(value)).toBe('[an object that cannot be printed: TypeError: own]');
  });

  test('long strings and names are cut, with a note', async () => {
    expect(await textOf('x'.repeat(50_000_000))).toMatch(/^'x{10000}'\.\.\. 49990000 more characters$/);
    const text = await textOf({ ['k'.repeat(5_000_000)]: 1 });
    expect(text.length).toBeLessThan(600_000);
    expect(text).toMatch(/more characters$/);
  });

  test('huge nested arrays are printed less deep', async () => {
    const text = await textOf(Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => new Array(100).fill(1))));
    expect(text.length).toBeLessThan(5000);
    expect(text).toContain('[Array]');
  });

  test('of a huge object the first properties are printed, and how many are left', async () => {
    class Table {}
    const value = new Table() as Record<string, number>;
    for (let i = 0; i < 100_000; i++) value[`k${i}`] = i;
    const text = await textOf(value);
    expect(text).toMatch(/^Table \{\n {2}k0: 0,/);
    expect(text).toMatch(/99,800 more properties$/);
  });

  test('anything gives a text without color codes', async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withTypedArray: true,
    });
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        const bundle = await render(value);
        if (value === undefined) return bundle === undefined;
        const text = bundle?.data['text/plain'];
        return typeof text === 'string' && !COLOR_CODE.test(text);
      }),
    );
  });

  test('objects that look like a known kind but are none give a text', async () => {
    const part = fc.anything();
    const alike = fc.record(
      {
        dataId: part,
        isDisposed: fc.oneof(part, fc.boolean()),
        dtype: fc.constantFrom('float32', 'string', 'complex64', '<b>'),
        size: fc.oneof(part, fc.nat(1000)),
        shape: fc.array(fc.oneof(part, fc.nat(20)), { maxLength: 4 }),
        data: fc.constant(async () => [1, 2]),
        dataSync: fc.constant(() => 'none'),
        $isSeries: fc.boolean(),
        index: fc.array(part),
        columns: fc.array(part),
        dtypes: fc.array(part),
        values: fc.array(part),
        $schema: fc.oneof(part, fc.constant('https://vega.github.io/schema/vega-lite/v5.json')),
      },
      { requiredKeys: [] },
    );
    await fc.assert(fc.asyncProperty(alike, async (value) => typeof (await textOf(value)) === 'string'));
  });
});

describe('errors', () => {
  test('name and message, further properties and causes, no stack', async () => {
    class DataFormatError extends Error {
      override readonly name: string = 'DataFormatError';
      readonly offset = 12;
    }
    const error = new DataFormatError('series.tif: no header', { cause: new RangeError('end of file') });
    expect(await textOf(error)).toBe(
      'DataFormatError: series.tif: no header { offset: 12 }\n  caused by RangeError: end of file',
    );
  });

  test('a class without a name of its own, an AggregateError, an error that causes itself', async () => {
    class Broken extends Error {}
    expect(await textOf(new Broken('x'))).toBe('Broken: x');
    expect(await textOf(new AggregateError([new Error('a'), 'b'], 'both'))).toBe("AggregateError: both\n  - Error: a\n  - 'b'");
    const error = new Error('round');
    error.cause = error;
    expect((await textOf(error)).split('\n').length).toBeLessThan(10);
  });

  test('color codes in a message are removed', async () => {
    expect(await textOf(new Error(`${ESCAPE}[31mred${ESCAPE}[39m`))).toBe('Error: red');
  });
});

describe('images by their first bytes', () => {
  test.each([
    [
      'image/png',
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 4, 0, 0, 0, 2],
      'PNG image 4 × 2, 24 B',
    ],
    ['image/jpeg', [0xff, 0xd8, 0xff, 0xe0], 'JPEG image, 4 B'],
    ['image/gif', [...Buffer.from('GIF89a'), 3, 0, 2, 0], 'GIF image 3 × 2, 10 B'],
    ['image/webp', [...Buffer.from('RIFF....WEBP')], 'WebP image, 12 B'],
  ])('%s', async (type, bytes, text) => {
    const file = Uint8Array.from(bytes);
    expect(await render(file)).toEqual({ data: { [type]: Buffer.from(file).toString('base64'), 'text/plain': text } });
  });

  test('a view into a larger buffer gives its own bytes only', async () => {
    const whole = Buffer.from([1, 2, 0xff, 0xd8, 0xff, 9, 9]);
    expect((await render(whole.subarray(2, 5)))?.data['image/jpeg']).toBe(Buffer.from([0xff, 0xd8, 0xff]).toString('base64'));
  });
});

describe('charts', () => {
  const spec = (kind: string, version: string) => ({
    $schema: `https://vega.github.io/schema/${kind}/${version}.json`,
    mark: 'point',
    title: 'Drift',
  });

  test('Vega-Lite 5 as it is', async () => {
    expect(await render(spec('vega-lite', 'v5'))).toEqual({
      data: { 'application/vnd.vegalite.v5+json': spec('vega-lite', 'v5'), 'text/plain': "Vega-Lite 5 chart, point, 'Drift'" },
    });
  });

  test.each([
    ['vega-lite', 'v6', 'application/vnd.vegalite.v5+json', 'v5'],
    ['vega-lite', 'v5.23.0', 'application/vnd.vegalite.v5+json', 'v5.23.0'],
    ['vega-lite', 'v4', 'application/vnd.vegalite.v4+json', 'v4'],
    ['vega-lite', 'v2', 'application/vnd.vegalite.v3+json', 'v3'],
    ['vega', 'v5', 'application/vnd.vega.v5+json', 'v5'],
    ['vega', 'v6', 'application/vnd.vega.v5+json', 'v5'],
  ])('%s %s → %s', async (kind, version, type, schema) => {
    expect((await render(spec(kind, version)))?.data[type]).toEqual(spec(kind, schema));
  });

  test('another schema is a plain object', async () => {
    const value = { $schema: 'https://json-schema.org/draft/2020-12/schema' };
    expect(await render(value)).toEqual({ data: { 'text/plain': inspect(value) } });
  });

  test('a spec that is no JSON says why it is not drawn', async () => {
    const text = await textOf({ ...spec('vega-lite', 'v5'), data: { values: [1n] } });
    expect(text).toMatch(/vegalite\.v5\+json is left out: .*BigInt/);
  });
});

describe('display methods', () => {
  test('leemlab.display: several types, metadata, bytes become base64', async () => {
    const value = {
      [DISPLAY]: async () => ({
        data: {
          'text/plain': 'stack',
          'image/png': Uint8Array.of(1, 2),
          'application/vnd.leemlab.stack.v1+json': { shape: [1, 2] },
        },
        metadata: { 'image/png': { width: 3 } },
      }),
    };
    expect(await render(value)).toEqual({
      data: { 'text/plain': 'stack', 'image/png': 'AQI=', 'application/vnd.leemlab.stack.v1+json': { shape: [1, 2] } },
      metadata: { 'image/png': { width: 3 } },
    });
  });

  test("Jupyter.display: Deno's record, with a text added", async () => {
    class Note {
      [JUPYTER]() {
        return { 'text/html': '<p>a &lt; <b>b</b></p><script>alert("x < y")</script>' };
      }
    }
    const bundle = await render(new Note());
    expect(bundle?.data['text/plain']).toBe('a < b');
    expect(bundle?.data['text/html']).toContain('<script>');
  });

  test('undefined: printed plainly', async () => {
    class Plain {
      rows = 3;
      [DISPLAY]() {
        return undefined;
      }
    }
    expect(await render(new Plain())).toEqual({ data: { 'text/plain': 'Plain { rows: 3 }' } });
  });

  test.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('no pixels');
      },
      /\(its display method failed: TypeError: no pixels\)$/,
    ],
    ['rejects', () => Promise.reject(new Error('later')), /\(its display method failed: Error: later\)$/],
    [
      'throws what is no error',
      () => {
        throw null;
      },
      /\(its display method failed: null\)$/,
    ],
    ['gives no bundle', () => 'text', /must return \{ data: .* or undefined\)$/],
  ])('one that %s: printed plainly with a note', async (_, method, note) => {
    class Frame {
      rows = 3;
      [DISPLAY]() {
        return method();
      }
    }
    const text = await textOf(new Frame());
    expect(text).toMatch(/^Frame \{ rows: 3 \}\n/);
    expect(text).toMatch(note);
  });
});
