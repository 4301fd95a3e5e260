import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type Controls, controls } from '../../../src/controls/index.js';
import { isLeemError } from '../../../src/errors.js';
import { DISPLAY, type HostChannel, type MimeBundle } from '../../../src/host.js';
import { CONTROLS_MIME_TYPE, type ControlsBundle, parseControlsBundle, parseControlsMessage } from '../../../src/wire/index.js';
import { type FakeHost, installHost, removeHost } from '../fakeHost.js';

const pause = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const SPEC = {
  sigma: { min: 1, max: 17, step: 0.5, value: 3, label: 'σ' },
  method: ['least-squares', 'robust'],
  band: { options: [8, 16, 32], value: 16 },
  pattern: true,
} as const;

/** A view in the front end. */
class View {
  readonly received: unknown[] = [];
  closed = false;
  #message: (data: unknown, buffers: readonly Uint8Array[]) => void = () => {};
  #close: () => void = () => {};
  #sequence = 0;

  constructor(fake: FakeHost, data: unknown) {
    const channel: HostChannel = {
      send: (message) => this.received.push(message),
      onMessage: (callback) => {
        this.#message = callback;
      },
      onClose: (callback) => {
        this.#close = callback;
      },
      close: () => {
        this.closed = true;
        this.#close();
      },
    };
    fake.targets.get('leemlab.controls')?.(channel, data);
  }

  set(name: string, value: unknown): void {
    this.say({ type: 'set', name, value, sequence: ++this.#sequence });
  }

  say(message: unknown): void {
    this.#message(message, []);
  }

  last(type: string): unknown {
    return this.received.map(parseControlsMessage).findLast((message) => message.type === type);
  }
}

afterEach(removeHost);

test('the values have the types of their controls', () => {
  const made = controls(SPEC, (values) => {
    expectTypeOf(values.sigma).toEqualTypeOf<number>();
    expectTypeOf(values.method).toEqualTypeOf<'least-squares' | 'robust'>();
    expectTypeOf(values.band).toEqualTypeOf<8 | 16 | 32>();
    expectTypeOf(values.pattern).toEqualTypeOf<boolean>();
  });
  expect(made.values).toEqual({ sigma: 3, method: 'least-squares', band: 16, pattern: true });
});

test('a step is chosen, and the first value set on it', () => {
  expect(controls({ a: { min: 0, max: 1 }, b: { min: 0, max: 30, value: 1.01 } }).values).toEqual({ a: 0, b: 1 });
});

test('without a host they are a table of their values', async () => {
  const made = controls({ ...SPEC, note: ['<b>'] });
  const { data } = await made[DISPLAY]();
  expect(data['text/plain']).toBe('σ        3\nmethod   least-squares\nband     16\npattern  true\nnote     <b>');
  expect(data['text/html']).toContain('<td>&lt;b&gt;</td>');
  expect(parseControlsBundle(data[CONTROLS_MIME_TYPE]).controls).toHaveLength(5);
});

test.each<[unknown, string]>([
  [{}, "controls(): 'spec' must be an object of 1 to 100 controls, got 0"],
  [undefined, "'spec' must be an object"],
  [{ sigma: { min: 1, max: 1 } }, "controls(): 'sigma.max' must be above 'min' (1), got 1"],
  [{ sigma: { min: 1, max: Number.NaN } }, "'sigma.max' must be a finite number, got NaN"],
  [{ sigma: { max: 3 } }, "'sigma.min' must be a finite number, got undefined"],
  [{ sigma: { min: 1, max: 3, step: 4 } }, "'sigma.step' must be above 0 and at most 2, got 4"],
  [{ sigma: { min: 1, max: 3, value: 4 } }, "'sigma.value' must be from 1 to 3, got 4"],
  [{ sigma: 3 }, "'sigma' must be a range, a list of options, or true or false, got 3"],
  [{ method: [] }, "'method' must be a list of 1 to 1000 options, got 0"],
  [{ method: ['a', 'a'] }, "'method' must be a list of different options, got a, a"],
  [{ method: ['a', null] }, "'method' must be a list of texts, finite numbers, true and false, got null"],
  [{ method: { options: ['a'], value: 'b' } }, "'method.value' must be one of the options, got b"],
  [{ pattern: { value: 1 } }, "'value' must be"],
  [{ pattern: { value: true, label: 3 } }, "'pattern.label' must be a text"],
])('a wrong specification is an OptionError with the name: %o', (spec, words) => {
  let error: unknown;
  try {
    controls(spec as never);
  } catch (caught) {
    error = caught;
  }
  expect(isLeemError(error, 'OptionError')).toBe(true);
  expect((error as Error).message).toContain(words.replace("'value' must be", "'pattern' must be"));
});

describe('in a host', () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = installHost();
  });

