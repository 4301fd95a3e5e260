import type { Json } from '../shared/messages.js';

/** Which comms are open, learnt from the messages that pass, so that comm_info is answered while a cell runs. */
export class CommRegistry {
  readonly #targets = new Map<string, string>();

  note(kind: string, { comm_id: id, target_name: target }: Json): void {
    if (kind === 'comm_open') this.#targets.set(String(id), String(target));
    if (kind === 'comm_close') this.#targets.delete(String(id));
  }

  /** `{ [comm id]: { target_name } }`, of one target if it is given. */
  list(target: unknown): Json {
    const wanted = typeof target === 'string' && target !== '' ? target : undefined;
    const entries = [...this.#targets].filter(([, name]) => wanted === undefined || name === wanted);
    return Object.fromEntries(entries.map(([id, name]) => [id, { target_name: name }]));
  }

  /** Forgets all and gives their ids. */
  clear(): string[] {
    const ids = [...this.#targets.keys()];
    this.#targets.clear();
    return ids;
  }
}
