import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';

/** Every page of a real installation: axe, no error, no page wider than its window, and a picture of it in artifacts/real. */
describe.skipIf(!isReal)('every page, on the real program', { timeout: 240_000 }, () => {
  let omium: Installation;
  let pages: [string, string][] = [];

  beforeAll(async () => {
    omium = await Installation.start();
    const { body } = await omium.api<{ id: string; failure_id: string }>('POST', '/v1/executions', { workflow: 'customer-onboarding', input: { customer_id: 'c-42', name: 'Jane Smith', email: 'jane@example.com', amount: 12000 } });
    let failure: string | undefined;
    for (const giveUpAt = Date.now() + 40_000; failure === undefined && Date.now() < giveUpAt;) {
      failure = (await omium.api<{ failure_id?: string }>('GET', `/v1/executions/${body.id}`)).body.failure_id;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const run = `/executions/${body.id}`;
    pages = [
      ['overview', '/'], ['executions', '/executions'], ['execution', run], ['execution-step', `${run}?step=terms`], ['execution-lanes', `${run}?tab=lanes`], ['execution-graph', `${run}?tab=graph`],
      ['execution-changes', `${run}?tab=changes`], ['execution-events', `${run}?tab=events`], ['failures', '/failures'], ['failure', `/failures/${failure}`], ['reviews', '/reviews'], ['residue', '/residue'],
      ['workflows', '/workflows'], ['workflow', '/workflows/customer-onboarding'], ['workflow-edit', '/workflows/customer-onboarding/edit'], ['setup', '/workflows/setup'], ['compare', '/compare'],
      ['analytics', '/analytics'], ['keys', '/keys'], ['billing', '/billing'], ['audit', '/audit'], ['settings-people', '/settings'], ['settings-policy', '/settings?tab=policy'], ['settings-secrets', '/settings?tab=secrets'],
      ['settings-retention', '/settings?tab=retention'], ['settings-sso', '/settings?tab=sso'], ['docs', '/guide/reference/billing'],
    ];
  }, 90_000);
  afterAll(() => omium.end());

  it.each([[1440, 'light'], [1440, 'dark'], [375, 'light'], [375, 'dark']] as const)('%d px, %s', async (width, scheme) => {
    const problems: string[] = [];
    const visit = await omium.openWithKey('/', { width, height: width === 375 ? 812 : 900, scheme });
    await visit.page.getByRole('heading', { level: 1 }).waitFor();
    for (const [name, path] of pages) {
      await visit.page.goto(omium.url + path);
      // Under a sheet that covers the page a heading is in sight but no longer in the tree of roles.
      await visit.page.locator('h1').first().waitFor();
      await visit.page.waitForFunction(() => !document.querySelector('[role=status] .breathing'));
      await visit.screenshot(`${name}-${width}-${scheme}`);
      const wider = await visit.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (wider > 0) problems.push(`${name}: ${wider} px wider than the window`);
      for (const violation of await visit.violations()) problems.push(`${name}: ${violation}`);
    }
    expect([...problems, ...visit.errors]).toEqual([]);
    await visit.close();
  });
});
