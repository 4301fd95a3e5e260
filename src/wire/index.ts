/**
 * What notebooks and their front end say to each other: JSON contracts with their checks. Neither tfjs nor Node's own
 * modules are needed.
 */
export {
  allowedValue,
  CONTROLS_MIME_TYPE,
  CONTROLS_TARGET,
  type Control,
  type ControlsBundle,
  type ControlsChange,
  type ControlsMessage,
  type ControlsOpen,
  type ControlValue,
  parseControlsBundle,
  parseControlsChange,
  parseControlsMessage,
  parseControlsOpen,
  type SelectControl,
  type SelectOption,
  type SliderControl,
  type ToggleControl,
} from './controls.js';
export { MOST_AXIS_VALUES, parseStackBundle, STACK_MIME_TYPE, type StackBundle } from './stack.js';
