import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';

/** Every page of a real installation, at both widths and in both themes: axe, no error, no page wider than its window, and a picture of it in artifacts/real. */
describe.skipIf(!isReal)('every page, on the real program', { timeout: 120_000 }, () => {
  let omium: Installation;
  const paused = { run: '', failure: '' };

  beforeAll(async () => {
    omium = await Installation.connect();
    paused.run = await omium.start('customer-onboarding', { customer_id: 'c-42', name: 'Jane Smith', email: 'jane@example.com', amount: 12000 });
    paused.failure = (await omium.runUntil(paused.run, 'paused')).failure_id!;
  }, 60_000);
  afterAll(() => omium.end());

  const run = (tab: string) => () => `/executions/${paused.run}${tab}`;
  const at = (path: string) => () => path;
  const parts: [string, [name: string, path: () => string][]][] = [
    ['runs and failures', [
      ['overview', at('/')], ['executions', at('/executions')], ['execution', run('')], ['execution-step', run('?step=terms')], ['execution-lanes', run('?tab=lanes')], ['execution-graph', run('?tab=graph')],
      ['execution-changes', run('?tab=changes')], ['execution-events', run('?tab=events')], ['failures', at('/failures')], ['failure', () => `/failures/${paused.failure}`], ['reviews', at('/reviews')], ['residue', at('/residue')], ['compare', at('/compare')],
    ]],
    ['workflows', [
      ['workflows', at('/workflows')], ['workflow', at('/workflows/customer-onboarding')], ['workflow-edit', at('/workflows/customer-onboarding/edit')], ['setup', at('/workflows/setup')], ['docs', at('/guide/reference/billing')],
    ]],
    ['account', [
      ['analytics', at('/analytics')], ['keys', at('/keys')], ['billing', at('/billing')], ['audit', at('/audit')], ['settings-people', at('/settings')], ['settings-policy', at('/settings?tab=policy')], ['settings-secrets', at('/settings?tab=secrets')],
      ['settings-retention', at('/settings?tab=retention')], ['settings-sso', at('/settings?tab=sso')], ['not-found', at('/no-such-page')],
    ]],
  ];

  // One load for all four looks. Of axe's rules only the contrast of colours tells the themes apart: each width meets every rule once, each theme its colours at both.
  const looks = [{ width: 1440, scheme: 'light', rules: 'all' }, { width: 375, scheme: 'light', rules: 'contrast' }, { width: 375, scheme: 'dark', rules: 'all' }, { width: 1440, scheme: 'dark', rules: 'contrast' }] as const;

  it.each(parts)('%s', async (_, pages) => {
    const problems: string[] = [];
    const visit = await omium.openWithKey('/');
    const { page } = visit;
    await page.locator('h1').first().waitFor();
    for (const [name, path] of pages) {
      await page.goto(omium.url + path());
      // Under a sheet that covers the page a heading is in sight but no longer in the tree of roles.
      await page.locator('h1').first().waitFor();
      await page.waitForFunction(() => !document.querySelector('[role=status] .breathing'));
      for (const { width, scheme, rules } of looks) {
        await page.setViewportSize({ width, height: width === 375 ? 812 : 900 });
        await page.emulateMedia({ colorScheme: scheme });
        await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme && document.getAnimations().every(({ playState }) => playState === 'finished'), scheme);
        await visit.screenshot(`${name}-${width}-${scheme}`);
        for (const violation of await visit.violations(rules)) problems.push(`${name} at ${width} px, ${scheme}: ${violation}`);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wider > 0) problems.push(`${name}: ${wider} px wider than the window of ${width} px`);
      }
    }
    expect(problems).toEqual([]);
    await visit.close();
  });
});
