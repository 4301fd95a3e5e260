import type { Control, ControlValue } from 'leemlab/wire';
import type { ControlRow, OnInput } from './ControlRow.js';
import { createSelectRow } from './createSelectRow.js';
import { createSliderRow } from './createSliderRow.js';
import { createToggleRow } from './createToggleRow.js';

/** What the panel calls when the user sets a control; see {@link OnInput}. */
export type PanelInput = (name: string, value: ControlValue, isOnTheWay: boolean) => void;

/** What the panel says besides the values. */
export interface PanelStatus {
  readonly enabled: boolean;
  readonly busy: boolean;
  /** One line on why the controls cannot be moved; empty: nothing to say. */
  readonly hint: string;
  readonly error: string;
}

interface PlacedRow {
  /** What the row was made for, besides the value. */
  readonly shape: string;
  readonly row: ControlRow;
}

/** The controls in the page. Rows stay as they are while their control does, so that nothing moves under the pointer. */
export class ControlsPanel {
  readonly node: HTMLElement;
  readonly #grid = createElement('div', 'leemlab-controls-grid');
  readonly #busy = createElement('div', 'leemlab-controls-busy');
  readonly #hint = createElement('div', 'leemlab-controls-hint');
  readonly #error = createElement('div', 'leemlab-controls-error');
  readonly #onInput: PanelInput;
  #rows = new Map<string, PlacedRow>();

  constructor(onInput: PanelInput) {
    this.#onInput = onInput;
    this.node = createElement('div', 'leemlab-controls');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', 'Controls');
    this.#busy.setAttribute('role', 'progressbar');
    this.#busy.setAttribute('aria-label', 'Computing');
    this.#hint.setAttribute('role', 'status');
    this.#error.setAttribute('role', 'alert');
    this.node.append(this.#busy, this.#grid, this.#hint, this.#error);
  }

  /** Shows these controls with these values. */
  show(controls: readonly Control[], values: ReadonlyMap<string, ControlValue>): void {
    const shapes = controls.map(({ value: _, ...rest }) => JSON.stringify(rest));
    const isSame = controls.length === this.#rows.size && controls.every((_, k) => this.#shapeAt(k) === shapes[k]);
    if (!isSame) this.#place(controls, shapes);
    for (const { name, value } of controls) this.#rows.get(name)?.row.show(values.get(name) ?? value);
  }

  setStatus({ enabled, busy, hint, error }: PanelStatus): void {
    for (const { row } of this.#rows.values()) row.enable(enabled);
    this.node.classList.toggle('leemlab-mod-disabled', !enabled);
    this.node.setAttribute('aria-busy', String(busy));
    this.#busy.hidden = !busy;
    for (const [node, text] of [
      [this.#hint, hint],
      [this.#error, error],
    ] as const) {
      if (node.textContent !== text) node.textContent = text;
      node.hidden = text === '';
    }
  }

  #shapeAt(place: number): string | undefined {
    return [...this.#rows.values()][place]?.shape;
  }

  #place(controls: readonly Control[], shapes: readonly string[]): void {
    const rows = new Map<string, PlacedRow>();
    controls.forEach((control, k) => {
      const shape = shapes[k] as string;
      const old = this.#rows.get(control.name);
      const row = old?.shape === shape ? old.row : createRow(control, (...input) => this.#onInput(control.name, ...input));
      rows.set(control.name, { shape, row });
    });
    this.#rows = rows;
    this.#grid.replaceChildren(...[...rows.values()].flatMap(({ row }) => row.nodes));
  }
}

function createRow(control: Control, onInput: OnInput): ControlRow {
  if (control.kind === 'slider') return createSliderRow(control, onInput);
  return control.kind === 'select' ? createSelectRow(control, onInput) : createToggleRow(control, onInput);
}

function createElement(tag: string, className: string): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  return node;
}
