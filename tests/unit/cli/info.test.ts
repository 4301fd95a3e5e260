import { expect, test } from 'vitest';
import { describeValues } from '../../../src/cli/info.js';

test('range, step and order of an axis', () => {
  const energies = Float64Array.from({ length: 240 }, (_, n) => Math.fround(-4 + 0.1 * n));
  const span = describeValues(energies);
  expect(span).toMatchObject({ min: -4, order: 'rising' });
  expect(span?.max).toBeCloseTo(19.9, 5);
  expect(span?.step).toBeCloseTo(0.1, 5);
  expect(describeValues([3, 2, 1])).toEqual({ min: 1, max: 3, step: -1, order: 'falling' });
  expect(describeValues([1, 2, 4])).toEqual({ min: 1, max: 4, step: undefined, order: 'rising' });
  expect(describeValues([1, 3, 2])).toEqual({ min: 1, max: 3, step: undefined, order: 'mixed' });
  expect(describeValues([5, 5])).toEqual({ min: 5, max: 5, step: undefined, order: 'constant' });
  expect(describeValues([7])).toEqual({ min: 7, max: 7, step: undefined, order: 'constant' });
  expect(describeValues([Number.NaN])).toBeUndefined();
});
