import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executed, KernelClient, type Message } from './KernelClient.js';

let kernel: KernelClient;

beforeAll(async () => {
  kernel = await KernelClient.start();
}, 60_000);
afterAll(() => kernel.stop());

const types = (messages: readonly Message[]): string[] => messages.map(({ type }) => type);
const errorOf = ({ outputs }: Executed): Message['content'] | undefined => outputs.find(({ type }) => type === 'error')?.content;

describe('kernel_info', () => {
  test('tells protocol, language and versions', async () => {
    const { content } = await kernel.request('control', 'kernel_info_request');
    expect(content).toMatchObject({
      status: 'ok',
      protocol_version: '5.4',
      implementation: 'leemlab',
      language_info: { name: 'typescript', file_extension: '.ts', mimetype: 'text/typescript' },
    });
    const { version } = JSON.parse(readFileSync('kernel-ext/package.json', 'utf8')) as { version: string };
    expect(content.implementation_version).toBe(version);
  });
});

describe('execute', () => {
  test('says busy, repeats the input with its number, gives the result, says idle', async () => {
    const { reply, all } = await kernel.execute('6 * 7');
    expect(types(all)).toEqual(['status', 'execute_input', 'execute_result', 'status']);
    expect(all[1].content).toMatchObject({ code: '6 * 7', execution_count: reply.content.execution_count });
    expect(all[2].content).toMatchObject({ execution_count: reply.content.execution_count, data: { 'text/plain': '42' } });
    expect(reply.content).toMatchObject({ status: 'ok', user_expressions: {}, payload: [] });
  });

  test('counts cells', async () => {
    const first = await kernel.execute('0');
    const second = await kernel.execute('0');
    expect(second.reply.content.execution_count).toBe(first.reply.content.execution_count + 1);
  });

  test('silent: no input, no output, no number', async () => {
    const before = (await kernel.execute('0')).reply.content.execution_count;
    const { all, reply } = await kernel.execute("globalThis.quiet = 5; console.log('x'); 7", { silent: true });
    expect(types(all)).toEqual(['status', 'status']);
    expect(reply.content.status).toBe('ok');
    const after = await kernel.execute('(globalThis as any).quiet');
    expect(after.reply.content.execution_count).toBe(before + 1);
    expect(KernelClient.result(after)).toBe('5');
  });

  test('store_history false: output, but no number and no history', async () => {
    const before = (await kernel.execute('0')).reply.content.execution_count;
    const unstored = await kernel.execute("'not stored'", { store_history: false });
    expect(KernelClient.result(unstored)).toBe("'not stored'");
    expect((await kernel.execute('0')).reply.content.execution_count).toBe(before + 1);
    const { content } = await kernel.request('shell', 'history_request', {
      hist_access_type: 'search',
      pattern: "'not stored'",
      output: false,
      raw: true,
    });
    expect(content.history).toEqual([]);
  });

  test('what is printed arrives in its order, between other outputs', async () => {
    const { outputs } = await kernel.execute(
      "console.log('a'); console.error('b'); console.log('c'); display.html('<i>d</i>'); await 0; console.log('e')",
    );
    const shown = outputs.map(({ type, content }) => (type === 'stream' ? `${content.name}:${content.text}` : type));
    expect(shown).toEqual(['stdout:a\n', 'stderr:b\n', 'stdout:c\n', 'display_data', 'stdout:e\n']);
  });

  test('undefined gives no result, null does', async () => {
    expect((await kernel.execute('undefined')).outputs).toEqual([]);
    expect((await kernel.execute('const silent = 1')).outputs).toEqual([]);
    expect(KernelClient.result(await kernel.execute('null'))).toBe('null');
  });

  test('top-level await, and variables of earlier cells, declared anew too', async () => {
    await kernel.execute('const width: number = await Promise.resolve(3); let count = 1;');
    await kernel.execute('count += width; const width2 = { width };');
    expect(KernelClient.result(await kernel.execute('[count, width2.width]'))).toBe('[ 4, 3 ]');
    await kernel.execute("const width = 'wide';");
    expect(KernelClient.result(await kernel.execute('width.length'))).toBe('4');
  });

  test('user_expressions are values or errors', async () => {
    const { reply } = await kernel.execute('const base = 20', { user_expressions: { good: 'base * 2', bad: 'nothing.here' } });
    expect(reply.content.user_expressions.good).toEqual({ status: 'ok', data: { 'text/plain': '40' }, metadata: {} });
    expect(reply.content.user_expressions.bad).toMatchObject({ status: 'error', ename: 'ReferenceError' });
  });

  test('text/plain carries no color codes', async () => {
    const result = KernelClient.result(
      await kernel.execute("({ a: 1, b: 'x', c: [true, null], d: new Map([[1, new Error('e')]]) })"),
    );
    expect(result).toContain("b: 'x'");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: color codes begin with it
    expect(result).not.toMatch(/\u001b/);
  });
});

