import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Kernel } from '@jupyterlab/services';
import { sessionOf } from './findSession.js';

/** Connections made here, by kernel. */
const clones = new Map<string, Kernel.IKernelConnection>();

/**
 * A connection to the same kernel that carries comms. JupyterLab gives them to the first connection of a page only, so
 * that a notebook whose kernel was first opened by a console has none of its own.
 */
export function findCommConnection(kernel: Kernel.IKernelConnection, shell: JupyterFrontEnd.IShell): Kernel.IKernelConnection {
  if (kernel.handleComms) return kernel;
  for (const widget of shell.widgets('main')) {
    const other = sessionOf(widget)?.session?.kernel;
    if (other?.id === kernel.id && other.handleComms) return other;
  }
  const known = clones.get(kernel.id);
  if (known && !known.isDisposed) return known;
  const clone = kernel.clone({ handleComms: true });
  clones.set(kernel.id, clone);
  return clone;
}
