import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { Kernel } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { CONTROLS_MIME_TYPE, type ControlsBundle, type ControlValue, parseControlsBundle } from 'leemlab/wire';
import { findCommConnection } from '../session/findCommConnection.js';
import { findSession } from '../session/findSession.js';
import type { ChannelObserver, ControlsChannel } from './ControlsChannel.js';
import { ControlsPanel } from './ControlsPanel.js';
import { joinChannel, leaveChannel } from './joinChannel.js';
import { keepKeys } from './keepKeys.js';

/** Milliseconds after which values that come to rest are written into the notebook. */
const SAVE_AFTER_MS = 250;

const WAITING = 'Waiting for the kernel …';
const LOST = 'Not connected: these are the last values. Run the cell again to change them.';

/** Shows one output with controls and ties it to the kernel of its notebook. */
export class ControlsRenderer extends Widget implements IRenderMime.IRenderer, ChannelObserver {
  readonly #shell: JupyterFrontEnd.IShell;
  readonly #resolver: IRenderMime.IResolver | null;
  readonly #panel: ControlsPanel;
  readonly #values = new Map<string, ControlValue>();
  #bundle: ControlsBundle | undefined;
  #model: IRenderMime.IMimeModel | undefined;
  #session: ISessionContext | undefined;
  #joined: { kernel: Kernel.IKernelConnection; id: string; channel: ControlsChannel } | undefined;
  /** Once the connection was lost, that is what is said until the kernel answers again. */
  #wasLost = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: IRenderMime.IRendererOptions, shell: JupyterFrontEnd.IShell) {
    super();
    this.#shell = shell;
    this.#resolver = options.resolver;
    this.#panel = new ControlsPanel((...input) => this.#joined?.channel.set(...input));
    this.addClass('leemlab-controls-output');
    keepKeys(this.#panel.node);
  }

  /** Called for a new output, for its updates, and after {@link #save}: only what differs is changed in the page. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const isNew = model !== this.#model;
    const isUpdate = isNew && this.#model !== undefined;
    this.#model = model;
    try {
      this.#bundle = parseControlsBundle(model.data[CONTROLS_MIME_TYPE]);
    } catch (error) {
      this.#showBroken((error as Error).message);
      return;
    }
    if (this.#panel.node.parentElement !== this.node) this.node.replaceChildren(this.#panel.node);
    if (isNew) this.#takeValues(this.#bundle);
    this.#join();
    // the kernel has just shown them: it knows the id, and the values are its own
    if (isUpdate) this.#joined?.channel.refresh(this.#values);
    else this.channelChanged();
  }

  channelChanged(): void {
    if (!this.#bundle || this.isDisposed) return;
    const { controls } = this.#bundle;
    const channel = this.#joined?.channel;
    if (channel) for (const { name } of controls) this.#takeValue(name, channel.values.get(name));
    const isLive = channel?.phase === 'live' && this.#joined?.kernel.connectionStatus === 'connected';
    if (isLive) this.#wasLost = false;
    // before it is attached, no output has a kernel
    else if (this.isAttached && (!channel || channel.phase === 'closed')) this.#wasLost = true;
    this.#panel.show(controls, this.#values);
    this.#panel.setStatus({
      enabled: isLive,
      busy: isLive && channel.busy,
      hint: isLive || !this.isAttached ? '' : this.#wasLost ? LOST : WAITING,
      error: channel?.error ?? '',
    });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_AFTER_MS);
  }

  connectionClosed(): void {
    if (!this.isDisposed) this.#sessionChanged();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    const session = findSession(this, this.#resolver, this.#shell);
    if (session !== this.#session) {
      this.#unwatch();
      this.#session = session;
      session?.kernelChanged.connect(this.#sessionChanged, this);
      session?.connectionStatusChanged.connect(this.#sessionChanged, this);
    }
    this.#sessionChanged();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    clearTimeout(this.#timer);
    this.#leave();
    this.#unwatch();
    super.dispose();
  }

  #sessionChanged(): void {
    this.#join();
    this.channelChanged();
  }

  #unwatch(): void {
    this.#session?.kernelChanged.disconnect(this.#sessionChanged, this);
    this.#session?.connectionStatusChanged.disconnect(this.#sessionChanged, this);
  }

  #join(): void {
    const own = this.#session?.session?.kernel;
    const id = this.#bundle?.id;
    if (!own || own.isDisposed || own.status === 'dead' || id === undefined) {
      this.#leave();
      return;
    }
    const joined = this.#joined;
    if (joined?.id === id && joined.kernel.id === own.id && !joined.kernel.isDisposed) return;
    this.#leave();
    const kernel = findCommConnection(own, this.#shell);
    this.#joined = { kernel, id, channel: joinChannel(kernel, id, this) };
  }

  #leave(): void {
    if (this.#joined) leaveChannel(this.#joined.kernel, this.#joined.id, this);
    this.#joined = undefined;
  }

  #takeValues({ controls }: ControlsBundle): void {
    const names = new Set(controls.map(({ name }) => name));
    for (const name of this.#values.keys()) if (!names.has(name)) this.#values.delete(name);
    for (const { name, value } of controls) this.#values.set(name, value);
  }

  #takeValue(name: string, value: ControlValue | undefined): void {
    if (value !== undefined) this.#values.set(name, value);
  }

  /** Writes the values into the notebook, so that it is saved with them. */
  #save(): void {
    if (!this.#bundle || !this.#model) return;
    const controls = this.#bundle.controls.map((control) => ({
      ...control,
      value: this.#values.get(control.name) ?? control.value,
    }));
    if (controls.every(({ value }, k) => value === this.#bundle?.controls[k]?.value)) return;
    const bundle = { ...this.#bundle, controls };
    this.#model.setData({
      data: { ...this.#model.data, [CONTROLS_MIME_TYPE]: JSON.parse(JSON.stringify(bundle)) },
      metadata: this.#model.metadata,
    });
  }

  #showBroken(reason: string): void {
    this.#bundle = undefined;
    this.#leave();
    const node = document.createElement('div');
    node.className = 'leemlab-controls-error';
    node.setAttribute('role', 'alert');
    node.textContent = `These controls cannot be shown. Run the cell again; if that does not help, bring leemlab and its JupyterLab extension to the same version. (${reason})`;
    this.node.replaceChildren(node);
  }
}
