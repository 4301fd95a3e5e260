import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Executed, KernelClient, type Message } from './KernelClient.js';

let kernel: KernelClient;

beforeAll(async () => {
  kernel = await KernelClient.start();
  await kernel.execute('const kept = 5;');
}, 60_000);
afterAll(() => kernel.stop());
afterEach(async () => {
  expect(kernel.alive).toBe(true);
  expect(KernelClient.result(await kernel.execute('kept'))).toBe('5');
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const errors = ({ all }: Executed): Message['content'][] =>
  all.filter(({ type }) => type === 'error').map(({ content }) => content);

describe('messages', () => {
  test('a wrong signature: dropped and logged', async () => {
    const id = 'wrongly-signed';
    await kernel.sendRaw('shell', kernel.frames('execute_request', { code: 'globalThis.evil = 1' }, id, { key: 'another' }));
    await kernel.until(
      () => kernel.log.join('').includes('dropped a message on shell: its signature is wrong'),
      'line in the log',
    );
    expect(kernel.of(id)).toEqual([]);
    expect(KernelClient.result(await kernel.execute('typeof (globalThis as any).evil'))).toBe("'undefined'");
  });

  test.each([
    ['no delimiter', [Buffer.from('hello')], 'it has no delimiter'],
    ['too few parts', [Buffer.from('<IDS|MSG>'), Buffer.from('x'), Buffer.from('{}')], 'parts behind the delimiter'],
    ['empty', [Buffer.alloc(0)], 'it has no delimiter'],
    [
      'random bytes',
      [Buffer.from('<IDS|MSG>'), ...Array.from({ length: 5 }, () => Buffer.from([1, 255, 0]))],
      'its signature is wrong',
    ],
  ])('malformed (%s): dropped and logged', async (_, frames, reason) => {
    const before = kernel.log.length;
    await kernel.sendRaw('shell', frames);
    await kernel.until(() => kernel.log.slice(before).join('').includes(reason), 'line in the log');
  });

  test('well signed, but no JSON or no header', async () => {
    const { createHmac } = await import('node:crypto');
    for (const parts of [
      ['{', '{}', '{}', '{}'],
      ['{}', '{}', '{}', '{}'],
      ['[]', '{}', '{}', '{}'],
    ]) {
      const hmac = createHmac('sha256', kernel.key);
      for (const part of parts) hmac.update(part);
      const before = kernel.log.length;
      await kernel.sendRaw('shell', [
        Buffer.from('<IDS|MSG>'),
        Buffer.from(hmac.digest('hex')),
        ...parts.map((part) => Buffer.from(part)),
      ]);
      await kernel.until(() => kernel.log.slice(before).join('').includes('dropped a message'), 'line in the log');
    }
  });

  test('an unknown type has no answer', async () => {
    await kernel.send('shell', 'teleport_request', {});
    await kernel.until(() => kernel.log.join('').includes('teleport_request is not known'), 'line in the log');
  });

  test('content of the wrong types', async () => {
    expect((await kernel.request('shell', 'execute_request', { code: 5 })).content.status).toBe('ok');
    expect((await kernel.request('shell', 'complete_request', { code: 'a', cursor_pos: 99 })).content.status).toBe('ok');
    expect((await kernel.request('shell', 'complete_request', {})).content.status).toBe('ok');
    expect((await kernel.request('shell', 'history_request', { hist_access_type: 7 })).content.history).toEqual([]);
    await kernel.idle(await kernel.send('shell', 'comm_msg', { comm_id: 'never opened', data: {} }));
    await kernel.send('stdin', 'input_reply', { value: 'nobody asked' });
  });
});

describe('cells that misbehave', () => {
  test('a print of 100 MB is cut with a note', async () => {
    const executed = await kernel.execute("console.log('x'.repeat(100_000_000)); 'after'");
    expect(KernelClient.text(executed).length).toBe(2 * 2 ** 20);
    expect(KernelClient.text(executed, 'stderr')).toMatch(/Output cut after 2\.0 MiB; 93\.4 MiB more were printed/);
    expect(KernelClient.result(executed)).toBe("'after'");
  });

  test('a hundred thousand prints become few messages, none lost', async () => {
    const executed = await kernel.execute('for (let n = 0; n < 100_000; n++) console.log(n);');
    const lines = KernelClient.text(executed).trimEnd().split('\n');
    expect(lines.length).toBe(100_000);
    expect(lines.at(-1)).toBe('99999');
    expect(executed.outputs.length).toBeLessThan(500);
  });

  test('process.exit', async () => {
    const executed = await kernel.execute("console.log('before');\nprocess.exit(3);\nconsole.log('never');");
    expect(errors(executed)).toMatchObject([{ ename: 'ExitError' }]);
    expect(errors(executed)[0].evalue).toContain('process.exit(3)');
    expect(KernelClient.text(executed)).toBe('before\n');
  });

  test('process.exit in a timer after the cell has ended', async () => {
    const executed = await kernel.execute('setTimeout(() => process.exit(), 30); 1');
    const id = executed.reply.parent;
    await kernel.until(() => kernel.of(id).some(({ type }) => type === 'error'), 'error of the timer');
    expect(kernel.of(id).find(({ type }) => type === 'error')?.content.ename).toBe('ExitError');
  });

  test('a throw in a timer belongs to the cell that set it, also when another one runs', async () => {
    const first = await kernel.execute("setTimeout(() => { throw new Error('late') }, 100); 'set'");
    const second = await kernel.execute('await new Promise((r) => setTimeout(r, 300)); 7');
    expect(second.reply.content.status).toBe('ok');
    expect(errors(second)).toEqual([]);
    const late = kernel.of(first.reply.parent).find(({ type }) => type === 'error');
    expect(late?.content).toMatchObject({ ename: 'Error', evalue: 'late' });
    expect(late?.content.traceback.join('\n')).toContain(`Cell [${first.reply.content.execution_count}]:1:26`);
  });

  test('a throw in a timer while its cell waits makes the cell fail', async () => {
    const executed = await kernel.execute(
      "setTimeout(() => { throw new Error('mid') }, 20); await new Promise((r) => setTimeout(r, 100)); 8",
    );
    expect(executed.reply.content).toMatchObject({ status: 'error', ename: 'Error', evalue: 'mid' });
    expect(errors(executed)).toHaveLength(1);
  });

  test('an unhandled rejection', async () => {
    const executed = await kernel.execute(
      "Promise.reject(new TypeError('nobody waits')); await new Promise((r) => setTimeout(r, 50));",
    );
    expect(errors(executed)).toMatchObject([{ ename: 'TypeError', evalue: 'nobody waits' }]);
    const later = await kernel.execute("setTimeout(() => { Promise.reject(new Error('later')) }, 30); 1");
    const id = later.reply.parent;
    await kernel.until(() => kernel.of(id).some(({ type }) => type === 'error'), 'error of the promise');
  });

  test.each([
    ["async function main() { throw new Error('from main'); }\nmain()", 'from main'],
    ["Promise.reject(new Error('nobody waits')); 7", 'nobody waits'],
  ])('a rejection that nobody waits for makes the cell fail that made it: %s', async (code, evalue) => {
    const { reply, outputs } = await kernel.execute(code);
    expect(reply.content).toMatchObject({ status: 'error', ename: 'Error', evalue });
    expect(outputs.filter(({ type }) => type === 'error')).toHaveLength(1);
  });

  test("a worker's error shows no internals", async () => {
    const executed = await kernel.execute(
      "import { Worker } from 'node:worker_threads';\nnew Worker('throw new Error(\"in the worker\")', { eval: true }); await new Promise((r) => setTimeout(r, 500));",
    );
    expect(errors(executed)).toMatchObject([{ evalue: 'in the worker' }]);
    expect(errors(executed)[0].traceback.join('\n')).not.toMatch(/node:internal|nodejs\.internal/);
  });

  test('printing without end after the cell has ended is cut with a note', async () => {
    const { reply } = await kernel.execute("setInterval(() => console.log('x'.repeat(200_000)), 2); 1");
    const id = reply.parent;
    const cut = (): boolean =>
      kernel.of(id).some(({ type, content }) => type === 'stream' && /Output cut after/.test(content.text));
    await kernel.until(cut, 'note');
    await kernel.interrupt();
  });

  test('names that begin with underscores', async () => {
    await kernel.execute('const __a = 1; let __b = 2; const ___c = 3; const _d = 4; function __f() { return __b; }');
    expect(KernelClient.result(await kernel.execute('__b++; [__a, __b, ___c, _d, __f()]'))).toBe('[ 1, 3, 3, 4, 3 ]');
  });

  test('an error event that nobody hears', async () => {
    const executed = await kernel.execute(
      "import { EventEmitter } from 'node:events';\nsetTimeout(() => new EventEmitter().emit('error', new Error('unheard')), 10); await new Promise((r) => setTimeout(r, 50));",
    );
    expect(errors(executed)).toMatchObject([{ evalue: 'unheard' }]);
  });

  test('another working directory: told, and imports still come from the notebook', async () => {
    const executed = await kernel.execute("process.chdir('/'); process.cwd()");
    expect(KernelClient.result(executed)).toBe("'/'");
    expect(KernelClient.text(executed, 'stderr')).toMatch(/working directory is now \//);
    const after = await kernel.execute("import * as zarrita from 'zarrita';\ntypeof zarrita.open");
    expect(KernelClient.result(after)).toBe("'function'");
    const missing = await kernel.execute("process.chdir('/no/such/folder')");
    expect(missing.reply.content).toMatchObject({ status: 'error', ename: 'Error' });
    expect(missing.reply.content.evalue).toContain('ENOENT');
  });

  test('prints from a worker thread and from a child process arrive in the cell', async () => {
    const executed = await kernel.execute(
      [
        "import { Worker } from 'node:worker_threads';",
        "import { once } from 'node:events';",
        "import { spawn } from 'node:child_process';",
        'const worker = new Worker(\'console.log("from the worker")\', { eval: true });',
        "await once(worker, 'exit');",
        "const child = spawn(process.execPath, ['-e', 'console.log(\"from the child\")'], { stdio: 'inherit' });",
        "await once(child, 'exit');",
        'await new Promise((r) => setTimeout(r, 200));',
      ].join('\n'),
    );
    expect(KernelClient.text(executed)).toContain('from the worker\n');
    expect(KernelClient.text(executed)).toContain('from the child\n');
  });
});

describe('folders', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'leemlab-notebook-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a notebook folder without node_modules: plain cells and leemlab itself work, another package is named', async () => {
    const other = await KernelClient.start({ cwd: folder });
    try {
      expect(KernelClient.result(await other.execute('[1, 2].length'))).toBe('2');
      const leem = await other.execute("import * as leem from 'leemlab';\nleem.backendInfo.name");
      expect(KernelClient.result(leem)).toMatch(/'(tensorflow|cpu)'/);
      const missing = await other.execute("import * as nothing from 'no-such-package';\nnothing");
      expect(missing.reply.content.status).toBe('error');
      expect(missing.reply.content.evalue).toMatch(/npm install no-such-package/);
    } finally {
      await other.stop();
    }
  }, 60_000);

  test('a folder that is removed while the kernel runs', async () => {
    const gone = join(folder, 'gone');
    mkdirSync(gone);
    const other = await KernelClient.start({ cwd: gone });
    try {
      await other.execute('1');
      rmSync(gone, { recursive: true });
      expect(KernelClient.result(await other.execute('2 + 2'))).toBe('4');
    } finally {
      await other.stop();
    }
  }, 60_000);
});

describe('the end of the session', () => {
  test.each([
    ['a full heap', 'const held: number[][] = []; for (;;) held.push(new Array(1e6).fill(Math.random()));', /out of memory/],
    ['SIGKILL', "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});", /killed \(SIGKILL\)/],
    ['a crash in native code', "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => {});", /SIGSEGV/],
  ])(
    '%s is told in the cell, and the kernel goes on with a new one',
    async (_, code, reason) => {
      const other = await KernelClient.start({ env: { NODE_OPTIONS: '--max-old-space-size=300' } });
      try {
        await other.execute('const before = 1;');
        const executed = await other.execute(code, {}, 60_000);
        expect(executed.reply.content).toMatchObject({ status: 'error', ename: 'SessionLost' });
        expect(executed.reply.content.evalue).toMatch(reason);
        expect(executed.reply.content.evalue).toMatch(/All variables are lost/);
        expect(KernelClient.text(executed, 'stderr')).not.toMatch(/Last few GCs|Native stack trace/);
        expect(KernelClient.result(await other.execute('3 * 3'))).toBe('9');
        expect(other.alive).toBe(true);
      } finally {
        await other.stop();
      }
    },
    90_000,
  );

  test('a session that is lost again and again is replaced again and again', async () => {
    const other = await KernelClient.start();
    try {
      for (let n = 0; n < 5; n++) {
        const { reply } = await other.execute("process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});");
        expect(reply.content.ename).toBe('SessionLost');
      }
      expect(KernelClient.result(await other.execute('1 + 1'))).toBe('2');
    } finally {
      await other.stop();
    }
  }, 90_000);

  test('the session ends with its server, also when that is killed', async () => {
    const other = await KernelClient.start();
    const pid = Number(KernelClient.result(await other.execute('process.pid')));
    process.kill(other.process.pid!, 'SIGKILL');
    const isGone = (): boolean => {
      try {
        process.kill(pid, 0);
        return false;
      } catch {
        return true;
      }
    };
    for (let n = 0; n < 50 && !isGone(); n++) await pause(100);
    expect(isGone()).toBe(true);
    await other.stop();
  }, 60_000);

  test('shutdown with restart is answered, and everything ends', async () => {
    const other = await KernelClient.start();
    const busy = await other.startCell('while (true);');
    await other.until(() => other.of(busy).length > 0, 'start of the cell');
    const { content } = await other.request('control', 'shutdown_request', { restart: true });
    expect(content).toEqual({ status: 'ok', restart: true });
    for (let n = 0; n < 50 && other.alive; n++) await pause(100);
    expect(other.process.exitCode).toBe(0);
    await other.stop();
  }, 60_000);
});

test('outputs and errors without end do not drown the page', async () => {
  const shown = await kernel.execute('for (let n = 0; n < 20_000; n++) display(n); 1');
  const count = shown.outputs.filter(({ type }) => type === 'display_data').length;
  expect(count).toBeGreaterThanOrEqual(5000);
  expect(count).toBeLessThan(15_000); // a hundred more each second
  expect(KernelClient.text(shown, 'stderr')).toMatch(/from here on outputs are left out/);
  const thrown = await kernel.execute(
    "setInterval(() => { throw new Error('again') }, 1); await new Promise((r) => setTimeout(r, 500));",
  );
  expect(thrown.reply.content).toMatchObject({ status: 'error', evalue: 'again' });
  await kernel.interrupt();
});

test('globals of the kernel overwritten, prototypes changed', async () => {
  const other = await KernelClient.start();
  try {
    const executed = await other.execute(
      "// @ts-nocheck\nglobalThis.setTimeout = null; JSON.stringify.x = 1; console.log = undefined; process.stdout.write = null; Error.prepareStackTrace = null; 'done'",
    );
    expect(KernelClient.result(executed)).toBe("'done'");
    expect(KernelClient.result(await other.execute('1 + 2'))).toBe('3');
    expect((await other.execute("throw new Error('still told')")).reply.content.evalue).toBe('still told');
  } finally {
    await other.stop();
  }
}, 60_000);
