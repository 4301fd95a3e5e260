import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contrastOf } from './contrastOf.js';
import type { LabPage } from './LabPage.js';
import { type Lab, openLab, whySkipped } from './openLab.js';

// The kernel side is played by Python, so that these tests are about the front end and the contract alone.

const reason = whySkipped();
if (reason) console.info(`Skipped: ${reason}`);

const MIME_TYPE = 'application/vnd.leemlab.controls.v1+json';
const LOST = 'Not connected: these are the last values. Run the cell again to change them.';
/** Longest wait for a state, milliseconds. */
const WAIT_MS = 30_000;
const SETUP = '%run controlsStandIn.py';
/** Cells of most tests: 0 set-up, 1 shows the controls, 2 what the kernel has. */
const CELLS = [SETUP, 'window.show()', 'print(window.values)'];

let lab: Lab;
let page: LabPage;
let count = 0;
let name = '';

beforeAll(async () => {
  if (reason) return;
  lab = await openLab();
  page = lab.page;
  copyFileSync(resolve('tests/browser/controlsStandIn.py'), join(lab.server.folder, 'controlsStandIn.py'));
}, 180_000);
afterAll(async () => {
  await lab?.close();
});
beforeEach(() => {
  count += 1;
  name = `controls-${count}.ipynb`;
});
afterEach(async () => {
  if (reason) return;
  await page.closeAll();
  expect(page.noise.splice(0)).toEqual([]);
});

async function open(cells: readonly string[] = CELLS, shown: number = 1): Promise<void> {
  await page.openNotebook(name, 'python3', cells);
  for (let k = 0; k <= shown; k += 1) await page.run(k);
  await isEnabled(slider(shown));
}

function slider(cell: number): Locator {
  return page.output(cell).getByRole('slider', { name: 'Gaussian σ (pixels)' });
}

function number(cell: number): Locator {
  return page.output(cell).getByRole('spinbutton', { name: 'Gaussian σ (pixels)' });
}

async function isEnabled(field: Locator): Promise<void> {
  await expect.poll(() => field.isEnabled(), { timeout: WAIT_MS }).toBe(true);
}

async function hasValue(field: Locator, value: string): Promise<void> {
  await expect.poll(() => field.inputValue(), { timeout: WAIT_MS }).toBe(value);
}

async function kernelValues(cell: number = 2): Promise<string> {
  await page.run(cell);
  return page.outputText(cell);
}

async function isLost(cell: number): Promise<void> {
  await expect.poll(() => page.output(cell).getByRole('status').innerText(), { timeout: WAIT_MS }).toBe(LOST);
  expect(await slider(cell).isDisabled()).toBe(true);
  expect(await number(cell).isDisabled()).toBe(true);
  expect(await page.output(cell).getByRole('combobox').isDisabled()).toBe(true);
  expect(await page.output(cell).getByRole('checkbox').isDisabled()).toBe(true);
}

