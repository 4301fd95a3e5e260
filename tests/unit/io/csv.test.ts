import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { readCsv, writeCsv, writeFileAtomic } from '../../../src/io/index.js';
import { errorOf, tempFolder } from '../../fixtures/io/tempFolder.js';

const folder = tempFolder();
const path = join(folder, 'table.csv');

describe('CSV tables', () => {
  test('are written with a header row, and nothing is printed', async () => {
    const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'warn'), vi.spyOn(process.stderr, 'write')];
    await writeCsv(path, { frame: Int32Array.of(0, 1), 'drift, row': [0.25, Number.NaN], flag: ['', 'say "no"'] });
    expect(readFileSync(path, 'utf8')).toBe('frame,"drift, row",flag\n0,0.25,\n1,NaN,"say ""no"""\n');
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
    expect(readdirSync(folder)).toEqual(['table.csv']);
  });

  test('without rows hold their header', async () => {
    await writeCsv(path, { a: [], b: [] });
    expect(readFileSync(path, 'utf8')).toBe('a,b\n');
    expect(await readCsv(path)).toEqual({ a: new Float64Array(0), b: new Float64Array(0) });
  });

  test('come back as they were: every number to its last bit, every text', async () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e-300));
    // a column of texts must hold one that is no number, or it is read as numbers
    const textOf = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', ' ', 'µ', '1') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(number, textOf), { minLength: 1, maxLength: 20 }),
        fc.string({ unit: fc.constantFrom('x', ',', '"', ' '), minLength: 1 }),
        async (rows, name) => {
          const numbers = rows.map(([value]) => value);
          const texts = [...rows.map(([, value]) => value), 'end'];
          await writeCsv(path, { [`n${name}`]: [...numbers, 0], texts });
          const back = await readCsv(path);
          // -0 is written 0
          expect(Array.from(back[`n${name}`] as Float64Array, (v) => v + 0)).toEqual([...numbers, 0].map((v) => v + 0));
          expect(back.texts).toEqual(texts);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('with rows of other lengths are refused, in both directions', async () => {
    const error = await errorOf(writeCsv(path, { a: [1, 2], b: [1] }));
    expect(error.tag).toBe('ShapeError');
    expect(error.message).toBe("writeCsv(): 'columns' must all hold 2 values as 'a' does, got 1 in 'b'");
    writeFileSync(path, 'a,b\n1,2\nµ,3\n4\n');
    const read = await errorOf(readCsv(path));
    expect(read.message).toBe(`${path} (byte 13): a row must have 2 cells as the header has, got 1 in row 3`);
    writeFileSync(path, '');
    expect((await errorOf(readCsv(path))).message).toContain('the table is empty: it must have a header row');
    expect((await errorOf(readCsv(`${path}x`))).message).toContain('does not exist');
  });

  test('of a spreadsheet are read: byte order mark, CRLF, empty lines', async () => {
    writeFileSync(path, '\ufeffa,b\r\n1,"x"\r\n\r\n,y\r\n');
    expect(await readCsv(path)).toEqual({ a: Float64Array.of(1, Number.NaN), b: ['x', 'y'] });
  });
});

describe('writeFileAtomic', () => {
  test('replaces the whole file, and leaves nothing else', async () => {
    await writeFileAtomic(path, 'one');
    await Promise.all([writeFileAtomic(path, 'two'), writeFileAtomic(path, 'two')]);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['table.csv']);
  });

  test('keeps the old file where the new one cannot be written', async () => {
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'inside'), { recursive: true });
    const error = await errorOf(writeFileAtomic(taken, 'x'));
    expect(error.tag).toBe('OutputError');
    expect(error.path).toBe(taken);
    expect(readdirSync(folder).sort()).toEqual(['table.csv', 'taken']);
    expect((await errorOf(writeFileAtomic(join(folder, 'none', 'a.txt'), 'x'))).message).toContain('the folder does not exist');
  });
});
