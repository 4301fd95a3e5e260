import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executed, KernelClient, type Message } from './KernelClient.js';

// leemlab in a notebook: what the library takes from the kernel, and the kernel from the library.

let kernel: KernelClient;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function value(code: string): Promise<string> {
  const executed = await kernel.execute(code, {}, 120_000);
  const result = KernelClient.result(executed);
  if (result === undefined) throw new Error(JSON.stringify(executed.reply.content));
  return result;
}

const countTensors = async (): Promise<number> => Number(await value('leem.countTensors()'));

/** The kernel frees tensors when it has nothing to do, which on a busy machine may take a while. */
async function expectTensors(expected: number): Promise<void> {
  for (let n = 0; n < 40 && (await countTensors()) !== expected; n++) await pause(250);
  expect(await countTensors()).toBe(expected);
}

/** The count once nothing is left to be freed. */
async function settledTensors(): Promise<number> {
  let last = -1;
  for (let count = await countTensors(); count !== last; count = await countTensors()) {
    last = count;
    await pause(600);
  }
  return last;
}

beforeAll(async () => {
  kernel = await KernelClient.start();
  const { reply } = await kernel.execute(
    [
      "import * as leem from 'leemlab';",
      'const { tf } = leem;',
      'const series = leem.simulateGrapheneSeries({ frames: 16, height: 160, width: 160, seed: 3 });',
      'const stack = new leem.ImageStack(series.source());',
      'const options = { windowSize: 128, sigma: 3 };',
    ].join('\n'),
  );
  expect(reply.content.evalue).toBeUndefined();
}, 90_000);
afterAll(() => kernel.stop());

describe('tensors', () => {
  test('made in a cell and not kept are freed, those in variables stay', async () => {
    const before = await settledTensors();
    await kernel.execute(
      'for (let n = 0; n < 40; n++) tf.ones([512, 512]); const held = tf.tensor([1, 2, 3]); const inside = { deep: [tf.scalar(4)] };',
    );
    await expectTensors(before + 2);
    expect(await value('[held.arraySync(), inside.deep[0].arraySync()]')).toBe('[ [ 1, 2, 3 ], 4 ]');
    await kernel.execute('held.dispose(); inside.deep[0].dispose();');
    await expectTensors(before);
  });

  test('a closure keeps its tensor', async () => {
    await kernel.execute('const double = (() => { const two = tf.scalar(2); return (x: number) => two.mul(x).arraySync(); })();');
    await settledTensors();
    expect(await value('double(21)')).toBe('42');
  });

  test('memory is told', async () => {
    const { outputs } = await kernel.execute('leem.memory()');
    expect(outputs[0].content.data['text/plain']).toMatch(/tensors/i);
    expect(outputs[0].content.data['text/html']).toContain('<table');
    expect(Number(await value('leem.memory().residentBytes'))).toBeGreaterThan(1e8);
  });

  test('a cut in the middle of tidy leaves an engine that works', async () => {
    const before = await settledTensors();
    const id = await kernel.startCell('await 0; tf.tidy(() => { for (;;) tf.ones([64, 64]).add(1); });');
    await pause(400);
    await kernel.interrupt();
    expect((await kernel.finishCell(id)).reply.content.ename).toBe('Interrupted');
    expect(await value('tf.tidy(() => tf.ones([3]).sum().arraySync())')).toBe('3');
    await expectTensors(before);
  }, 60_000);

  test('an allocation that cannot be is an error, the kernel lives', async () => {
    const { reply } = await kernel.execute('tf.ones([1_000_000, 1_000_000])', {}, 60_000);
    expect(reply.content.status).toBe('error');
    expect(await value('1 + 1')).toBe('2');
  }, 60_000);
});

