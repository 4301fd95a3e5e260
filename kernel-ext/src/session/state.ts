/** What the main thread and the helper thread of a session share: an Int32Array of these places. */
export const PLACES = {
  /** 1 while the main thread does work of the kernel's own, which must not be cut off. */
  guarded: 0,
  /** Number of the last sign of life that the main thread gave. */
  pong: 1,
  /** Sequence number of the last interrupt that was carried out. */
  done: 2,
  /** How far the two are with cutting off what runs: one of CUT. */
  cut: 3,
  /** 1 while something runs that has asked for the cell's signal, and so will stop by itself. */
  polite: 4,
} as const;

export const PLACE_COUNT: number = 5;

/** What the helper thread posts to the main thread beside what the server sent. */
export type HelperMessage =
  | { readonly type: 'ping'; readonly number: number }
  /** JavaScript was cut off: what ran then never comes back, not even to its `finally`. */
  | { readonly type: 'cut' };
