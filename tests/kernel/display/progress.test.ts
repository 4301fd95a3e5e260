import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProgress, type ProgressOptions } from '../../../kernel-ext/src/session/display/createProgress.js';
import { RateMeter } from '../../../kernel-ext/src/session/display/RateMeter.js';

interface Sent {
  readonly text: string;
  readonly html: string;
  readonly id: string;
  readonly update: boolean;
  readonly time: number;
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Takes what bars send, by the fake clock. */
function recorder(): { sent: Sent[]; options: Pick<ProgressOptions, 'show' | 'now'>; last: () => Sent } {
  const sent: Sent[] = [];
  const show: ProgressOptions['show'] = ({ data }, { id, update }) => {
    sent.push({ text: data['text/plain'] as string, html: data['text/html'] as string, id, update, time: Date.now() });
  };
  return { sent, options: { show, now: Date.now }, last: () => sent[sent.length - 1] };
}

const pass = (ms: number) => vi.advanceTimersByTime(ms);

describe('createProgress', () => {
  test('label, bar, percent, count, rate and time left', () => {
    const { options, last } = recorder();
    const bar = createProgress({ ...options, total: 700, label: 'Pairs', unit: 'frames' });
    for (let n = 1; n <= 315; n++) {
      pass(40);
      bar.update(n);
    }
    pass(200);
    expect(last().text).toMatch(/^Pairs █{9}░{11} 45 % 315\/700 frames · 2[45]\/s · 1[56] s left$/);
    expect(last().html).toContain('<progress value="315" max="700"');
    bar.end();
    expect(last().text).toBe('Pairs █████████░░░░░░░░░░░ 45 % 315/700 frames · ended after 13 s · 25/s');
  });

  test('one id; all but the first update it; about eight a second; the last state is sent', () => {
    const { sent, options, last } = recorder();
    const bar = createProgress({ ...options, total: 1000 });
    for (let n = 0; n < 1000; n++) {
      pass(2);
      bar.tick();
    }
    bar.end();
    expect(new Set(sent.map(({ id }) => id))).toEqual(new Set([bar.id]));
    expect(sent.map(({ update }) => update)).toEqual(sent.map((_, k) => k > 0));
    expect(sent.length).toBeGreaterThan(10);
    expect(sent.length).toBeLessThanOrEqual(2 + (2000 - 300) / 125);
    expect(last().text).toBe('████████████████████ 100 % 1,000/1,000 · 2.0 s · 500/s');
    pass(10_000);
    expect(last().time).toBe(2000);
  });

  test('short work leaves nothing, unless it is wanted', () => {
    const { sent, options, last } = recorder();
    const bar = createProgress({ ...options, total: 2 });
    bar.update(1);
    pass(290);
    bar.end();
    pass(1000);
    expect(sent).toEqual([]);
    createProgress({ ...options, total: 2, label: 'now', delayMs: 0 });
    expect(last().text).toBe('now ░░░░░░░░░░░░░░░░░░░░ 0 % 0/2');
  });

  test('work that reports nothing still shows its bar and its last state', () => {
    const { sent, options, last } = recorder();
    const bar = createProgress({ ...options, total: 10 });
    pass(300);
    expect(sent).toHaveLength(1);
    bar.update(1);
    bar.update(2);
    expect(last().text).toContain('0/10');
    pass(125);
    expect(last().text).toContain('2/10');
    expect(sent).toHaveLength(2);
  });

  test('an unknown total: no bar in the text, one without an end in HTML, full at the end', () => {
    const { options, last } = recorder();
    const bar = createProgress({ ...options, total: Number.NaN, label: 'Read' });
    for (let n = 0; n < 100; n++) {
      pass(10);
      bar.tick(2);
    }
    pass(125);
    expect(last().text).toMatch(/^Read 200 · \d+\/s · 1\.1 s$/);
    expect(last().html).toMatch(/<progress title/);
    bar.end();
    expect(last().text).toMatch(/^Read █{20} 200 · 1\.1 s · 1\d\d\/s$/);
    expect(last().html).toContain('<progress value="1" max="1"');
  });

  test('a total of 0 is complete', () => {
    const { options, last } = recorder();
    createProgress({ ...options, total: 0, delayMs: 0 }).end();
    expect(last().text).toMatch(/^█{20} 100 % 0\/0 · 0\.0 s$/);
    expect(last().html).toContain('value="1" max="1"');
  });

  test('a total of 0 with something done is not known', () => {
    const { options, last } = recorder();
    const bar = createProgress({ ...options, total: 0, delayMs: 0 });
    expect(last().html).toContain('<progress title');
    bar.update(3);
    bar.end();
    expect(last().text).toBe('████████████████████ 3 · 0.0 s');
  });

  test('interrupted: where, and after what time; later calls change nothing', () => {
    const { sent, options, last } = recorder();
    const bar = createProgress({ ...options, total: 4, label: 'Pairs' });
    pass(1000);
    bar.update(1);
    bar.fail('interrupted');
    expect(last().text).toBe('Pairs █████░░░░░░░░░░░░░░░ 25 % 1/4 · interrupted after 1.0 s');
    expect(bar.state).toBe('failed');
    const count = sent.length;
    bar.update(4);
    bar.end();
    bar.fail('again');
    pass(5000);
    expect(sent).toHaveLength(count);
  });

  test('another label from then on; labels are text', () => {
    const { options, last } = recorder();
    const bar = createProgress({ ...options, total: 4, label: 'a', delayMs: 0 });
    pass(1000);
    bar.update(1, '<img src=x onerror="1"> "q"');
    expect(last().html).not.toContain('<img');
    expect(last().html).toContain('&lt;img src=x onerror=&quot;1&quot;&gt;');
    bar.end();
    expect(last().text).toContain('<img');
  });

  test('never more than 100 %, never 100 % before the end', () => {
    const { options, last } = recorder();
    const bar = createProgress({ ...options, total: 1000, delayMs: 0, intervalMs: 0 });
    bar.update(290);
    expect(last().text).toContain(' 29 % ');
    bar.update(999.9);
    expect(last().text).toContain(' 99 % ');
    bar.update(5000);
    expect(last().text).toContain(' 100 % ');
    expect(last().html).toContain('value="1000" max="1000"');
  });

  test('whatever it is told, it goes on', () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(number, fc.anything(), fc.array(fc.tuple(number, fc.anything(), fc.nat(1000))), (total, label, calls) => {
        const { sent, options } = recorder();
        const bar = createProgress({ ...options, total, label: label as string, delayMs: 0 });
        for (const [done, name, ms] of calls) {
          bar.update(done, name as string);
          pass(ms);
        }
        bar.end();
        return sent.every(
          ({ text, html }) => !/NaN|Infinity|undefined/.test(html.replace(/<label>.*<\/label>/s, '')) && text !== '',
        );
      }),
    );
  });
});

