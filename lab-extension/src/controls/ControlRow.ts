import type { ControlValue } from 'leemlab/wire';

/** One control in the page. */
export interface ControlRow {
  /** Label and fields, cells of the panel's grid. */
  readonly nodes: readonly HTMLElement[];
  /** Shows a value that did not come from this row; does nothing where it stands already. */
  show(value: ControlValue): void;
  enable(enabled: boolean): void;
}

/** What a row calls when the user sets its control; `isOnTheWay`: while it is dragged, more values follow. */
export type OnInput = (value: ControlValue, isOnTheWay: boolean) => void;

let count = 0;

/** An id that is unique in the page, to tie a label to its field. */
export function fieldId(): string {
  count += 1;
  return `leemlab-control-${count}`;
}

export function createLabel(text: string, field: string): HTMLLabelElement {
  const label = document.createElement('label');
  label.className = 'leemlab-control-label';
  label.htmlFor = field;
  label.textContent = text;
  label.title = text;
  return label;
}
