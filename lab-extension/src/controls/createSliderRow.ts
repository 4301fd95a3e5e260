import { allowedValue, type ControlValue, type SliderControl } from 'leemlab/wire';
import { type ControlRow, createLabel, fieldId, type OnInput } from './ControlRow.js';

/** A slider for the hand and a number box for the exact value. */
export function createSliderRow(control: SliderControl, onInput: OnInput): ControlRow {
  const label = createLabel(control.label || control.name, fieldId());
  const slider = createField('range', control);
  slider.id = label.htmlFor;
  const box = createField('number', control);
  box.setAttribute('aria-label', `${label.textContent} (number)`);
  let current: ControlValue = control.value;

  const show = (value: ControlValue): void => {
    current = value;
    if (Number(slider.value) !== value) slider.value = String(value);
    if (box.value !== String(value)) box.value = String(value);
  };
  const take = (value: ControlValue, isOnTheWay: boolean): void => {
    const changed = value !== current;
    show(value);
    if (changed) onInput(value, isOnTheWay);
  };
  slider.addEventListener('input', () => take(allowedValue(control, Number(slider.value)) ?? current, true));
  const takeBox = (): void => {
    const wanted = box.value.trim() === '' ? Number.NaN : Number(box.value);
    const inRange = Math.min(control.max, Math.max(control.min, wanted));
    take(allowedValue(control, inRange) ?? current, false);
  };
  // not on every key: "12" is not first a 1
  box.addEventListener('change', takeBox);
  box.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') takeBox();
    if (key === 'Escape') show(current);
  });
  show(control.value);
  return {
    nodes: [label, slider, box],
    show,
    enable: (enabled) => {
      slider.disabled = !enabled;
      box.disabled = !enabled;
    },
  };
}

function createField(type: 'range' | 'number', { min, max, step }: SliderControl): HTMLInputElement {
  const input = document.createElement('input');
  input.type = type;
  input.className = type === 'range' ? 'leemlab-control-slider' : 'leemlab-control-number';
  input.min = String(min);
  input.max = String(max);
  input.step = String(step);
  return input;
}