  const shownAs = (id: string | undefined): MimeBundle[] => fake.shown.filter((one) => one.id === id).map(({ bundle }) => bundle);
  const idOf = (): string => (fake.shown[0].bundle.data[CONTROLS_MIME_TYPE] as ControlsBundle).id;
  const results = (): unknown[] => shownAs(`${idOf()}-result`).map(({ data }) => data['text/plain']);
  const lastShown = (): ControlsBundle => shownAs(idOf()).at(-1)?.data[CONTROLS_MIME_TYPE] as ControlsBundle;
  const show = async <V>(made: Controls<V>): Promise<View> => {
    expect(await made[DISPLAY]()).toEqual({ data: {} });
    return new View(fake, { id: idOf() });
  };

  test('the first result is there when they are shown; every later one takes its place', async () => {
    const made = controls(SPEC, ({ sigma }) => sigma * 2);
    await show(made);
    expect(fake.shown.map(({ id, update }) => [id === idOf(), update])).toEqual([
      [true, false],
      [false, false],
      [false, true],
    ]);
    expect(results()).toEqual(['', '6']);
    await made.set('sigma', 5.2);
    expect(made.values.sigma).toBe(5);
    expect(results()).toEqual(['', '6', '10']);
    expect(
      fake.shown
        .filter(({ id }) => id !== idOf())
        .slice(1)
        .every(({ update }) => update),
    ).toBe(true);
    expect(lastShown().controls[0].value).toBe(5);
  });

  test('a view that opens a channel gets the state, sets values, and is answered', async () => {
    const seen: number[] = [];
    const made = controls(SPEC, ({ sigma }) => {
      seen.push(sigma);
    });
    const view = await show(made);
    const other = new View(fake, { id: idOf() });
    expect(view.received).toEqual([
      { type: 'state', values: { sigma: 3, method: 'least-squares', band: 16, pattern: true }, sequence: 0 },
      { type: 'busy', busy: false },
    ]);
    view.set('sigma', 4.1);
    await pause();
    expect(made.values).toMatchObject({ sigma: 4 });
    expect(seen).toEqual([3, 4]);
    expect(view.last('state')).toMatchObject({ values: { sigma: 4 }, sequence: 1 });
    expect(other.last('state')).toMatchObject({ values: { sigma: 4 }, sequence: 0 });
    expect(view.received.filter((message) => (message as { type: string }).type === 'busy')).toEqual([
      { type: 'busy', busy: false },
      { type: 'busy', busy: true },
      { type: 'busy', busy: false },
    ]);
    await pause(300);
    expect(lastShown().controls[0].value).toBe(4);
  });