describe('errors', () => {
  test('name, value, and a traceback that points at the line of the cell and holds no internals', async () => {
    const executed = await kernel.execute(
      'interface Size { rows: number }\n\nfunction check(size: Size): number {\n  if (size.rows > 2) throw new RangeError("too many rows");\n  return size.rows;\n}\n\ncheck({ rows: 3 });',
    );
    const error = errorOf(executed);
    const number = executed.reply.content.execution_count;
    expect(error).toMatchObject({ ename: 'RangeError', evalue: 'too many rows' });
    expect(executed.reply.content).toMatchObject({ status: 'error', ename: 'RangeError', evalue: 'too many rows' });
    const text = (error?.traceback as string[]).join('\n');
    expect(text).toContain(`Cell [${number}], line 4`);
    expect(text).toContain('> 4 |   if (size.rows > 2) throw new RangeError("too many rows");');
    expect(text).toContain(`at check (Cell [${number}]:4:28)`);
    expect(text).toContain(`at Cell [${number}]:8:1`);
    expect(text).not.toMatch(/node:|kernel-ext|node_modules|runInContext|CellRunner/);
  });

  test('after an await, in a callback, with a cause', async () => {
    const executed = await kernel.execute(
      "const wait = (ms: number) => new Promise((r) => setTimeout(r, ms));\nawait wait(1);\ntry {\n  JSON.parse('{');\n} catch (cause) {\n  throw new Error('no JSON', { cause });\n}",
    );
    const text = (errorOf(executed)?.traceback as string[]).join('\n');
    expect(text).toContain(', line 6');
    expect(text).toContain('Caused by:');
    expect(text).toContain('SyntaxError');
  });

  test('what was set before the error is kept', async () => {
    await kernel.execute("const kept = 11;\nthrow new Error('later');");
    expect(KernelClient.result(await kernel.execute('kept'))).toBe('11');
  });

  test.each([
    ["throw 'a string'", "'a string'"],
    ['throw { code: 5 }', '{ code: 5 }'],
    ['throw null', 'null'],
  ])('%s', async (code, evalue) => {
    expect(errorOf(await kernel.execute(code))).toMatchObject({ ename: 'Thrown', evalue });
  });

  test('an error whose properties throw', async () => {
    const code = "class Bad extends Error { get message(): string { throw new Error('x'); } }\nthrow new Bad();";
    expect((await kernel.execute(code)).reply.content.status).toBe('error');
  });

  test('a type error is told with line and column before anything runs', async () => {
    const executed = await kernel.execute("console.log('ran');\nconst n: number = 'text';\nconst m: string = 5;");
    expect(KernelClient.text(executed)).toBe('');
    const error = errorOf(executed);
    expect(error).toMatchObject({ ename: 'TypeScriptError' });
    expect(error?.evalue).toContain("line 2, column 7: Type 'string' is not assignable to type 'number'. (TS2322)");
    expect((error?.traceback as string[]).join('\n')).toContain('line 3, column 7');
  });

  test('// @ts-nocheck turns the check off, not the syntax', async () => {
    const executed = await kernel.execute("// @ts-nocheck\nconst n: number = 'text';\nn.length");
    expect(KernelClient.result(executed)).toBe('4');
    expect(errorOf(await kernel.execute('// @ts-nocheck\nconst = 5'))).toMatchObject({ ename: 'SyntaxError' });
  });

  test('console.error(error) points into the cell as well', async () => {
    const executed = await kernel.execute("\n\nconsole.error(new Error('shown'))");
    expect(KernelClient.text(executed, 'stderr')).toContain(`Cell [${executed.reply.content.execution_count}]:3:15`);
  });
});

