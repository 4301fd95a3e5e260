import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import type { JupyterServer } from './startJupyter.js';

/** The part of a notebook file that the tests look at. */
export interface NotebookFile {
  readonly cells: readonly { readonly outputs?: readonly { readonly data?: Record<string, unknown> }[] }[];
}

/** Slips of JupyterLab 4.6 itself: a Python kernel that ends while its debugger is asked; an output view whose notebook closes. */
const OWN_NOISE = [/^Could not restore the debugger state/, /Cannot read properties of null \(reading 'changed'\)\n.*jlab_core/];

/** JupyterLab in a page of the browser, driven as a user would; waits for states, never for a time. */
export class LabPage {
  readonly page: Page;
  /** Errors and warnings of the page's console since it was opened. */
  readonly noise: string[] = [];
  readonly #server: JupyterServer;

  private constructor(page: Page, server: JupyterServer) {
    this.page = page;
    this.#server = server;
    const note = (text: string): void => {
      if (!OWN_NOISE.some((slip) => slip.test(text))) this.noise.push(text);
    };
    page.on('console', (message) => {
      if (message.type() === 'error') note(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => note(error.stack ?? error.message));
  }

  static async open(browser: Browser, server: JupyterServer): Promise<LabPage> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(30_000);
    const lab = new LabPage(page, server);
    await page.goto(server.address);
    await lab.isReady();
    return lab;
  }

  /** Writes a notebook with these cells, opens it and waits for its kernel. */
  async openNotebook(name: string, kernel: string, cells: readonly string[]): Promise<void> {
    const notebook = {
      cells: cells.map((source, k) => ({
        id: `cell${k}`,
        cell_type: 'code',
        execution_count: null,
        metadata: {},
        outputs: [],
        source,
      })),
      metadata: { kernelspec: { name: kernel, display_name: kernel } },
      nbformat: 4,
      nbformat_minor: 5,
    };
    writeFileSync(join(this.#server.folder, name), JSON.stringify(notebook));
    await this.show(name);
    await this.isIdle();
  }

  /** Opens a notebook that is there already. */
  async show(name: string): Promise<void> {
    await this.page.evaluate(
      `(async () => {
        const panel = await jupyterapp.commands.execute('docmanager:open', { path: ${JSON.stringify(name)}, factory: 'Notebook' });
        await panel.context.ready;
        await panel.revealed;
      })()`,
    );
  }

  /** Waits until the current notebook's kernel is connected and has nothing to do. */
  async isIdle(): Promise<void> {
    await this.page.waitForFunction(`(() => {
      const kernel = jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel;
      return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
    })()`);
  }

  /** Runs one cell as its user does and waits until it is done. */
  async run(cell: number): Promise<void> {
    await this.start(cell);
    await this.isDone(cell);
  }

  /** Lets the kernel run code without a cell: what is selected and has the focus stays. */
  async runCode(code: string): Promise<void> {
    await this.page.evaluate(
      `jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code: ${JSON.stringify(code)} }).done.then(() => {})`,
    );
  }

  /** Selects one cell and runs it with Ctrl+Enter. */
  async start(cell: number): Promise<void> {
    await this.select(cell);
    // the number is what isDone waits for
    await this.page.evaluate(`jupyterapp.shell.currentWidget.content.widgets[${cell}].model.executionCount = null`);
    await this.page.keyboard.press('Control+Enter');
  }

  /** Waits until a cell that was started has its number and its kernel nothing to do. */
  async isDone(cell: number): Promise<void> {
    await this.page.waitForFunction(`(() => {
      const model = jupyterapp.shell.currentWidget.content.widgets[${cell}].model;
      return model.executionState === 'idle' && model.executionCount !== null;
    })()`);
    await this.isIdle();
  }

  /** Makes a cell the active one, in command mode. */
  async select(cell: number): Promise<void> {
    await this.page.evaluate(`(() => {
      const { content } = jupyterapp.shell.currentWidget;
      content.activeCellIndex = ${cell};
      content.mode = 'command';
      content.activate();
      content.activeCell.node.focus();
    })()`);
  }

  /** Types at the end of a cell, key by key. */
  async type(cell: number, text: string): Promise<void> {
    await this.select(cell);
    await this.page.keyboard.press('Enter');
    await this.page.keyboard.press('Control+End');
    await this.page.keyboard.type(text);
  }

  /** The numbers beside the cells. */
  counts(): Promise<(number | null)[]> {
    return this.page.evaluate('jupyterapp.shell.currentWidget.content.widgets.map(({ model }) => model.executionCount)');
  }

  /** A cell of the current notebook. */
  cell(index: number): Locator {
    return this.panel().locator('.jp-Notebook-cell').nth(index);
  }

  /** Where a cell's outputs stand. */
  output(index: number): Locator {
    return this.cell(index).locator('.jp-Cell-outputArea');
  }

  /** The panel of the current notebook. */
  panel(): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  /** What a cell shows, without the numbers beside it. */
  async outputText(index: number): Promise<string> {
    const texts = await this.output(index).locator('.jp-OutputArea-output').allInnerTexts();
    return texts.join('\n').trim();
  }

  /** Runs a command of JupyterLab. */
  async command(id: string, args: object = {}): Promise<void> {
    await this.page.evaluate(`jupyterapp.commands.execute(${JSON.stringify(id)}, ${JSON.stringify(args)}).then(() => {})`);
  }

  /** Runs a command that asks first, and answers with one of the dialog's buttons. */
  async commandWithDialog(id: string, button: string): Promise<void> {
    await this.page.evaluate(`void jupyterapp.commands.execute(${JSON.stringify(id)})`);
    await this.answer(button);
  }

  /** Saves the current notebook and gives what stands in its file. */
  async save(name: string): Promise<NotebookFile> {
    await this.command('docmanager:save');
    return JSON.parse(readFileSync(join(this.#server.folder, name), 'utf8')) as NotebookFile;
  }

  /** Answers the dialog that is open with one of its buttons. */
  async answer(button: string): Promise<void> {
    await this.page
      .locator('.jp-Dialog')
      .getByRole('button')
      .filter({ hasText: new RegExp(`^${button}$`) })
      .click();
  }

  /** Saves and closes all notebooks; their kernels go on. */
  async closeNotebooks(): Promise<void> {
    await this.page.evaluate(`(async () => {
      for (const widget of [...jupyterapp.shell.widgets('main')]) {
        if (widget.context === undefined) continue;
        await widget.context.save();
        // controls may have been written meanwhile: no dialog
        widget.context.model.dirty = false;
        widget.close();
      }
    })()`);
    await this.page.waitForFunction(`[...jupyterapp.shell.widgets('main')].every((widget) => widget.context === undefined)`);
  }

  /** Closes all notebooks and consoles and ends all kernels. */
  async closeAll(): Promise<void> {
    await this.closeNotebooks();
    await this.page.evaluate(`(async () => {
      for (const widget of [...jupyterapp.shell.widgets('main')]) if (widget.sessionContext) widget.dispose();
      await jupyterapp.serviceManager.sessions.shutdownAll();
    })()`);
  }

  /** Loads the page again, as after F5. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.isReady();
  }

  async setTheme(theme: 'JupyterLab Light' | 'JupyterLab Dark'): Promise<void> {
    await this.command('apputils:change-theme', { theme });
    await this.page.waitForFunction(`document.body.dataset.jpThemeName === ${JSON.stringify(theme)}`);
    await this.page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
  }

  /** Takes a picture of the page, for those who want to look: kept where LEEMLAB_SCREENSHOTS names a folder. */
  async screenshot(name: string): Promise<void> {
    const folder = process.env.LEEMLAB_SCREENSHOTS ?? this.#server.folder;
    await this.page.screenshot({ path: join(folder, name.replaceAll(' ', '-')) });
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  private async isReady(): Promise<void> {
    await this.page.waitForFunction('globalThis.jupyterapp !== undefined', undefined, { timeout: 60_000 });
    await this.page.evaluate('jupyterapp.restored.then(() => {})');
    await this.page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
  }
}
