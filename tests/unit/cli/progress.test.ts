import { describe, expect, test } from 'vitest';
import { formatBytes, formatCount, formatRate, formatSeconds } from '../../../src/cli/format.js';
import { ProgressDisplay } from '../../../src/cli/ProgressDisplay.js';

function recorder(isTTY = false) {
  const written: string[] = [];
  return { isTTY, columns: 120, write: (text: string) => written.push(text), written, on: () => {}, cursorTo: () => {} };
}

describe('progress without a terminal', () => {
  test('a line at most every three seconds, with rate and time left, and one at the end', () => {
    const stream = recorder();
    let now = 0;
    const progress = new ProgressDisplay(stream, () => now).start('Correlate', 1000, 'pairs');
    for (let done = 0; done <= 1000; done++) {
      now = done * 10;
      progress.update(done);
    }
    progress.done();
    expect(stream.written).toEqual([
      'Correlate: 300 of 1,000 pairs, 100/s, 7.0 s left (30 %)\n',
      'Correlate: 600 of 1,000 pairs, 100/s, 4.0 s left (60 %)\n',
      'Correlate: 900 of 1,000 pairs, 100/s, 1.0 s left (90 %)\n',
      'Correlate: 1,000 pairs in 10 s\n',
    ]);
  });

  test('what an earlier run had done does not count as speed', () => {
    const stream = recorder();
    let now = 0;
    const progress = new ProgressDisplay(stream, () => now).start('Correlate', 1000, 'pairs');
    progress.update(900);
    now = 5000;
    progress.update(950);
    expect(stream.written).toEqual(['Correlate: 950 of 1,000 pairs, 10/s, 5.0 s left (95 %)\n']);
  });

  test('nothing to do is no division by zero', () => {
    const stream = recorder();
    const progress = new ProgressDisplay(stream, () => 0).start('Write', 0, 'frames');
    progress.update(0);
    progress.done();
    expect(stream.written).toEqual(['Write: 0 frames in 0.00 s\n']);
  });
});

describe('progress on a terminal', () => {
  test('draws a bar, lets lines through, and gives the cursor back', () => {
    const stream = recorder(true);
    const display = new ProgressDisplay(stream);
    const progress = display.start('Filter', 4, 'frames');
    progress.update(2);
    display.write('a note\n', stream);
    progress.update(4);
    progress.done();
    const text = stream.written.join('');
    expect(text).toContain('Filter');
    expect(text).toContain('4 frames in');
    expect(text.endsWith('\x1b[?25h')).toBe(true);
  });
});

test('numbers for people', () => {
  expect([0.004, 0.996, 9.94, 9.96, 119.6, 3599, 8000].map(formatSeconds)).toEqual([
    '0.00 s',
    '1.0 s',
    '9.9 s',
    '10 s',
    '2 min 0 s',
    '59 min 59 s',
    '2 h 13 min',
  ]);
  expect([512, 1536, 2 * 1024 ** 3, 163 * 1024 ** 2].map(formatBytes)).toEqual(['512 B', '1.5 KiB', '2 GiB', '163 MiB']);
  expect(formatCount(245350)).toBe('245,350');
  expect([24500, 212.3, 9.87, 0.123].map(formatRate)).toEqual(['24,500', '212', '9.9', '0.12']);
});
