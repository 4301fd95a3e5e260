import { describe, expect, test } from 'vitest';
import {
  allowedValue,
  type ControlsBundle,
  parseControlsBundle,
  parseControlsChange,
  parseControlsMessage,
  parseControlsOpen,
  type SliderControl,
} from '../../../src/wire/index.js';

const sigma: SliderControl = { kind: 'slider', name: 'sigma', label: 'sigma', min: 1, max: 17, step: 0.5, value: 3 };
const bundle: ControlsBundle = {
  version: 1,
  id: 'a1',
  target: 'leemlab.controls',
  controls: [
    sigma,
    {
      kind: 'select',
      name: 'method',
      label: 'method',
      options: [
        { value: 'robust', label: 'robust' },
        { value: 4, label: 'four' },
      ],
      value: 4,
    },
    { kind: 'toggle', name: 'pattern', label: 'pattern', value: true },
  ],
};

const withSlider = (change: object): unknown => ({ ...bundle, controls: [{ ...sigma, ...change }] });

describe('parseControlsBundle()', () => {
  test('gives back what is right, also after JSON, without unknown fields', () => {
    expect(parseControlsBundle(bundle)).toEqual(bundle);
    expect(parseControlsBundle({ ...JSON.parse(JSON.stringify(bundle)), more: 1 })).toEqual(bundle);
  });

  test.each([
    [undefined, "'bundle' must be an object, got undefined"],
    [[bundle], "'bundle' must be an object, got an array of 1"],
    [{ ...bundle, version: 2 }, "'version' must be 1, got 2"],
    [{ ...bundle, target: 'other' }, '\'target\' must be "leemlab.controls", got "other"'],
    [{ ...bundle, id: '' }, "'id' must be a name"],
    [{ ...bundle, id: 7 }, "'id' must be a text"],
    [{ ...bundle, controls: [] }, "'controls' must be an array of 1 to 100 values"],
    [{ ...bundle, controls: Array(101).fill(sigma) }, "'controls' must be an array of 1 to 100 values"],
    [{ ...bundle, controls: [sigma, sigma] }, "'controls' must be controls of different names"],
    [withSlider({ kind: 'knob' }), '\'controls[0].kind\' must be "slider" or "select" or "toggle"'],
    [withSlider({ name: '__proto__' }), "'controls[0].name' must be a name"],
    [withSlider({ min: '1' }), '\'controls[0].min\' must be a finite number, got "1"'],
    [withSlider({ max: 1 }), "'controls[0].max' must be above 'min' (1), got 1"],
    [withSlider({ step: 0 }), "'controls[0].step' must be above 0 and at most 16, got 0"],
    [withSlider({ value: 18 }), "'controls[0].value' must be a value that the control allows, got 18"],
    [withSlider({ label: 'x'.repeat(5000) }), "'controls[0].label' must be a text of at most 4096 characters"],
    [{ ...bundle, controls: [{ ...bundle.controls[1], options: [] }] }, "'controls[0].options' must be an array of 1 to 1000"],
    [
      {
        ...bundle,
        controls: [
          {
            ...bundle.controls[1],
            options: [
              { value: 4, label: 'a' },
              { value: 4, label: 'b' },
            ],
          },
        ],
      },
      'options of different values',
    ],
    [{ ...bundle, controls: [{ ...bundle.controls[1], value: '4' }] }, 'a value that the control allows'],
    [{ ...bundle, controls: [{ ...bundle.controls[2], value: 1 }] }, "'controls[0].value' must be true or false, got 1"],
  ])('refuses %#', (value, words) => {
    expect(() => parseControlsBundle(value)).toThrow(words as string);
  });
});

describe('allowedValue()', () => {
  test('takes the nearest step of a slider, without the dirt of binary fractions', () => {
    expect(allowedValue(sigma, 3.2)).toBe(3);
    expect(allowedValue(sigma, 3.3)).toBe(3.5);
    expect(allowedValue({ ...sigma, min: 0.1, max: 1, step: 0.1 }, 0.3)).toBe(0.3);
    expect(allowedValue({ ...sigma, min: 0, max: 1, step: 0.4 }, 1)).toBe(1);
    expect(allowedValue({ ...sigma, min: 0, max: 1, step: 0.4 }, 0.95)).toBe(0.8);
  });

  test.each([0.9, 17.1, Number.NaN, Number.POSITIVE_INFINITY, '3', null, {}])('a slider refuses %s', (value) => {
    expect(allowedValue(sigma, value)).toBeUndefined();
  });

  test('a select knows its options only, a toggle true and false', () => {
    expect(bundle.controls.slice(1).map((control) => allowedValue(control, 'robust'))).toEqual(['robust', undefined]);
    expect(bundle.controls.slice(1).map((control) => allowedValue(control, false))).toEqual([undefined, false]);
    expect(allowedValue(bundle.controls[1], '4')).toBeUndefined();
  });
});

describe('messages', () => {
  test('are read as they are sent', () => {
    expect(parseControlsOpen({ id: 'a1' })).toEqual({ id: 'a1' });
    const change = { type: 'set', name: 'sigma', value: 4, sequence: 2 };
    expect(parseControlsChange(change)).toEqual(change);
    for (const message of [
      { type: 'state', values: { sigma: 4, method: 'robust', pattern: false }, sequence: 0 },
      { type: 'busy', busy: true },
      { type: 'error', message: 'no' },
    ]) {
      expect(parseControlsMessage(message)).toEqual(message);
    }
  });

  test.each([
    [parseControlsOpen, {}, "'id' must be a text"],
    [parseControlsOpen, null, "'data' must be an object"],
    [parseControlsChange, { type: 'set', name: 'sigma', value: null, sequence: 1 }, "'value' must be a finite number"],
    [parseControlsChange, { type: 'set', name: 'sigma', value: 1, sequence: 0 }, "'sequence' must be a whole number from 1"],
    [parseControlsChange, { type: 'get' }, '\'type\' must be "set"'],
    [parseControlsMessage, { type: 'busy', busy: 1 }, "'busy' must be true or false"],
    [parseControlsMessage, { type: 'state', values: { a: [] }, sequence: 1 }, "'values.a' must be a finite number"],
    [parseControlsMessage, JSON.parse('{"type":"state","values":{"__proto__":1},"sequence":1}'), "'values' must be a name"],
  ])('%o refuses %o', (parse, value, words) => {
    expect(() => (parse as (value: unknown) => unknown)(value)).toThrow(words as string);
  });
});
