import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Widget } from '@lumino/widgets';

/** What notebook panels and consoles have in common. Asked by shape: their packages would bring the whole editor along. */
interface SessionHolder {
  readonly sessionContext?: ISessionContext;
  readonly context?: { readonly urlResolver?: unknown };
}

/** The session of a notebook or console panel, if `widget` is one. */
export function sessionOf(widget: Widget): ISessionContext | undefined {
  return (widget as SessionHolder).sessionContext;
}

/**
 * The session of the notebook or console that shows `output`. An output that was moved to a panel of its own ("Create New
 * View for Output") is found by the notebook's path resolver, which the two share.
 */
export function findSession(
  output: Widget,
  resolver: IRenderMime.IResolver | null,
  shell: JupyterFrontEnd.IShell,
): ISessionContext | undefined {
  for (let widget = output.parent; widget; widget = widget.parent) {
    const session = sessionOf(widget);
    if (session) return session;
  }
  if (!resolver) return undefined;
  for (const widget of shell.widgets('main'))
    if ((widget as SessionHolder).context?.urlResolver === resolver) return sessionOf(widget);
  return undefined;
}
