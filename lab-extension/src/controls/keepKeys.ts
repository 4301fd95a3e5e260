/** The attribute by which JupyterLab is told not to take keys for commands. */
const SUPPRESS = 'data-lm-suppress-shortcuts';

/**
 * Leaves the keys that move a control to the control: a notebook takes arrows and letters as commands, even while a slider
 * has the focus. Keys with a modifier (save, run) and Escape stay with the notebook.
 */
export function keepKeys(node: HTMLElement): void {
  const decide = ({ target, ctrlKey, metaKey, altKey, shiftKey, key }: KeyboardEvent): void => {
    const isCommand = ctrlKey || metaKey || altKey || key === 'Escape' || (shiftKey && key === 'Enter');
    // on the field itself: JupyterLab looks no further where a command's selector already fits it
    if (target instanceof Element && node.contains(target)) target.toggleAttribute(SUPPRESS, !isCommand);
  };
  // on the window, before JupyterLab's own listener on the document
  node.addEventListener('focusin', () => window.addEventListener('keydown', decide, true));
  node.addEventListener('focusout', () => window.removeEventListener('keydown', decide, true));
}
