import type { Kernel } from '@jupyterlab/services';
import { type ChannelObserver, ControlsChannel } from './ControlsChannel.js';

const channels = new WeakMap<Kernel.IKernelConnection, Map<string, ControlsChannel>>();

/** The channel of the controls `id` of a kernel, opened by the first who joins. */
export function joinChannel(kernel: Kernel.IKernelConnection, id: string, observer: ChannelObserver): ControlsChannel {
  const ofKernel = channels.get(kernel) ?? watch(kernel);
  const channel = ofKernel.get(id) ?? new ControlsChannel(kernel, id);
  ofKernel.set(id, channel);
  channel.observers.add(observer);
  return channel;
}

/** Leaves a channel; the last one closes it. */
export function leaveChannel(kernel: Kernel.IKernelConnection, id: string, observer: ChannelObserver): void {
  const channel = channels.get(kernel)?.get(id);
  if (!channel?.observers.delete(observer) || channel.observers.size > 0) return;
  channels.get(kernel)?.delete(id);
  channel.dispose();
}

/** A kernel that restarts forgets its channels; when it is there again, they ask once whether it knows them. */
function watch(kernel: Kernel.IKernelConnection): Map<string, ControlsChannel> {
  const ofKernel = new Map<string, ControlsChannel>();
  channels.set(kernel, ofKernel);
  let restarted = false;
  kernel.statusChanged.connect((_, status) => {
    if (['restarting', 'autorestarting', 'dead', 'terminating'].includes(status)) {
      if (!restarted) for (const channel of ofKernel.values()) channel.drop();
      restarted = true;
    } else if (restarted && (status === 'idle' || status === 'busy')) {
      restarted = false;
      for (const channel of ofKernel.values()) channel.open();
    }
  });
  kernel.disposed.connect(() => {
    const closed = [...ofKernel.values()];
    ofKernel.clear();
    // when the one who closed it is done
    queueMicrotask(() => {
      for (const channel of closed) channel.disconnect();
    });
  });
  return ofKernel;
}
