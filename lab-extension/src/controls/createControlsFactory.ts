import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { CONTROLS_MIME_TYPE } from 'leemlab/wire';
import { ControlsRenderer } from './ControlsRenderer.js';

/** Before HTML (50), which a bundle may bring along for those who lack this extension. */
const RANK = 40;

/** What the notebook asks for a view of controls. Safe: nothing of a bundle becomes HTML or code. */
export function createControlsFactory(shell: JupyterFrontEnd.IShell): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [CONTROLS_MIME_TYPE],
    defaultRank: RANK,
    createRenderer: (options) => new ControlsRenderer(options, shell),
  };
}
