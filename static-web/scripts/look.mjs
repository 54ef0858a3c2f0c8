// Opens every page of the mock build in Chromium, wide and narrow, light and dark: a screenshot of each into
// artifacts/look, and axe (WCAG 2.2 A and AA) on each. Fails on a violation, a console error or a page wider than its window.
// Usage: npm run build:mock && npm run look [-- only-this-page]
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { preview } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}artifacts/look/`;
mkdirSync(out, { recursive: true });
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const only = process.argv[2]?.split(',');

const paused = 'exe_01JD6QK2ZC0MPANYX42';
const pages = [
  { name: 'sign-in', path: '/', key: null },
  { name: 'overview', path: '/' },
  { name: 'overview-fresh', path: '/', key: 'omk_empty' },
  { name: 'overview-error', path: '/', key: 'omk_error', expectErrors: true },
  { name: 'executions', path: '/executions' },
  { name: 'executions-none', path: '/executions', key: 'omk_empty' },
  { name: 'execution', path: `/executions/${paused}` },
  { name: 'execution-travel', path: `/executions/${paused}?at=3` },
  { name: 'execution-graph', path: `/executions/${paused}?tab=graph`, ready: '.react-flow__node' },
  { name: 'execution-step', path: `/executions/${paused}?step=terms.1`, ready: '[data-testid=inspector]' },
  { name: 'execution-lanes', path: `/executions/${paused}?tab=lanes` },
  { name: 'execution-changes', path: `/executions/${paused}?tab=changes&at=5`, ready: '[data-testid=changes]' },
  { name: 'execution-fork', path: `/executions/${paused}`, act: (page) => page.getByTestId('fork').click(), ready: '[data-testid=fork-preview]' },
  { name: 'executions-search', path: '/executions?q=payout&status=succeeded' },
  { name: 'compare', path: '/compare' },
  { name: 'execution-events', path: `/executions/${paused}?tab=events` },
  { name: 'execution-in-doubt', path: '/executions/exe_01JD6P0B7PAY1ND0UBT' },
  { name: 'execution-missing', path: '/executions/exe_nothing', expectErrors: true },
  { name: 'rollback', path: `/executions/${paused}`, act: (page) => page.getByTestId('rollback').click(), ready: '[data-testid=rollback-preview]' },
  { name: 'failures', path: '/failures' },
  { name: 'failure', path: `/failures/${paused}.terms.1.1`, ready: '.cm-content' },
  { name: 'failure-tested', path: `/failures/${paused}.terms.1.1`, ready: '[data-testid=test-fix-result]', act: testFix },
  { name: 'failure-menu', path: `/failures/${paused}.terms.1.1`, ready: '[role=menu]', act: (page) => page.getByTestId('decision-menu').click() },
  { name: 'failure-disputed', path: '/failures/exe_01JD6K5R2D1SPUTED47.load.1.1' },
  { name: 'failure-timeout', path: '/failures/exe_01JD5Z9T4T1MED0VTXX.read.1.3' },
  { name: 'reviews', path: '/reviews' },
  { name: 'reviews-decide', path: '/reviews', act: (page) => page.getByTestId('decide-redo').click(), ready: '[role=alertdialog]' },
  { name: 'reviews-none', path: '/reviews', key: 'omk_empty' },
  { name: 'workflows', path: '/workflows' },
  { name: 'workflow', path: '/workflows/customer-onboarding', ready: '.react-flow__node' },
  { name: 'workflow-text', path: '/workflows/customer-onboarding?tab=text&version=2', ready: '.cm-content' },
  { name: 'workflow-run', path: '/workflows/customer-onboarding', act: (page) => page.getByTestId('run-workflow').click(), ready: '[role=dialog]' },
  { name: 'import', path: '/workflows/import', ready: '[data-testid=problem]', act: importBroken },
  { name: 'workflow-edit', path: '/workflows/customer-onboarding/edit', ready: '[data-testid=form-add-guard-terms]', act: (page) => page.getByTestId('form-step-terms').locator('summary').click() },
  { name: 'setup', path: '/workflows/setup', ready: '.cm-content' },
  { name: 'setup-agents', path: '/workflows/setup', ready: '.react-flow__node', act: (page) => setUp(page, 1) },
  { name: 'setup-suggestions', path: '/workflows/setup', ready: '[data-testid=accept-suggestion]', act: (page) => setUp(page, 2) },
  { name: 'setup-policy', path: '/workflows/setup', ready: '[data-testid=policy-editor]', act: (page) => setUp(page, 3) },
  { name: 'execution-set-aside', path: '/executions/exe_01JD6SETASIDE0000001', ready: '[data-testid=release]' },
  { name: 'residue', path: '/residue' },
  { name: 'residue-none', path: '/residue', key: 'omk_empty' },
  { name: 'reviews-in-doubt', path: '/reviews?kind=in_doubt' },
  { name: 'analytics', path: '/analytics' },
  { name: 'analytics-none', path: '/analytics', key: 'omk_empty' },
  { name: 'docs', path: '/guide/reference/billing', ready: '[data-testid=doc]' },
  { name: 'docs-search', path: '/guide/ARCHITECTURE?q=lease', ready: '[data-testid=docs-results]' },
  { name: 'keys', path: '/keys' },
  { name: 'keys-created', path: '/keys', ready: '[data-testid=key-secret]', act: createKey },
  { name: 'keys-form', path: '/keys', act: (page) => page.getByTestId('create-key').click(), ready: '[role=dialog]' },
  { name: 'keys-refused', path: '/keys', key: 'omk_viewer' },
  { name: 'sign-in-person', path: '/', key: null, act: (page) => page.getByTestId('way-person').click(), ready: '[data-testid=email]' },
  { name: 'sign-up', path: '/', key: null, act: (page) => page.getByTestId('way-sign-up').click(), ready: '[data-testid=organization]' },
  { name: 'invitation', path: '/#invitation=omi_mock', key: null, ready: '[data-testid=invitation]' },
  { name: 'billing', path: '/billing' },
  { name: 'billing-top-up', path: '/billing', act: (page) => page.getByTestId('top-up').click(), ready: '[role=dialog]' },
  { name: 'audit', path: '/audit', act: (page) => page.getByTestId('verify-audit').click(), ready: '[data-testid=audit-verdict]' },
  { name: 'settings-people', path: '/settings' },
  { name: 'settings-people-none', path: '/settings', key: 'omk_empty' },
  { name: 'settings-policy', path: '/settings?tab=policy', ready: '[data-testid=dry-run-result]', act: (page) => page.getByTestId('policy-dry-run').click() },
  { name: 'settings-secrets', path: '/settings?tab=secrets' },
  { name: 'settings-retention', path: '/settings?tab=retention', act: (page) => page.getByTestId('legal-hold').check() },
  { name: 'settings-sso', path: '/settings?tab=sso', expectErrors: true },
  { name: 'palette', path: '/', act: (page) => page.keyboard.press('Control+k'), ready: '[role=listbox]' },
  { name: 'shortcuts', path: '/', act: (page) => page.keyboard.press('?'), ready: '[role=dialog]' },
  { name: 'not-found', path: '/nowhere' },
];

async function testFix(page) {
  await page.getByTestId('fix-prompt').click();
  await page.getByTestId('test-fix').click();
}

async function setUp(page, steps) {
  await page.getByTestId('setup-example').click();
  for (let step = 0; step < steps; step++) {
    await page.locator('[data-testid=setup-next]:enabled').click();
    await page.getByTestId(`setup-${step + 2}`).waitFor();
  }
}

async function importBroken(page) {
  await page.getByTestId('spec-editor').fill('omium: v0\nname: Broken Name\nsteps:\n  - id: first\n    type: agent_task\n    agent: nobody\n    needs: [missing]\n');
}

async function createKey(page) {
  await page.getByTestId('create-key').click();
  await page.getByTestId('key-name').fill('reporting');
  await page.getByTestId('key-submit').click();
}

const server = await preview({ root, mode: 'mock', build: { outDir: 'dist-mock' }, preview: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

let problems = 0;
const report = (where, text) => {
  problems += 1;
  console.error(`${where}: ${text}`);
};

for (const width of [1440, 375]) {
  for (const scheme of ['light', 'dark']) {
    for (const target of pages) {
      if (only && !only.includes(target.name)) continue;
      const where = `${target.name}-${width}-${scheme}`;
      const context = await browser.newContext({ viewport: { width, height: width === 375 ? 812 : 900 }, colorScheme: scheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      const errors = [];
      page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      page.on('pageerror', (error) => errors.push(String(error)));
      try {
        const key = target.key === undefined ? 'omk_dev_mock' : target.key;
        if (key !== null) await page.addInitScript((value) => sessionStorage.setItem('omium.key', value), key);
        await page.goto(origin + target.path);
        await page.locator('h1, [role=alert], h2').first().waitFor({ timeout: 10_000 });
        await page.waitForFunction(() => !document.querySelector('[role=status] .breathing'));
        if (target.act) await target.act(page);
        if (target.ready) await page.locator(target.ready).first().waitFor({ timeout: 10_000 });
        await page.evaluate(() => document.fonts.ready);
        await page.screenshot({ path: `${out}${where}.png`, fullPage: !/menu|decide|run$|rollback|palette|shortcuts|created|form|fork|top-up/.test(target.name) });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (overflow > 0) report(where, `${overflow} px wider than the window`);
        await page.evaluate(axeSource);
        const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
        for (const violation of violations) report(where, `${violation.id}: ${violation.nodes.map((node) => `${node.target.join(' ')} (${node.any[0]?.message ?? node.all[0]?.message ?? ''})`).slice(0, 3).join(' | ')}`);
        if (!target.expectErrors) for (const error of errors) report(where, error);
      } catch (error) {
        report(where, String(error).split('\n')[0]);
        await page.screenshot({ path: `${out}${where}-broken.png` });
      }
      await context.close();
    }
  }
}
await browser.close();
await server.close();
console.log(problems === 0 ? 'Every page: no violation, no error, no overflow.' : `${problems} problems.`);
process.exit(problems === 0 ? 0 : 1);
