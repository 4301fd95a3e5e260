import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChoice, parseNumber, parsePairs, parseRange, parseSize } from '../../../src/cli/parseValues.js';
import { isLeemError } from '../../../src/errors.js';

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(isLeemError(error, 'OptionError')).toBe(true);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe('parseSize', () => {
  test.each([
    ['1048576', 1048576],
    ['2GiB', 2 * 1024 ** 3],
    ['2gib', 2 * 1024 ** 3],
    ['500M', 500 * 1024 ** 2],
    ['500MB', 500e6],
    ['1.5 GB', 1.5e9],
    ['64k', 65536],
    ['1T', 1024 ** 4],
    ['12B', 12],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text, '--memory')).toBe(bytes);
  });

  test.each(['', '0', '-1M', '2 apples', 'GiB', '1e3', '1,5G', '0.0001'])('refuses %j', (text) => {
    expect(messageOf(() => parseSize(text, '--memory'))).toMatch(/^--memory must be a size .*like 2GiB or 500M, got /);
  });
});

describe('parseNumber', () => {
  test('reads back every finite number as JavaScript writes it', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseNumber(String(value), '--x') === value).toBe(true);
      }),
    );
  });

  test.each([
    ['', {}, '--x must be a number, got '],
    ['0x10', {}, "--x must be a number, got '0x10'"],
    ['Infinity', {}, "--x must be a number, got 'Infinity'"],
    ['1.5', { integer: true, min: 1 }, "--x must be a whole number of at least 1, got '1.5'"],
    ['0', { above: 0 }, "--x must be a number above 0, got '0'"],
    ['3', { min: 0, max: 1 }, "--x must be a number from 0 to 1, got '3'"],
    ['5', { max: 4 }, "--x must be a number of at most 4, got '5'"],
    ['2', { above: 0, max: 1 }, "--x must be a number above 0 and at most 1, got '2'"],
    ['7', { integer: true, max: 6, rule: 'an even number' }, "--x must be an even number, got '7'"],
  ])('%j under %j: %s', (text, rule, message) => {
    expect(messageOf(() => parseNumber(text, '--x', rule))).toContain(message);
  });
});

describe('parseRange', () => {
  test.each([
    ['40:400', { start: 40, stop: 400 }],
    ['-4:19.9', { start: -4, stop: 19.9 }],
    [':10', { start: undefined, stop: 10 }],
    ['5:', { start: 5, stop: undefined }],
    [':', { start: undefined, stop: undefined }],
  ])('%s', (text, range) => {
    expect(parseRange(text, '--energies')).toEqual(range);
  });

  test('names the rule that is broken', () => {
    expect(messageOf(() => parseRange('40', '--frames', { integer: true }))).toBe(
      "--frames must be a range 'a:b', got '40' (for example 40:400)",
    );
    expect(messageOf(() => parseRange('9:3', '--frames'))).toBe("--frames must be a range 'a:b' with a < b, got '9:3'");
    expect(messageOf(() => parseRange('1.5:3', '--frames', { integer: true, min: 0 }))).toBe(
      "each end of --frames must be a whole number of at least 0, got '1.5'",
    );
    expect(messageOf(() => parseRange('1:2:3', '--frames'))).toContain("must be a range 'a:b'");
  });
});

test('parsePairs knows all and band:K', () => {
  expect(parsePairs('all', '--pairs')).toEqual({ kind: 'all' });
  expect(parsePairs('band:12', '--pairs')).toEqual({ kind: 'band', band: 12 });
  for (const text of ['band', 'band:0', 'band:-1', 'band:2.5', 'some']) {
    expect(messageOf(() => parsePairs(text, '--pairs'))).toContain("--pairs must be 'all' or 'band:K'");
  }
});

test('parseChoice names the choices', () => {
  expect(parseChoice('robust', '--solver', ['least-squares', 'robust'])).toBe('robust');
  expect(messageOf(() => parseChoice('best', '--solver', ['least-squares', 'robust']))).toBe(
    "--solver must be one of least-squares, robust, got 'best'",
  );
});
