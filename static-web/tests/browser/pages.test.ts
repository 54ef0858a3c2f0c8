import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';
import { lookAt } from './looks';

/** Every page of a real installation that is not about one run. */
describe.skipIf(!isReal)('pages, on the real program', { timeout: 240_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.connect(); });
  afterAll(() => omium.end());

  it.each<[string, [string, string][]]>([
    ['lists and workflows', [
      ['executions', '/executions'], ['failures', '/failures'], ['reviews', '/reviews'], ['residue', '/residue'], ['compare', '/compare'], ['workflows', '/workflows'], ['workflow', '/workflows/customer-onboarding'],
      ['workflow-edit', '/workflows/customer-onboarding/edit'], ['setup', '/workflows/setup'], ['import', '/workflows/import'], ['docs', '/guide/reference/pricing'],
    ]],
    ['the account', [
      ['analytics', '/analytics'], ['keys', '/keys'], ['billing', '/billing'], ['audit', '/audit'], ['settings-people', '/settings'], ['settings-policy', '/settings?tab=policy'], ['settings-secrets', '/settings?tab=secrets'],
      ['settings-retention', '/settings?tab=retention'], ['settings-sso', '/settings?tab=sso'], ['not-found', '/no-such-page'],
    ]],
  ])('%s', async (_, pages) => {
    const visit = await omium.openWithKey('/');
    expect(await lookAt(visit, pages)).toEqual([]);
    await visit.close();
  });

  it('signing in', async () => {
    const visit = await omium.open('/');
    expect(await lookAt(visit, [['sign-in', '/']])).toEqual([]);
    await visit.close();
  });
});
