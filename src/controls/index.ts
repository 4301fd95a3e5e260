export { type Controls, controls, type OnChange } from './controls.js';
export type { ControlSpec, ControlsSpec, SelectSpec, SliderSpec, ToggleSpec, ValueOf, ValuesOf } from './controlsFrom.js';
