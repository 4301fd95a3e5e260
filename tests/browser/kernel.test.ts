import { symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LabPage } from './LabPage.js';
import { type Lab, openLab, whySkipped } from './openLab.js';
import { missingKernel } from './startJupyter.js';

// What a new user of the TypeScript kernel meets in JupyterLab.

const reason = whySkipped() ?? missingKernel();
if (reason) console.info(`Skipped: ${reason}`);
/** Longest wait for a state, milliseconds. */
const WAIT_MS = 30_000;

let lab: Lab;
let page: LabPage;
let count = 0;

beforeAll(async () => {
  if (reason) return;
  lab = await openLab();
  page = lab.page;
  symlinkSync(resolve('node_modules'), join(lab.server.folder, 'node_modules'), 'dir');
}, 180_000);
afterAll(async () => {
  await lab?.close();
});
beforeEach(() => {
  count += 1;
});
afterEach(async () => {
  if (reason) return;
  await page.closeAll();
  expect(page.noise.splice(0)).toEqual([]);
});

async function open(...cells: string[]): Promise<void> {
  await page.openNotebook(`kernel-${count}.ipynb`, 'leemlab', cells);
}

describe.skipIf(reason)('the TypeScript kernel in JupyterLab', { timeout: 120_000 }, () => {
  test('completes and explains', async () => {
    await open("import * as leem from 'leemlab';", '', '');
    await page.run(0);
    await page.type(1, 'leem.re');
    await page.page.keyboard.press('Tab');
    const list = page.page.locator('.jp-Completer');
    await list.getByText('registerStack').waitFor();
    await page.screenshot('kernel-completion.png');
    await list.getByText('registerStack').click();
    expect(await page.cell(1).locator('.cm-content').innerText()).toBe('leem.registerStack');
    await page.type(2, 'leem.registerStack(');
    await page.page.keyboard.press('Shift+Tab');
    const help = page.page.locator('.jp-Tooltip');
    await help.getByText('registerStack(stack').waitFor();
    const text = await help.innerText();
    for (const part of ['Registers a stack', 'Parameters', 'Returns', 'Throws']) expect(text).toContain(part);
    await page.screenshot('kernel-help.png');
  });

  test('stops a cell at once and keeps the variables', async () => {
    await open('let kept = 42;', 'let rounds = 0;\nwhile (true) rounds += 1;', '[kept, rounds > 0]');
    await page.run(0);
    await page.start(1);
    await page.page.waitForFunction("jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'");
    await page.panel().getByRole('button', { name: 'Interrupt the kernel' }).click();
    await page.isDone(1);
    expect(await page.outputText(1)).toContain('Interrupted: The cell was stopped');
    await page.screenshot('kernel-stopped.png');
    await page.run(2);
    expect(await page.outputText(2)).toBe('[ 42, true ]');
  });

  test('restarts and runs all', async () => {
    await open('const first = 1;\nfirst', 'const second = first + 1;\nsecond', 'second + 1');
    await page.run(0);
    await page.run(0);
    await page.panel().getByRole('button', { name: 'Restart the kernel and run all cells' }).click();
    await page.answer('Restart');
    await expect.poll(() => page.outputText(2), { timeout: WAIT_MS }).toBe('3');
    await expect.poll(() => page.counts(), { timeout: WAIT_MS }).toEqual([1, 2, 3]);
  });

  test('moves one progress bar and ends it', async () => {
    await open(`const bar = progress(4, 'frames');
for (const k of [1, 2, 3, 4]) {
  await input('frame ' + k + '?');
  bar.tick();
}
bar.end();`);
    await page.start(0);
    const shown = page.output(0).getByRole('progressbar', { name: 'frames' });
    for (const k of [1, 2, 3, 4]) {
      const question = page
        .output(0)
        .locator('.jp-Stdin')
        .filter({ hasText: `frame ${k}?` });
      await question.waitFor();
      await expect.poll(() => page.outputText(0), { timeout: WAIT_MS }).toContain(`${k - 1}/4`);
      expect(await shown.count()).toBe(1);
      if (k === 3) await page.screenshot('kernel-progress.png');
      await question.getByRole('textbox').press('Enter');
    }
    await page.isDone(0);
    expect(await page.outputText(0)).toMatch(/100 % 4\/4/);
    expect(await page.outputText(0)).not.toContain('left');
    expect(await shown.count()).toBe(1);
  });

  test('asks with a prompt', async () => {
    await open("const name = await input('Who are you? ');\n'Hello ' + name");
    await page.start(0);
    await page.output(0).getByText('Who are you?').waitFor();
    await page.output(0).getByRole('textbox').fill('Ernst');
    await page.screenshot('kernel-input.png');
    await page.output(0).getByRole('textbox').press('Enter');
    await page.isDone(0);
    expect(await page.outputText(0)).toContain("'Hello Ernst'");
  });

  test('follows leem.controls live', async () => {
    await open(
      "import * as leem from 'leemlab';",
      `const panel = leem.controls(
  { sigma: { min: 0, max: 10, step: 0.5, value: 3, label: 'Gaussian σ' }, method: ['least-squares', 'robust'], pattern: true },
  ({ sigma, method, pattern }) => 'computed with ' + sigma + ', ' + method + ', ' + pattern,
);
panel`,
      'panel.values.sigma',
      "await panel.set('sigma', 2)",
      'const end = Date.now() + 60000;\nwhile (Date.now() < end) await new Promise((done) => setTimeout(done, 20));',
    );
    await page.run(0);
    await page.run(1);
    const sigma = page.output(1).getByRole('slider', { name: 'Gaussian σ' });
    const shows = (text: string): Promise<void> =>
      expect.poll(() => page.outputText(1), { timeout: WAIT_MS }).toContain(`computed with ${text}`);
    await shows('3, least-squares, true');
    await expect.poll(() => sigma.isEnabled(), { timeout: WAIT_MS }).toBe(true);
    await sigma.press('End');
    await shows('10, least-squares, true');
    await page.output(1).getByRole('combobox', { name: 'method' }).selectOption('robust');
    await page.output(1).getByRole('checkbox', { name: 'pattern' }).uncheck();
    await shows('10, robust, false');
    await page.run(2);
    expect(await page.outputText(2)).toBe('10');
    await page.run(3);
    await expect.poll(() => sigma.inputValue(), { timeout: WAIT_MS }).toBe('2');
    await shows('2, robust, false');
    await page.screenshot('kernel-controls.png');
    // also while a cell awaits
    await page.start(4);
    await sigma.press('Home');
    await shows('0, robust, false');
    await page.panel().getByRole('button', { name: 'Interrupt the kernel' }).click();
    await page.isDone(4);
    await page.commandWithDialog('kernelmenu:restart', 'Restart');
    await page.output(1).getByText('Not connected: these are the last values.').waitFor();
    expect(await sigma.inputValue()).toBe('0');
    await page.isIdle();
  });

  test('says that controls wait while their cell computes', async () => {
    await open(
      "import * as leem from 'leemlab';\nimport { existsSync } from 'node:fs';",
      "await display(leem.controls({ pattern: true }));\nwhile (!existsSync('go-on'));",
    );
    await page.run(0);
    await page.start(1);
    await page.output(1).getByText('Waiting for the kernel …').waitFor();
    const pattern = page.output(1).getByRole('checkbox', { name: 'pattern' });
    expect(await pattern.isDisabled()).toBe(true);
    writeFileSync(join(lab.server.folder, 'go-on'), '');
    await page.isDone(1);
    await expect.poll(() => pattern.isEnabled(), { timeout: WAIT_MS }).toBe(true);
    expect(await page.output(1).getByRole('status').count()).toBe(0);
  });

  test('tells in the cell and in the controls that the variables are lost', async () => {
    await open(
      "import * as leem from 'leemlab';\nleem.controls({ pattern: true })",
      "process.kill(process.pid, 'SIGKILL')",
      '1 + 1',
    );
    await page.run(0);
    await expect.poll(() => page.output(0).getByRole('checkbox').isEnabled(), { timeout: WAIT_MS }).toBe(true);
    await page.run(1);
    expect(await page.outputText(1)).toContain('All variables are lost');
    await page.output(0).getByText('Not connected: these are the last values.').waitFor();
    await page.run(2);
    expect(await page.outputText(2)).toBe('2');
  });
});
