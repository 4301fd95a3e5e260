import type { ToggleControl } from 'leemlab/wire';
import { type ControlRow, createLabel, fieldId, type OnInput } from './ControlRow.js';

/** A check box. */
export function createToggleRow(control: ToggleControl, onInput: OnInput): ControlRow {
  const label = createLabel(control.label || control.name, fieldId());
  const box = document.createElement('input');
  box.type = 'checkbox';
  box.className = 'leemlab-control-toggle';
  box.id = label.htmlFor;
  box.checked = control.value;
  box.addEventListener('change', () => onInput(box.checked, false));
  return {
    nodes: [label, box],
    show: (value) => {
      box.checked = value === true;
    },
    enable: (enabled) => {
      box.disabled = !enabled;
    },
  };
}
