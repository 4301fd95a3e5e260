import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { createControlsFactory } from './controls/createControlsFactory.js';

/** Shows `leem.controls(…)` in notebooks and consoles. */
const controls: JupyterFrontEndPlugin<void> = {
  id: '@leemlab/jupyterlab:controls',
  description: 'Sliders, selects and toggles whose values live in the kernel.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, rendermime: IRenderMimeRegistry) => {
    rendermime.addFactory(createControlsFactory(app.shell));
  },
};

const plugins: JupyterFrontEndPlugin<unknown>[] = [controls];
export default plugins;
