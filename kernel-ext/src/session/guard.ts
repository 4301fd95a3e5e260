import { PLACES } from './state.js';

let state: Int32Array | undefined;
let depth = 0;

/** Tells the guard where the helper thread looks. */
export function shareState(shared: Int32Array): void {
  state = shared;
}

/** Says whether what runs will stop by the cell's signal, so that there is no need to cut it off at once. */
export function setPolite(polite: boolean): void {
  if (state) Atomics.store(state, PLACES.polite, polite ? 1 : 0);
}

/** Runs work of the kernel's own, which an interrupt must not cut off. */
export function guarded<Result>(work: () => Result): Result {
  depth++;
  if (state) Atomics.store(state, PLACES.guarded, 1);
  try {
    return work();
  } finally {
    depth--;
    if (state && depth === 0) Atomics.store(state, PLACES.guarded, 0);
  }
}

/** Code was cut off: no guard is left. */
export function resetGuard(): void {
  depth = 0;
  if (state) Atomics.store(state, PLACES.guarded, 0);
}
