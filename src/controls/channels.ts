import { type HostChannel, host, type LeemHost } from '../host.js';
import { CONTROLS_TARGET, parseControlsOpen } from '../wire/index.js';

/** Takes a channel that a view of some controls opened. */
type Accept = (channel: HostChannel) => void;

const open = new Map<string, Accept>();
const listening = new WeakSet<LeemHost>();

/** Lets views in the front end find the controls `id`. */
export function answerChannels(id: string, accept: Accept): void {
  open.set(id, accept);
  const here = host();
  if (here === undefined || listening.has(here)) return;
  listening.add(here);
  here.onChannel(CONTROLS_TARGET, (channel, data) => {
    const known = open.get(idOf(data));
    if (known === undefined) channel.close();
    else known(channel);
  });
}

/** Views that come later find nobody. */
export function forgetChannels(id: string): void {
  open.delete(id);
}

function idOf(data: unknown): string {
  try {
    return parseControlsOpen(data).id;
  } catch {
    return ''; // nobody has this one
  }
}
