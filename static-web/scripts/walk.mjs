// The first five minutes against the mock, as a newcomer walks them: printed address, checklist, run, failure, edit,
// test, retry, finished. Usage: npm run build:mock && npm run walk
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}artifacts/walk/`;
mkdirSync(out, { recursive: true });
const server = await preview({ root, mode: 'mock', build: { outDir: 'dist-mock' }, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  const look = (name) => page.screenshot({ path: `${out}${name}.png` });
  const attribute = (id, name, value) => page.locator(`[data-testid="${id}"][data-${name}="${value}"]`).waitFor({ timeout: 15_000 });

  await page.goto(`${origin}/#key=omk_empty_walk`);
  await attribute('checklist', 'done', '1');
  assert.equal(new URL(page.url()).hash, '', 'the key must leave the address');
  await page.getByTestId('checklist-create-key').click();
  await page.getByTestId('key-submit').click();
  await page.getByTestId('key-secret').waitFor();
  await look('1-key');
  await attribute('checklist-key', 'done', 'true');
  await page.getByTestId('start-demo').click();

  await page.getByTestId('step-kyc').getByText('Committed').waitFor({ timeout: 15_000 });
  await look('2-live');
  await page.getByTestId('execution-status').getByText('Paused').waitFor({ timeout: 15_000 });
  await page.getByTestId('failure-link').click();

  await page.getByTestId('prompt-editor').waitFor({ timeout: 15_000 });
  await look('3-failure');
  await page.getByTestId('prompt-editor').fill('Generate terms. APR must be at least 1 %.');
  await page.getByTestId('test-fix').click();
  await attribute('test-fix-result', 'outcome', 'failed');
  await page.getByTestId('fix-prompt').click();
  await page.getByTestId('test-fix').click();
  await attribute('test-fix-result', 'outcome', 'passed');
  assert.match(await page.getByTestId('test-fix-result').innerText(), /5\.2/);
  assert.match(await page.getByTestId('test-fix-result').innerText(), /Nothing was sent/);
  await page.waitForTimeout(500);
  await look('4-tested');
  await page.getByTestId('retry-button').click();
  await attribute('recovery', 'stage', 'going_on');
  await look('5-going-on');
  await attribute('recovery', 'stage', 'mended');
  assert.match(await page.getByTestId('recovery').innerText(), /send_offer once/);
  await look('6-mended');

  await page.getByRole('link', { name: 'Overview' }).first().click();
  await attribute('checklist', 'done', '3');
  await look('7-done');

  await page.keyboard.press('j');
  assert.ok(await page.evaluate(() => document.activeElement?.hasAttribute('data-list-item')), 'j focuses the first list item');
  await page.keyboard.press('Enter');
  await page.getByTestId('time-slider').focus();
  await page.keyboard.press('ArrowLeft');
  await page.getByTestId('back-to-now').waitFor();
  await look('8-time-travel');
  assert.deepEqual(errors, []);
  console.log('Walked from the printed address to the mended run.');
} finally {
  await browser.close();
  await server.close();
}
