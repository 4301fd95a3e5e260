import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeReport } from '../../../src/report/index.js';
import { fakeReport } from './fakeReport.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (!CHROMIUM) console.info('Skipped: no Chromium in /usr/bin (apt-get install chromium)');

let folder = '';
let browser: Browser | undefined;
let address = '';
beforeAll(async () => {
  if (!CHROMIUM) return;
  folder = mkdtempSync(join(tmpdir(), 'leem-report-page-'));
  address = pathToFileURL(await writeReport(folder, fakeReport({ frames: 240, size: 120 }))).href;
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(!CHROMIUM).each([
  [360, 'light'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('the report at %i px, %s: fits, asks for nothing, shows one version of every chart', async (width, colorScheme) => {
  const page = await browser!.newPage({ viewport: { width, height: 900 }, colorScheme });
  const noise: string[] = [];
  page.on('console', (message) => noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && request.url() !== address) noise.push(request.url());
  });
  await page.goto(address);
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  for (const name of [
    'Drift of every frame with error bars',
    'Standard error and weight of every frame',
    'weight',
    'first frame after registration',
  ]) {
    const shown = page.getByRole('img', { name, exact: true }).filter({ visible: true });
    expect(await shown.count()).toBe(1);
    const box = await shown.boundingBox();
    expect(box?.width).toBeGreaterThan(100);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(width);
  }
  const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  expect(background).toBe(colorScheme === 'dark' ? 'rgb(20, 24, 28)' : 'rgb(254, 254, 254)');
  expect(noise).toEqual([]);
  await page.close();
});
