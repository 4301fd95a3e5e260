import type { Registration } from '../registration/index.js';

/** Frames named one by one. */
const NAMED = 12;

/**
 * What to say of frames that the pairs gave a drift, but that were interpolated because the frames around them tell it
 * better; undefined where there are none.
 *
 * @param start index, in the input, of the first frame of the registered stack.
 */
export function interpolatedWarning(
  {
    frames,
    solution,
    drift,
  }: Pick<Registration, 'frames'> & {
    readonly solution: Pick<Registration['solution'], 'solved'>;
    readonly drift: Pick<Registration['drift'], 'used'>;
  },
  start: number,
): string | undefined {
  const left = frames.filter((n, m) => solution.solved[m] === 1 && drift.used[n] === 0).map((n) => start + n);
  if (left.length === 0) return undefined;
  const named = left.slice(0, NAMED).join(', ');
  const rest = left.length > NAMED ? ` and ${left.length - NAMED} more` : '';
  const which = left.length === 1 ? 'frame' : 'frames';
  return `drift of ${which} ${named}${rest} interpolated: the frames around tell it better than the ${which === 'frame' ? "frame's own image" : "frames' own images"}`;
}