  test.each([
    ['sigma', 99, "'sigma' must be from 1 to 17, got 99"],
    ['sigma', '4', "'sigma' must be from 1 to 17, got 4"],
    ['method', 'magic', '\'method\' must be one of "least-squares", "robust", got magic'],
    ['pattern', 1, "'pattern' must be true or false, got 1"],
    ['__proto__', 1, "'name' must be a name"],
    ['other', 1, "'name' must be one of sigma, method, band, pattern, got other"],
    ['sigma', null, "'value' must be a finite number"],
  ])('what a view sends is checked: %s = %s', async (name, value, words) => {
    const made = controls(SPEC);
    const view = await show(made);
    view.set(name, value);
    expect(made.values).toEqual({ sigma: 3, method: 'least-squares', band: 16, pattern: true });
    expect((view.last('error') as { message: string }).message).toContain(words);
    for (const nonsense of [null, 'set', { type: 'get' }, []]) view.say(nonsense);
    expect(view.received.filter((message) => (message as { type: string }).type === 'error')).toHaveLength(5);
    await expect(made.set('sigma', 99)).rejects.toThrow("set(): 'sigma' must be from 1 to 17, got 99");
  });

  test('the latest values win: the run under way is stopped, runs never overlap, values between are passed over', async () => {
    const log: string[] = [];
    let running = 0;
    const made = controls({ x: { min: 0, max: 9, step: 1 } }, async ({ x }, { signal }) => {
      expect(++running).toBe(1);
      for (let k = 0; k < 20 && !signal.aborted; k++) await pause(2);
      running--;
      log.push(`${x}${signal.aborted ? ' stopped' : ''}`);
      if (signal.aborted) throw new Error('never shown');
      return x;
    });
    const view = await show(made);
    view.set('x', 1);
    await pause(5);
    view.set('x', 2);
    view.set('x', 3);
    await made.set('x', 4);
    expect(log).toEqual(['0', '1 stopped', '4']);
    expect(results()).toEqual(['', '0', '4']);
  });

  test('an error is shown in the place of the result, and the next value is computed', async () => {
    const made = controls({ x: { min: 0, max: 9, step: 1 } }, ({ x }) => {
      if (x === 1) throw new RangeError('one is too little');
      return { [DISPLAY]: () => ({ data: { 'text/plain': `x is ${x}`, 'text/html': '<b>x</b>' } }) };
    });
    await show(made);
    await made.set('x', 1);
    await made.set('x', 2);
    expect(results()).toEqual(['', 'x is 0', 'RangeError: one is too little', 'x is 2']);
  });

  test('results are shown as they say, as bundles, as the host renders them, or as text', async () => {
    const values: unknown[] = [{ data: { 'image/svg+xml': '<svg/>' } }, 'text', { a: 1 }, undefined, [1, 2]];
    const made = controls({ x: { min: 0, max: 9, step: 1 } }, ({ x }) => values[x]);
    await show(made);
    for (const x of [1, 2, 3]) await made.set('x', x);
    Object.assign(fake, { render: async () => ({ data: { 'text/plain': 'rendered' } }) });
    await made.set('x', 4);
    const shown = shownAs(`${idOf()}-result`).slice(1);
    expect(shown.map(({ data }) => Object.values(data)[0])).toEqual(['<svg/>', 'text', '{ a: 1 }', 'rendered']);
  });

  test('the host stops a run, unless it had been stopped before', async () => {
    const signals: AbortSignal[] = [];
    const made = controls({ x: { min: 0, max: 9, step: 1 } }, (_, { signal }) => {
      signals.push(signal);
    });
    await show(made);
    fake.controller.abort();
    expect(signals[0].aborted).toBe(true);
    await made.set('x', 1);
    expect(signals[1].aborted).toBe(false);
  });

  test('closed controls keep what they show, and nobody finds them', async () => {
    const made = controls(SPEC, async (_, { signal }) => {
      while (!signal.aborted) await pause(1);
    });
    const showing = made[DISPLAY]();
    const view = new View(fake, { id: idOf() });
    made.close();
    await showing;
    expect(view.closed).toBe(true);
    const late = new View(fake, { id: idOf() });
    expect([late.closed, late.received]).toEqual([true, []]);
    for (const data of [{ id: 'unknown' }, {}, null]) expect(new View(fake, data).closed).toBe(true);
    await made.set('sigma', 4);
    expect(lastShown().controls[0].value).toBe(4);
  });
});