describe('the queue', () => {
  test('an error aborts what waits behind it', async () => {
    const first = await kernel.startCell("await new Promise((r) => setTimeout(r, 200)); throw new Error('stop')");
    const second = await kernel.startCell('1');
    const third = await kernel.startCell('2');
    expect((await kernel.finishCell(first)).reply.content.status).toBe('error');
    expect((await kernel.finishCell(second)).reply.content.status).toBe('aborted');
    expect((await kernel.finishCell(third)).reply.content.status).toBe('aborted');
    expect((await kernel.execute('3')).reply.content.status).toBe('ok');
  });

  test('stop_on_error false lets it run', async () => {
    const first = await kernel.startCell("await new Promise((r) => setTimeout(r, 200)); throw new Error('go on')", {
      stop_on_error: false,
    });
    const second = await kernel.startCell('41 + 1');
    await kernel.finishCell(first);
    expect(KernelClient.result(await kernel.finishCell(second))).toBe('42');
  });

  test('cells run one after the other, in their order', async () => {
    const ids = [];
    for (let n = 0; n < 5; n++) ids.push(await kernel.startCell(`await new Promise((r) => setTimeout(r, ${50 - 10 * n})); ${n}`));
    const results = [];
    for (const id of ids) results.push(KernelClient.result(await kernel.finishCell(id)));
    expect(results).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('questions about code', () => {
  test('completion replaces the member behind the dot; places count characters', async () => {
    // two characters of the text are outside the basic plane: four UTF-16 units
    const code = "const s = '🔬🔬'; Math.sq";
    const { content } = await kernel.request('shell', 'complete_request', { code, cursor_pos: [...code].length });
    expect(content).toMatchObject({ status: 'ok', matches: ['sqrt'] });
    expect([...code].slice(content.cursor_start, content.cursor_end).join('')).toBe('sq');
    expect(content.metadata._jupyter_types_experimental).toMatchObject([{ text: 'sqrt', type: 'method' }]);
  });

  test('completion knows variables of earlier cells and the globals of a cell', async () => {
    await kernel.execute('const spectrometer = { energy: 4.5, bias: 1 };');
    const members = await kernel.request('shell', 'complete_request', { code: 'spectrometer.', cursor_pos: 13 });
    expect(members.content.matches).toEqual(['bias', 'energy']);
    const globals = await kernel.request('shell', 'complete_request', { code: 'clearOut', cursor_pos: 8 });
    expect(globals.content.matches).toContain('clearOutput');
  });

  test('inspection gives signature and documentation', async () => {
    await kernel.execute(
      '/** Doubles a number.\n * @param value what to double\n */\nfunction twice(value: number): number { return 2 * value; }',
    );
    const { content } = await kernel.request('shell', 'inspect_request', { code: 'twice(3)', cursor_pos: 3, detail_level: 0 });
    expect(content).toMatchObject({ status: 'ok', found: true });
    expect(content.data['text/plain']).toContain('twice(value: number): number');
    expect(content.data['text/markdown']).toContain('Doubles a number.');
    expect(content.data['text/plain']).toContain('what to double');
    const nothing = await kernel.request('shell', 'inspect_request', { code: '   ', cursor_pos: 1, detail_level: 0 });
    expect(nothing.content).toMatchObject({ status: 'ok', found: false });
  });

  test.each([
    ['const a = 1', { status: 'complete' }],
    ['function f() {', { status: 'incomplete', indent: '  ' }],
    ['const = 1', { status: 'invalid' }],
  ])('is_complete: %s', async (code, expected) => {
    expect((await kernel.request('shell', 'is_complete_request', { code })).content).toMatchObject(expected);
  });

  test('is answered while a cell waits, and the kernel stays busy', async () => {
    const id = await kernel.startCell('await new Promise((r) => setTimeout(r, 600))');
    await kernel.until(() => kernel.of(id).length >= 2, 'start of the cell');
    await kernel.request('shell', 'complete_request', { code: 'Math.sq', cursor_pos: 7 });
    await kernel.request('control', 'kernel_info_request');
    const states = (): Message[] => kernel.published.filter(({ type }) => type === 'status');
    await kernel.until(
      () => states().length >= 2 && states().at(-2)?.content.execution_state === 'idle',
      'the end of the question',
    );
    expect(states().at(-1)).toMatchObject({ parent: id, content: { execution_state: 'busy' } });
    await kernel.finishCell(id);
  });
});

describe('history', () => {
  test('tail, range and search', async () => {
    for (const code of ['const h1 = 1', 'const h2 = 2', 'const h1 = 1']) await kernel.execute(code);
    const ask = async (content: object): Promise<unknown[][]> =>
      (await kernel.request('shell', 'history_request', { output: false, raw: true, ...content })).content.history;
    expect((await ask({ hist_access_type: 'tail', n: 2 })).map((entry) => entry[2])).toEqual(['const h2 = 2', 'const h1 = 1']);
    const [[session, line]] = await ask({ hist_access_type: 'tail', n: 1 });
    expect(await ask({ hist_access_type: 'range', session: 0, start: line, stop: Number(line) + 1 })).toEqual([
      [session, line, 'const h1 = 1'],
    ]);
    expect(await ask({ hist_access_type: 'search', pattern: 'const h[12] *', unique: true })).toHaveLength(2);
    expect(await ask({ hist_access_type: 'search', pattern: 'const h1*', n: 1 })).toHaveLength(1);
    expect(await ask({ hist_access_type: 'elsewhere' })).toEqual([]);
  });
});

describe('input', () => {
  test('asks on the channel of the one who runs the cell, and goes on with the answer', async () => {
    const id = await kernel.startCell("const name = await input('Name? '); name.toUpperCase()", { allow_stdin: true });
    const asked = (): Message | undefined => kernel.replies.find(({ type, parent }) => type === 'input_request' && parent === id);
    await kernel.until(() => asked() !== undefined, 'question');
    expect(asked()?.content).toEqual({ prompt: 'Name? ', password: false });
    await kernel.send('stdin', 'input_reply', { value: 'ada' });
    expect(KernelClient.result(await kernel.finishCell(id))).toBe("'ADA'");
  });

  test('a password is asked for as one', async () => {
    const id = await kernel.startCell("(await password('Key? ')).length", { allow_stdin: true });
    const asked = (): Message | undefined => kernel.replies.find(({ type, parent }) => type === 'input_request' && parent === id);
    await kernel.until(() => asked() !== undefined, 'question');
    expect(asked()?.content).toEqual({ prompt: 'Key? ', password: true });
    await kernel.send('stdin', 'input_reply', { value: 'geheim' });
    expect(KernelClient.result(await kernel.finishCell(id))).toBe('6');
  });

  test('where nobody can be asked, the error says so', async () => {
    const executed = await kernel.execute('await input()');
    expect(errorOf(executed)).toMatchObject({ ename: 'NoInputError' });
  });
});

describe('display', () => {
  test('several formats in one output, with metadata', async () => {
    const { outputs } = await kernel.execute(
      "await display.mime({ 'text/html': '<b>x</b>', 'text/plain': 'x', 'application/json': { a: 1 } }, { 'text/html': { isolated: true } })",
    );
    expect(types(outputs)).toEqual(['display_data']);
    expect(outputs[0].content.data).toEqual({ 'text/html': '<b>x</b>', 'text/plain': 'x', 'application/json': { a: 1 } });
    expect(outputs[0].content.metadata).toEqual({ 'text/html': { isolated: true } });
  });

  test('a handle updates what was shown', async () => {
    const { outputs } = await kernel.execute("const shown = await display('first'); await shown.update('second');");
    expect(types(outputs)).toEqual(['display_data', 'update_display_data']);
    expect(outputs[1].content.transient.display_id).toBe(outputs[0].content.transient.display_id);
    const later = await kernel.execute("await display('third', { id: shown.id, update: true })");
    expect(types(later.outputs)).toEqual(['update_display_data']);
  });

  test('the cell does not end before what it shows is shown', async () => {
    const { outputs } = await kernel.execute(
      "display({ [Symbol.for('leemlab.display')]: async () => { await new Promise((r) => setTimeout(r, 100)); return { data: { 'text/plain': 'slow' } }; } }); undefined",
    );
    expect(outputs.map(({ content }) => content.data['text/plain'])).toEqual(['slow']);
  });

  test("tslab's own display works", async () => {
    const { outputs } = await kernel.execute("import * as tslab from 'tslab';\ntslab.display.html('<u>u</u>');");
    expect(outputs[0]).toMatchObject({ type: 'display_data', content: { data: { 'text/html': '<u>u</u>' } } });
  });

  test('clearOutput, now or with the next output', async () => {
    const { outputs } = await kernel.execute("console.log('gone'); clearOutput({ wait: true }); console.log('there')");
    expect(types(outputs)).toEqual(['stream', 'clear_output', 'stream']);
    expect(outputs[1].content).toEqual({ wait: true });
  });

  test('a progress bar is one output that is updated', async () => {
    const { outputs } = await kernel.execute(
      "for (const n of progress([1, 2, 3, 4], 'frames')) await new Promise((r) => setTimeout(r, 150));",
    );
    expect(outputs[0].type).toBe('display_data');
    expect(new Set(types(outputs.slice(1)))).toEqual(new Set(['update_display_data']));
    expect(new Set(outputs.map(({ content }) => content.transient.display_id)).size).toBe(1);
    expect(outputs.at(-1)?.content.data['text/plain']).toMatch(/frames.*100 %/);
  });
});

describe('comms', () => {
  test('a view opens one, both sides send data and bytes, comm_info lists it, and it closes', async () => {
    await kernel.execute(
      "comms.register('test.echo', (comm, open) => {\n  comm.send({ opened: open.data });\n  comm.onMessage(({ data, buffers }) => comm.send({ echo: data }, { buffers: buffers.map((b) => b.map((x) => x + 1)) }));\n  comm.onClose(() => console.log('closed'));\n});",
    );
    const opened = await kernel.send('shell', 'comm_open', { comm_id: 'c1', target_name: 'test.echo', data: { hello: 1 } });
    await kernel.idle(opened);
    expect(kernel.of(opened).find(({ type }) => type === 'comm_msg')?.content).toEqual({
      comm_id: 'c1',
      data: { opened: { hello: 1 } },
    });
    const info = await kernel.request('shell', 'comm_info_request', { target_name: 'test.echo' });
    expect(info.content.comms).toEqual({ c1: { target_name: 'test.echo' } });
    const sent = await kernel.send('shell', 'comm_msg', { comm_id: 'c1', data: { n: 2 } }, [Uint8Array.of(1, 2, 250)]);
    await kernel.idle(sent);
    const answer = kernel.of(sent).find(({ type }) => type === 'comm_msg');
    expect(answer?.content.data).toEqual({ echo: { n: 2 } });
    expect([...(answer?.buffers[0] ?? [])]).toEqual([2, 3, 251]);
    // comms have no reply
    expect(kernel.replies.filter(({ parent }) => [opened, sent].includes(parent))).toEqual([]);
    const closed = await kernel.send('shell', 'comm_close', { comm_id: 'c1', data: {} });
    await kernel.idle(closed);
    expect(kernel.of(closed).find(({ type }) => type === 'stream')?.content.text).toBe('closed\n');
    expect((await kernel.request('shell', 'comm_info_request', {})).content.comms).toEqual({});
  });

  test('the kernel opens one', async () => {
    const { outputs } = await kernel.execute(
      "const c = comms.open('view', { a: 1 }, { buffers: [Uint8Array.of(9)] }); c.close();",
    );
    expect(types(outputs)).toEqual(['comm_open', 'comm_close']);
    expect(outputs[0].content).toMatchObject({ target_name: 'view', data: { a: 1 } });
    expect([...outputs[0].buffers[0]]).toEqual([9]);
  });

  test('an unknown target is closed at once; a listener that throws is told where it was called', async () => {
    const opened = await kernel.send('shell', 'comm_open', { comm_id: 'c2', target_name: 'nobody', data: {} });
    await kernel.idle(opened);
    expect(kernel.of(opened).find(({ type }) => type === 'comm_close')?.content.comm_id).toBe('c2');
    await kernel.execute("comms.register('test.bad', () => { throw new Error('cannot open') });");
    const bad = await kernel.send('shell', 'comm_open', { comm_id: 'c3', target_name: 'test.bad', data: {} });
    await kernel.idle(bad);
    expect(kernel.of(bad).find(({ type }) => type === 'error')?.content.evalue).toBe('cannot open');
  });

  test('64 MiB arrive whole, both ways', async () => {
    const bytes = new Uint8Array(64 * 2 ** 20).fill(7);
    bytes[bytes.length - 1] = 8;
    await kernel.execute("comms.register('test.big', (comm) => comm.onMessage(({ buffers }) => comm.send({}, { buffers })));");
    await kernel.idle(await kernel.send('shell', 'comm_open', { comm_id: 'big', target_name: 'test.big', data: {} }));
    const sent = await kernel.send('shell', 'comm_msg', { comm_id: 'big', data: {} }, [bytes]);
    await kernel.idle(sent);
    const back = kernel.of(sent).find(({ type }) => type === 'comm_msg')?.buffers[0];
    expect(back?.length).toBe(bytes.length);
    expect(Buffer.compare(back as Buffer, bytes)).toBe(0);
  });

  test('messages arrive while a cell waits', async () => {
    await kernel.execute("let got = 0; comms.register('test.live', (comm) => comm.onMessage(() => void got++));");
    await kernel.idle(await kernel.send('shell', 'comm_open', { comm_id: 'live', target_name: 'test.live', data: {} }));
    const id = await kernel.startCell('while (got === 0) await new Promise((r) => setTimeout(r, 20)); got');
    await kernel.idle(await kernel.send('shell', 'comm_msg', { comm_id: 'live', data: {} }));
    expect(KernelClient.result(await kernel.finishCell(id))).toBe('1');
  });
});

test('heartbeat and control answer during long synchronous work', async () => {
  const id = await kernel.startCell('const end = Date.now() + 1500; while (Date.now() < end);');
  await kernel.until(() => kernel.of(id).length >= 2, 'start of the cell');
  expect(await kernel.beats()).toBe(true);
  expect((await kernel.request('control', 'kernel_info_request', {}, 500)).content.status).toBe('ok');
  expect(kernel.replies.some(({ parent }) => parent === id)).toBe(false);
  await kernel.finishCell(id);
});
