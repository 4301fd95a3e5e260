export { createProgress, type Progress, type ProgressOptions } from './createProgress.js';
export { DISPLAY, JUPYTER_DISPLAY } from './customDisplay.js';
export { finishBundle } from './finishBundle.js';
export { html, json, latex, MimeOutput, markdown, mime, png, svg } from './mime.js';
export { render } from './render.js';
export type { MimeBundle } from './types.js';
