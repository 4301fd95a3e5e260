import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executed, KernelClient } from './KernelClient.js';

// Each loop is stopped a moment after it has begun; afterwards the kernel must hold its variables and run cells.

let kernel: KernelClient;

beforeAll(async () => {
  kernel = await KernelClient.start();
  await kernel.execute('const kept = { value: 5 }; let ticks = 0;');
}, 60_000);
afterAll(() => kernel.stop());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a cell, stops it, and gives how it ended and how long that took. */
async function stop(code: string, how: () => Promise<void> = () => kernel.interrupt()): Promise<Executed & { ms: number }> {
  const id = await kernel.startCell(code);
  await kernel.until(() => kernel.of(id).some(({ type }) => type === 'execute_input'), 'start of the cell');
  await pause(250);
  const start = Date.now();
  await how();
  return { ...(await kernel.finishCell(id)), ms: Date.now() - start };
}

async function expectKept(): Promise<void> {
  expect(kernel.alive).toBe(true);
  expect(KernelClient.result(await kernel.execute('kept.value'))).toBe('5');
}

const LOOPS = {
  'a synchronous loop': 'let i = 0; while (true) i++;',
  'a synchronous loop that catches errors': 'while (true) { try { for (;;); } catch { } finally { } }',
  'a synchronous spin after an await': 'await new Promise((r) => setTimeout(r, 20)); while (true);',
  'a spin in a timer': 'setTimeout(() => { while (true); }, 10); await new Promise(() => {});',
  'a spin in setImmediate': 'setImmediate(() => { while (true); }); await new Promise(() => {});',
  'a spin in a callback of the file system':
    "(await import('node:fs')).readFile('package.json', () => { while (true); }); await new Promise(() => {});",
  'a microtask loop': 'for (;;) await null;',
  'a microtask loop left behind': '(async () => { for (;;) await null; })(); await new Promise(() => {});',
  'a loop of queueMicrotask': 'queueMicrotask(function again() { queueMicrotask(again); }); await new Promise(() => {});',
  'an async generator': 'async function* all() { for (;;) yield 1; }\nfor await (const x of all());',
  'an awaiting cell': 'await new Promise(() => {});',
  'a loop of timers': 'for (;;) await new Promise((r) => setTimeout(r, 10));',
  'a loop of timer promises': "import { setTimeout as wait } from 'node:timers/promises';\nfor (;;) await wait(10);",
  'an endless print': "while (true) console.log('all work and no play');",
  'a regular expression that backtracks': "/(a+)+$/.test('a'.repeat(40) + 'b')",
  'a sort': 'for (;;) Array.from({ length: 100_000 }, Math.random).sort((a, b) => a - b);',
  'a cell that waits by the signal':
    "await new Promise((_, reject) => cell.signal.addEventListener('abort', () => reject(cell.signal.reason)));",
};

describe('an interrupt stops within a second, variables kept', () => {
  test.each(Object.entries(LOOPS))('%s', async (_, code) => {
    const { reply, ms, outputs } = await stop(code);
    expect(reply.content).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect(outputs.at(-1)?.content.ename).toBe('Interrupted');
    // no benchmark: a second is what the user was promised, and a stuck kernel would take ten
    expect(ms).toBeLessThan(3000);
    await expectKept();
  });

  test('SIGINT does the same', async () => {
    const { reply } = await stop('while (true);', async () => void process.kill(kernel.process.pid!, 'SIGINT'));
    expect(reply.content.ename).toBe('Interrupted');
    await expectKept();
  });

  test('SIGINT to the whole group, as a terminal sends it', async () => {
    const { reply } = await stop('await new Promise((r) => setTimeout(r, 30)); for (;;);', async () => {
      process.kill(-kernel.process.pid!, 'SIGINT');
    });
    expect(reply.content.ename).toBe('Interrupted');
    await expectKept();
  });

  test('a program that the cell waits for', async () => {
    const { reply, ms } = await stop("import { execFileSync } from 'node:child_process';\nexecFileSync('sleep', ['60']);");
    expect(reply.content.status).toBe('error');
    expect(ms).toBeLessThan(5000);
    await expectKept();
  });

  test('a timer loop left behind', async () => {
    await kernel.execute('setInterval(() => { ticks++; }, 5); (function again() { ticks++; setTimeout(again, 5); })();');
    await kernel.interrupt();
    await pause(50);
    const before = KernelClient.result(await kernel.execute('ticks'));
    await pause(200);
    expect(KernelClient.result(await kernel.execute('ticks'))).toBe(before);
  });

  test('a spin in a timer left behind', async () => {
    await kernel.execute('setTimeout(() => { while (true); }, 50); 1');
    await pause(150);
    await kernel.interrupt();
    await expectKept();
  });
});

test('the second interrupt, and the third, are harmless', async () => {
  const { reply } = await stop('await new Promise((r) => setTimeout(r, 20)); while (true);', async () => {
    await Promise.all([kernel.interrupt(), kernel.interrupt(), kernel.interrupt()]);
  });
  expect(reply.content.ename).toBe('Interrupted');
  await kernel.interrupt();
  await expectKept();
});

