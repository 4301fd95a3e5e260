import { breathe, irfft2d, tf } from '../backend/index.js';
import { throwIfAborted } from '../errors.js';
import { PAIR_BLOCK } from '../registration/index.js';
import { Random } from '../synthetic/index.js';

/**
 * Time of real inverse FFTs alone, in batches of the pair step: the yardstick for it.
 *
 * @param count how many.
 * @param side rows and columns of each.
 * @returns seconds.
 */
export async function timeBareTransforms(count: number, side: number, signal?: AbortSignal): Promise<number> {
  const random = new Random(0);
  const part = () =>
    tf.tensor3d(random.fillNormal(new Float32Array(PAIR_BLOCK * side * (side / 2 + 1))), [PAIR_BLOCK, side, side / 2 + 1]);
  const batch = tf.tidy(() => tf.complex(part(), part()));
  try {
    irfft2d(batch).dispose(); // plans and threads start with the first
    let seconds = 0;
    for (let done = 0; done < count; done += PAIR_BLOCK) {
      throwIfAborted(signal, 'The benchmark');
      const rest = count - done;
      const input = rest >= PAIR_BLOCK ? batch : batch.slice([0, 0, 0], [rest, -1, -1]);
      const start = performance.now();
      irfft2d(input).dispose();
      seconds += (performance.now() - start) / 1000;
      if (input !== batch) input.dispose();
      if (done % (16 * PAIR_BLOCK) === 0) await breathe();
    }
    return seconds;
  } finally {
    batch.dispose();
  }
}
