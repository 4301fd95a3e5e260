import { describe, expect, test } from 'vitest';
import { breathe, finishSteps, Pace, paceSteps, type Steps } from '../../../src/backend/index.js';

const busy = (ms: number): void => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

function* threePieces(log: string[]): Steps<number> {
  try {
    for (const piece of ['a', 'b', 'c']) {
      log.push(piece);
      busy(50);
      yield;
    }
    return 3;
  } finally {
    log.push('end');
  }
}

test('breathe lets timers and signals run, also where the global setImmediate is not to be had', async () => {
  let ran = false;
  setImmediate(() => {
    ran = true;
  });
  const own = globalThis.setImmediate;
  globalThis.setImmediate = (() => {
    throw new Error('not for the library');
  }) as unknown as typeof setImmediate;
  try {
    await breathe();
    await breathe();
  } finally {
    globalThis.setImmediate = own;
  }
  expect(ran).toBe(true);
});

describe('Pace', () => {
  test('an abort between two pieces ends the work, and what it does in the end is done', async () => {
    const log: string[] = [];
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    const work = paceSteps(threePieces(log), new Pace(controller.signal, 'The work'));
    await expect(work).rejects.toThrow('The work was stopped');
    expect(log).toEqual(['a', 'end']);
  });

  test('pieces give the same paced or in one go', async () => {
    const [paced, once]: string[][] = [[], []];
    expect(await paceSteps(threePieces(paced), new Pace(undefined, 'The work'))).toBe(finishSteps(threePieces(once)));
    expect(paced).toEqual(once);
  });

  test('short pieces do not wait for the event loop', async () => {
    const pace = new Pace(undefined, 'The work');
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    for (let k = 0; k < 100; k++) await pace.next();
    expect(turned).toBe(false);
  });
});