describe('operations', () => {
  test('show one bar by default, and end with it', async () => {
    const executed = await kernel.execute(
      'const first = await leem.registerStack(stack, options); first.frames.length',
      {},
      120_000,
    );
    expect(KernelClient.result(executed)).toBe('16');
    const bars = executed.outputs.filter(({ type }) => type === 'display_data');
    expect(bars.length).toBeLessThanOrEqual(1);
    if (bars.length === 1) {
      const last = executed.outputs.filter(({ type }) => /display_data/.test(type)).at(-1);
      expect(last?.content.data['text/plain']).toMatch(/100 %/);
    }
  }, 120_000);

  test('a hundred interrupts at random moments: kernel alive, memory back, the next run bit-identical', async () => {
    await kernel.execute(
      [
        "import { createHash } from 'node:crypto';",
        'const bits = async () => {',
        '  const { drift } = await leem.registerStack(stack, options);',
        "  const hash = createHash('sha256');",
        '  for (const values of Object.values(drift)) if (ArrayBuffer.isView(values)) hash.update(values as Uint8Array);',
        "  return hash.digest('hex');",
        '};',
      ].join('\n'),
    );
    const expected = await value('await bits()');
    const start = Date.now();
    await value('await bits()');
    const duration = Date.now() - start;
    const before = await settledTensors();
    let seed = 7;
    const random = (): number => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    };
    let stopped = 0;
    let slowest = 0;
    for (let n = 0; n < 100; n++) {
      const id = await kernel.startCell('await bits(); 0');
      await pause(random() * 0.9 * duration);
      const asked = Date.now();
      await kernel.interrupt();
      const { reply } = await kernel.finishCell(id);
      if (reply.content.status === 'ok') continue; // it was faster
      expect(reply.content.ename).toBe('Interrupted');
      slowest = Math.max(slowest, Date.now() - asked);
      stopped++;
    }
    expect(stopped).toBeGreaterThan(30);
    expect(slowest).toBeLessThan(3000);
    await expectTensors(before);
    expect(await value('await bits()')).toBe(expected);
  }, 300_000);
});

describe('controls', () => {
  const messages = (id: string, type: string): Message[] => kernel.of(id).filter((message) => message.type === type);

  test('follow the front end, and the last values are shown where there is no kernel', async () => {
    const shown = await kernel.execute(
      "const panel = leem.controls({ sigma: { min: 1, max: 9, step: 0.5, value: 3 }, solver: ['least-squares', 'robust'], pattern: true }, ({ sigma }) => { console.log('sigma', sigma); });\npanel",
    );
    const bundleOf = ({ all }: Executed): Message['content'] | undefined =>
      all.map(({ content }) => content.data?.['application/vnd.leemlab.controls.v1+json']).find((found) => found);
    const bundle = bundleOf(shown);
    expect(bundle).toMatchObject({ version: 1, target: 'leemlab.controls' });
    const opened = await kernel.send('shell', 'comm_open', {
      comm_id: 'panel',
      target_name: 'leemlab.controls',
      data: { id: bundle?.id },
    });
    await kernel.idle(opened);
    const set = await kernel.send('shell', 'comm_msg', {
      comm_id: 'panel',
      data: { type: 'set', name: 'sigma', value: 4.5, sequence: 1 },
    });
    await kernel.idle(set);
    await kernel.until(() => messages(set, 'comm_msg').some(({ content }) => content.data.type === 'state'), 'state');
    expect(await value('panel.values.sigma')).toBe('4.5');
    const saved = (): string | undefined =>
      kernel.published
        .filter(({ type, content }) => type === 'update_display_data' && content.data['application/vnd.leemlab.controls.v1+json'])
        .at(-1)?.content.data['text/html'];
    await kernel.until(() => saved()?.includes('4.5') === true, 'update of what is saved');
    // what lies outside is not taken
    const wrong = await kernel.send('shell', 'comm_msg', {
      comm_id: 'panel',
      data: { type: 'set', name: 'sigma', value: 'x', sequence: 2 },
    });
    await kernel.idle(wrong);
    expect(await value('panel.values.sigma')).toBe('4.5');
  });

  test('an id that nobody knows is closed', async () => {
    const opened = await kernel.send('shell', 'comm_open', {
      comm_id: 'old',
      target_name: 'leemlab.controls',
      data: { id: 'gone' },
    });
    await kernel.idle(opened);
    expect(messages(opened, 'comm_close')).toHaveLength(1);
  });
});

test('a stack shows itself: facts, and a picture', async () => {
  const { outputs } = await kernel.execute('stack');
  expect(outputs[0].content.data['text/plain']).toMatch(/16 frames of 160 × 160/);
  expect(outputs[0].content.data['image/png']).toMatch(/^iVBOR/);
});