describe.skipIf(reason)('controls in JupyterLab', { timeout: 120_000 }, () => {
  test('have roles, labels and values, and set the variables of the kernel', async () => {
    await open();
    expect(await slider(1).inputValue()).toBe('3');
    expect(await page.output(1).getByRole('status').isHidden()).toBe(true);
    await number(1).click();
    await page.page.keyboard.press('Control+a');
    await page.page.keyboard.type('7.4');
    await page.page.keyboard.press('Enter');
    await hasValue(slider(1), '7.5');
    await page.output(1).getByRole('combobox', { name: 'Window' }).selectOption('all of the frame');
    await page.output(1).getByRole('checkbox', { name: 'Hann window' }).uncheck();
    expect(await kernelValues()).toBe("{'sigma': 7.5, 'side': 'all', 'hann': False}");
    await page.output(1).getByRole('combobox', { name: 'Window' }).selectOption('256');
    await number(1).fill('1000');
    await number(1).press('Tab');
    expect(await kernelValues()).toBe("{'sigma': 10, 'side': 256, 'hann': False}");
    await number(1).fill('');
    await number(1).press('Enter');
    await hasValue(number(1), '10');
  });

  test('take their keys, and leave those with a modifier to the notebook', async () => {
    await open();
    // a click sets it to the middle and leaves the focus there
    await slider(1).click();
    await hasValue(slider(1), '5');
    for (const key of ['ArrowUp', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'b', 'x']) await page.page.keyboard.press(key);
    await hasValue(slider(1), '6');
    expect(await page.page.evaluate('jupyterapp.shell.currentWidget.content.activeCellIndex')).toBe(1);
    expect(await page.panel().locator('.jp-CodeCell').count()).toBe(3);
    await page.page.keyboard.press('Tab');
    await page.page.keyboard.press('Tab');
    await page.page.keyboard.press('Tab');
    await page.page.keyboard.press('Space');
    await page.page.keyboard.press('Control+s');
    await page.page.waitForFunction('!jupyterapp.shell.currentWidget.context.model.dirty');
    expect(await kernelValues()).toBe("{'sigma': 6, 'side': 512, 'hann': False}");
  });

  test('send at most 20 values a second while dragged, and the last one', async () => {
    await open([
      SETUP,
      'window.show()',
      'print(len(window.received), window.times[-1] - window.times[0], window.values["sigma"])',
    ]);
    const box = (await slider(1).boundingBox())!;
    const { mouse } = page.page;
    await mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
    await mouse.down();
    const begin = performance.now();
    for (let k = 0; k <= 60; k += 1) await mouse.move(box.x + box.width * (0.5 + 0.48 * Math.sin(k / 3)), box.y + box.height / 2);
    await mouse.move(box.x + box.width + 5, box.y + box.height / 2);
    const seconds = (performance.now() - begin) / 1000;
    await mouse.up();
    await hasValue(slider(1), '10');
    // the kernel takes comms and cells one after the other, the page may still hold the last value back
    await expect.poll(async () => (await kernelValues()).split(' ')[2], { timeout: WAIT_MS }).toBe('10');
    const messages = Number((await page.outputText(2)).split(' ')[0]);
    expect(messages).toBeGreaterThan(2);
    expect(messages).toBeLessThanOrEqual(seconds * 20 + 3);
  });

  test('are not moved back by an answer to an earlier value', async () => {
    await open([
      `${SETUP}\nwindow.answers = False`,
      'window.show()',
      'print([m["sequence"] for m in window.received], window.received[-1]["value"])',
      'window.state(1, sigma=3.5, hann=False)',
      'window.state(2, sigma=1)',
    ]);
    await slider(1).press('ArrowRight');
    await slider(1).press('ArrowRight');
    expect(await kernelValues()).toBe('[1, 2] 4');
    await page.run(3);
    // the other control has no newer value
    await expect.poll(() => page.output(1).getByRole('checkbox').isChecked()).toBe(false);
    expect(await slider(1).inputValue()).toBe('4');
    await page.run(4);
    await hasValue(slider(1), '1');
    await hasValue(number(1), '1');
  });

  test('show that the kernel computes, and why it refused', async () => {
    await open([
      SETUP,
      'window.show()',
      'window.send(type="busy", busy=True)',
      'window.send(type="busy", busy=False); window.send(type="error", message="no <b>frames</b> left")',
    ]);
    const computing = page.output(1).getByRole('progressbar', { name: 'Computing' });
    expect(await computing.count()).toBe(0);
    await page.run(2);
    await expect.poll(() => computing.count()).toBe(1);
    expect(await page.output(1).getByRole('group', { name: 'Controls' }).getAttribute('aria-busy')).toBe('true');
    await page.run(3);
    await expect.poll(() => page.output(1).getByRole('alert').innerText()).toBe('no <b>frames</b> left');
    expect(await computing.count()).toBe(0);
    await slider(1).press('ArrowRight');
    await expect.poll(() => page.output(1).getByRole('alert').count()).toBe(0);
  });

  test('of one id follow each other, in a view of their own too', async () => {
    await open([SETUP, 'window.show()', 'window.show()', 'print(window.values, len(window.comms))'], 2);
    await slider(1).press('End');
    await hasValue(slider(2), '10');
    await page.select(2);
    await page.command('notebook:create-output-view');
    const view = page.page.locator('.jp-LinkedOutputView').getByRole('slider', { name: 'Gaussian σ (pixels)' });
    await isEnabled(view);
    await view.press('Home');
    await hasValue(slider(1), '0');
    await hasValue(slider(2), '0');
    await page.page.evaluate(`(() => {
      for (const widget of jupyterapp.shell.widgets('main'))
        if (widget.node.querySelector('.jp-LinkedOutputView')) widget.dispose();
    })()`);
    await page.show(name);
    expect(await kernelValues(3)).toBe("{'sigma': 0, 'side': 512, 'hann': True} 1");
  });

  test('stay the same elements under the hand when the display is updated', async () => {
    const update = 'window.show(display_id=handle.display_id, update=True)';
    await open([SETUP, 'handle = window.show(display_id=True)']);
    await slider(1).focus();
    await slider(1).evaluate((node) => node.setAttribute('data-mark', 'same'));
    await page.runCode(`window.values["sigma"] = 8; ${update}`);
    await hasValue(slider(1), '8');
    expect(await slider(1).getAttribute('data-mark')).toBe('same');
    // an element that is put in its place again loses the focus, and a drag
    expect(await slider(1).evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
    await page.runCode(`window.controls = window.controls[:2]; ${update}`);
    await expect.poll(() => page.output(1).getByRole('checkbox').count()).toBe(0);
    expect(await slider(1).getAttribute('data-mark')).toBe('same');
    expect(await slider(1).isEnabled()).toBe(true);
  });

  test('show their last values after a restart, and live again when the cell has run', async () => {
    await open();
    await slider(1).press('End');
    await page.commandWithDialog('kernelmenu:restart', 'Restart');
    await isLost(1);
    expect(await slider(1).inputValue()).toBe('10');
    await page.isIdle();
    await page.run(0);
    await page.run(1);
    await isEnabled(slider(1));
    expect(await slider(1).inputValue()).toBe('3');
  });

  test('come back when the page is loaded again, and stand in the saved notebook', async () => {
    await open();
    await slider(1).press('End');
    await page.output(1).getByRole('checkbox').uncheck();
    expect(await kernelValues()).toContain("'sigma': 10");
    await page.page.waitForFunction(
      `jupyterapp.shell.currentWidget.content.widgets[1].model.outputs.get(0).data[${JSON.stringify(MIME_TYPE)}].controls[2].value === false`,
    );
    const file = await page.save(name);
    expect(file.cells[1]?.outputs?.[0]?.data?.[MIME_TYPE]).toMatchObject({
      controls: [{ value: 10 }, { value: 512 }, { value: false }],
    });
    await page.reload();
    await page.show(name);
    await isEnabled(slider(1));
    await slider(1).press('Home');
    expect(await kernelValues()).toContain("'sigma': 0");
    await page.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    await isLost(1);
    expect(await slider(1).inputValue()).toBe('0');
  });

  test('that the kernel does not know say so', async () => {
    await page.openNotebook(name, 'python3', [SETUP, 'Controls.known.clear(); window.show()']);
    await page.run(0);
    await page.run(1);
    await isLost(1);
  });

  test('that are broken say what is wrong, and no text becomes HTML', async () => {
    await open([
      SETUP,
      'window.controls[0]["label"] = "Gaussian σ (pixels)"; window.controls[2]["label"] = "<img src=x onerror=alert(1)>"; window.show()',
      'window.controls[0]["step"] = 0; window.show()',
      'window.controls = "many"; display({"application/vnd.leemlab.controls.v1+json": None}, raw=True)',
    ]);
    expect(await page.output(1).getByRole('checkbox', { name: '<img src=x onerror=alert(1)>' }).count()).toBe(1);
    expect(await page.output(1).locator('img').count()).toBe(0);
    await page.run(2);
    const broken = page.output(2).getByRole('alert');
    await expect.poll(() => broken.innerText()).toContain("'controls[0].step' must be above 0 and at most 10, got 0");
    expect(await broken.innerText()).toContain('Run the cell again');
  });

  test('work in a console', async () => {
    await open();
    await page.command('notebook:create-console');
    const panel = page.page.locator('.jp-ConsolePanel');
    await panel.waitFor();
    await page.page.waitForFunction('jupyterapp.shell.currentWidget?.console !== undefined');
    await page.page.evaluate('jupyterapp.shell.currentWidget.console.inject("window.show()").then(() => {})');
    const inConsole = panel.getByRole('slider', { name: 'Gaussian σ (pixels)' });
    await isEnabled(inConsole);
    await inConsole.press('End');
    await hasValue(slider(1), '10');
    // the console's controls went over the notebook's connection
    await page.closeNotebooks();
    await isEnabled(inConsole);
    await inConsole.press('Home');
    await page.show(name);
    await isEnabled(slider(1));
    await hasValue(slider(1), '0');
    expect(await kernelValues()).toContain("'sigma': 0");
  });

  test.each(['JupyterLab Light', 'JupyterLab Dark'] as const)('can be read in %s, live and not', async (theme) => {
    await page.setTheme(theme);
    await open([SETUP, 'window.show()', 'window.send(type="error", message="sigma must be below half of the window")']);
    await page.run(2);
    const label = page.output(1).getByText('Gaussian σ (pixels)');
    const select = page.output(1).getByRole('combobox');
    const error = page.output(1).getByRole('alert');
    await error.waitFor();
    for (const text of [label, number(1), select, error]) expect(await contrastOf(text)).toBeGreaterThan(4.5);
    await page.screenshot(`controls-${theme}.png`);
    await page.page.evaluate('jupyterapp.shell.currentWidget.sessionContext.shutdown()');
    await isLost(1);
    // WCAG exempts what cannot be used, but the values are there to be read
    for (const text of [label, number(1), select, page.output(1).getByRole('status')])
      expect(await contrastOf(text)).toBeGreaterThan(3);
    await page.screenshot(`controls-${theme}-lost.png`);
  });

  test('keep within a narrow output', async () => {
    await open();
    for (const width of [560, 700, 1600]) {
      await page.page.setViewportSize({ width, height: 900 });
      const place = page.output(1).getByRole('group', { name: 'Controls' });
      expect(await place.evaluate((node) => node.scrollWidth - node.clientWidth)).toBe(0);
      expect((await slider(1).boundingBox())?.width).toBeGreaterThan(60);
      await page.screenshot(`controls-${width}.png`);
    }
    await page.page.setViewportSize({ width: 1280, height: 900 });
  });
});
