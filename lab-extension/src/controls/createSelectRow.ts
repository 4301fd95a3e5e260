import type { ControlValue, SelectControl } from 'leemlab/wire';
import { type ControlRow, createLabel, fieldId, type OnInput } from './ControlRow.js';

/** A drop-down list. The page knows options by their place, so that numbers and booleans stay what they are. */
export function createSelectRow(control: SelectControl, onInput: OnInput): ControlRow {
  const label = createLabel(control.label || control.name, fieldId());
  const select = document.createElement('select');
  select.className = 'leemlab-control-select';
  select.id = label.htmlFor;
  control.options.forEach((option, k) => {
    select.add(new Option(option.label || String(option.value), String(k)));
  });

  const show = (value: ControlValue): void => {
    select.selectedIndex = control.options.findIndex((option) => option.value === value);
  };
  select.addEventListener('change', () => {
    const option = control.options[select.selectedIndex];
    if (option) onInput(option.value, false);
  });
  show(control.value);
  return {
    nodes: [label, select],
    show,
    enable: (enabled) => {
      select.disabled = !enabled;
    },
  };
}