test('an interrupt of nothing is harmless', async () => {
  for (let n = 0; n < 5; n++) await kernel.interrupt();
  await expectKept();
});

test('what waits behind the stopped cell is aborted; what comes later runs', async () => {
  const first = await kernel.startCell('while (true);');
  const second = await kernel.startCell("'must not run'");
  await pause(250);
  await kernel.interrupt();
  expect((await kernel.finishCell(first)).reply.content.ename).toBe('Interrupted');
  expect((await kernel.finishCell(second)).reply.content.status).toBe('aborted');
  await expectKept();
});

test('a run of short cells is stopped, also where the stop falls between two', async () => {
  const code = 'const start = Date.now(); while (Date.now() - start < 40); 1';
  const ids: string[] = [];
  for (let n = 0; n < 30; n++) ids.push(await kernel.startCell(code));
  await kernel.until(() => kernel.replies.some(({ parent }) => parent === ids[3]), 'end of the fourth cell');
  await kernel.interrupt();
  const ends: string[] = [];
  for (const id of ids) ends.push((await kernel.finishCell(id)).reply.content.status);
  expect(ends.filter((end) => end === 'aborted').length).toBeGreaterThan(15);
  await expectKept();
});

test('a listener of a comm that does not end is stopped, and its message is answered', async () => {
  await kernel.execute("comms.register('spin', (comm) => comm.onMessage(() => { for (;;); }));");
  await kernel.idle(await kernel.send('shell', 'comm_open', { comm_id: 'spin', target_name: 'spin', data: {} }));
  const id = await kernel.send('shell', 'comm_msg', { comm_id: 'spin', data: {} });
  await pause(200);
  await kernel.interrupt();
  await kernel.idle(id);
  expect(kernel.of(id).some(({ type, content }) => type === 'stream' && /was stopped/.test(content.text))).toBe(true);
  await expectKept();
});

test('an interrupt of what a cell left behind does not end the next cell', async () => {
  await kernel.execute('setTimeout(async () => { for (;;) await null; }, 50); 1');
  await pause(150);
  const stopped = kernel.interrupt();
  const next = await kernel.startCell('let sum = 0; for (let n = 0; n < 1000; n++) sum += n; await null; sum');
  await stopped;
  expect((await kernel.finishCell(next)).reply.content.status).toBe('ok');
});

test('a cell that ends by itself when it is asked to keeps its result', async () => {
  const { reply, outputs } = await stop(
    "const why = await new Promise((done) => cell.signal.addEventListener('abort', () => done(cell.signal.reason.name))); why",
  );
  expect(reply.content.status).toBe('ok');
  expect(outputs.at(-1)?.content.data['text/plain']).toBe("'Interrupted'");
});

test('a question that is open is withdrawn', async () => {
  const id = await kernel.startCell("await input('? ')", { allow_stdin: true });
  await kernel.until(() => kernel.replies.some(({ type, parent }) => type === 'input_request' && parent === id), 'question');
  await kernel.interrupt();
  expect((await kernel.finishCell(id)).reply.content.ename).toBe('Interrupted');
  await expectKept();
});

test('a hundred interrupts at random moments of mixed work leave the kernel as it was', async () => {
  // fixed moments, spread as random ones are: a failure can be had again
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const codes = Object.values(LOOPS).slice(0, 12);
  for (let n = 0; n < 100; n++) {
    const id = await kernel.startCell(codes[n % codes.length]);
    await pause(random() * 60);
    await kernel.interrupt();
    const { reply } = await kernel.finishCell(id);
    expect(['Interrupted', 'aborted']).toContain(reply.content.ename ?? reply.content.status);
  }
  await expectKept();
}, 120_000);

describe('native code that does not come back', () => {
  test('is named, and its process replaced when the user insists; the kernel lives, the variables are lost', async () => {
    const other = await KernelClient.start();
    try {
      await other.execute('const lost = 1;');
      const id = await other.startCell('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
      await pause(300);
      await other.interrupt();
      const said = (): boolean =>
        other.of(id).some(({ type, content }) => type === 'stream' && /cannot be interrupted/.test(content.text));
      const ended = (): boolean => other.replies.some(({ parent }) => parent === id);
      await other.until(() => said() || ended(), 'word of the kernel');
      if (!ended()) await other.interrupt();
      const { reply } = await other.finishCell(id);
      expect(reply.content.status).toBe('error');
      if (reply.content.ename === 'SessionLost') {
        expect(reply.content.evalue).toMatch(/variables are lost/);
        expect((await other.execute('typeof lost')).reply.content.ename).toBe('TypeScriptError');
      }
      expect(KernelClient.result(await other.execute('1 + 1'))).toBe('2');
    } finally {
      await other.stop();
    }
  }, 60_000);
});
