import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { LabPage } from './LabPage.js';
import { type JupyterServer, missingJupyter, startJupyter } from './startJupyter.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why the tests in a browser cannot run here; undefined where they can. */
export function whySkipped(): string | undefined {
  return CHROMIUM ? missingJupyter() : 'no Chromium in /usr/bin (apt-get install chromium)';
}

/** A JupyterLab with a browser that shows it. */
export interface Lab {
  readonly server: JupyterServer;
  readonly browser: Browser;
  readonly page: LabPage;
  close(): Promise<void>;
}

/** Starts a server and a browser of their own. The tests of a file share them. */
export async function openLab(): Promise<Lab> {
  const server = await startJupyter();
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath: CHROMIUM!, headless: true, args: ARGUMENTS });
    const page = await LabPage.open(browser, server);
    const opened = browser;
    return {
      server,
      browser: opened,
      page,
      close: async () => {
        await opened.close();
        await server.stop();
      },
    };
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw error;
  }
}