describe('RateMeter', () => {
  test('follows a change within its window and does not jump', () => {
    const meter = new RateMeter(0);
    let done = 0;
    const rates: number[] = [];
    for (let time = 50; time <= 20_000; time += 50) {
      done += time <= 10_000 ? 1 : 4;
      meter.report(time, done);
      rates.push(meter.perSecond(time) ?? Number.NaN);
    }
    expect(rates[199]).toBeCloseTo(20, 0);
    expect(rates[399]).toBeCloseTo(80, 0);
    for (let k = 10; k < rates.length; k++) expect(Math.abs(rates[k] - rates[k - 1])).toBeLessThan(4);
  });

  test('slow work has a rate too, and a standstill lowers it', () => {
    const meter = new RateMeter(0);
    for (let n = 1; n <= 6; n++) meter.report(n * 10_000, n);
    expect(meter.perSecond(60_000)).toBeCloseTo(0.1, 5);
    expect(meter.perSecond(90_000)).toBeLessThan(0.06);
  });

  test('not known at first, and anew after a step back', () => {
    const meter = new RateMeter(0);
    meter.report(100, 5);
    expect(meter.perSecond(100)).toBeUndefined();
    meter.report(1000, 10);
    expect(meter.perSecond(1000)).toBeCloseTo(10, 5);
    meter.report(1100, 0);
    expect(meter.perSecond(1500)).toBeUndefined();
  });
});

describe('Progress.iterate', () => {
  test.each<[string, Iterable<number>, string]>([
    ['an array', [1, 2, 3, 4], '4/4'],
    ['a Set', new Set([1, 2]), '2/2'],
    [
      'a generator',
      (function* () {
        yield 1;
        yield 2;
        yield 3;
      })(),
      '3 ·',
    ],
  ])('%s', (_, items, count) => {
    const { options, last } = recorder();
    const seen: number[] = [];
    for (const item of createProgress(options).iterate(items, 'Items')) {
      seen.push(item);
      pass(200);
    }
    expect(seen.length).toBeGreaterThan(1);
    expect(last().text).toMatch(/^Items █{20}/);
    expect(last().text).toContain(count);
  });

  test('an async iterable', async () => {
    const { options, last } = recorder();
    async function* items() {
      yield 'a';
      yield 'b';
    }
    const seen: string[] = [];
    for await (const item of createProgress({ ...options, total: 2 }).iterate(items())) {
      seen.push(item);
      pass(300);
    }
    expect(seen).toEqual(['a', 'b']);
    expect(last().text).toContain('100 % 2/2');
  });

  test('a loop that is left early ends the bar where it is', () => {
    const { sent, options, last } = recorder();
    for (const item of createProgress(options).iterate([1, 2, 3, 4])) {
      pass(400);
      if (item === 3) break;
    }
    expect(last().text).toMatch(/50 % 2\/4 · ended after 1\.2 s/);
    const count = sent.length;
    pass(5000);
    expect(sent).toHaveLength(count);
  });

  test('an error in the loop comes through', () => {
    const { options } = recorder();
    expect(() => {
      for (const item of createProgress(options).iterate([1, 2])) throw new RangeError(String(item));
    }).toThrow(RangeError);
  });

  test('what is not iterable is named, and leaves no bar', () => {
    const { sent, options } = recorder();
    expect(() => createProgress(options).iterate(null as never)).toThrow(/'items' must be iterable/);
    expect(() => createProgress(options).iterate({} as never)).toThrow(/'items' must be iterable/);
    pass(1000);
    expect(sent).toEqual([]);
  });
});
