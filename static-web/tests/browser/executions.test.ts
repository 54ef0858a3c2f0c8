import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';
import { chain } from './specs';

describe.skipIf(!isReal)('executions, in the browser on the real program', { timeout: 180_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.connect(); });
  afterAll(() => omium.end());

  it('S13_TheGraphNamesStep15_AndACorrectedOutputRunsOnlyWhatDependsOnIt', async () => {
    await omium.save(chain('rates', 100, { wrong: { at: 15, failing: 47 } }));
    const id = await omium.start('rates');
    await omium.runUntil(id, 'failed');
    const visit = await omium.openWithKey(`/executions/${id}?tab=graph`);
    const cause = await visit.get('graph-root-cause').innerText();
    expect(cause).toContain('It began at s15');
    expect(cause).toMatch(/Made from it: s16, /);
    await visit.page.locator('.react-flow__node').first().waitFor();

    await visit.page.goto(`${omium.url}/executions/${id}?step=s15`);
    await visit.click('run-again');
    await visit.get('what-output').check();
    await visit.fill('run-again-value', '{"rate": 3}');
    await visit.click('run-again-start');
    await visit.get('execution-status').getByText('Succeeded').waitFor();
    const visits = new Map((await omium.runUntil(id, 'succeeded')).steps.filter(({ status }) => status === 'committed').map(({ step, visit: number }) => [step, number]));
    expect([visits.get('s14'), visits.get('s16'), visits.get('s47'), visits.get('s100')]).toEqual([1, 2, 2, 1]);
    await visit.close();
  });

  it('S14_StateAtAnEvent_WhatItChanged_VerifiedByteForByte_AndForked', async () => {
    const spec = chain('three', 3);
    await omium.save({ ...spec, steps: [...spec.steps, { id: 'ask', type: 'human_approval', needs: ['s3'], description: 'Is it right?' }, { id: 'last', type: 'decision', needs: ['ask'] }] });
    const id = await omium.start('three');
    await omium.runUntil(id, 'waiting');
    const { body: reviews } = await omium.api<{ items: { id: string; digest: string }[] }>('GET', `/v1/reviews?execution=${id}`);
    expect((await omium.api('POST', `/v1/reviews/${reviews.items[0]!.id}/decide`, { decision: 'approve', digest: reviews.items[0]!.digest })).status).toBe(200);
    await omium.runUntil(id, 'succeeded');
    const visit = await omium.openWithKey(`/executions/${id}?at=2&tab=changes`);
    await visit.get('changes').waitFor();
    expect(await visit.get('changes').innerText()).toContain('open_reviews');
    await visit.page.getByRole('tab', { name: 'Raw events' }).click();
    await visit.page.getByRole('button', { name: 'Verify the log' }).click();
    await visit.page.getByText(/^Identical/).waitFor();
    await visit.click('fork');
    await visit.get('fork-preview').waitFor();
    await visit.click('fork-start');
    await visit.page.getByText(/forked from/).waitFor();
    await visit.get('execution-status').getByText('Succeeded').waitFor();
    await visit.page.getByRole('link', { name: 'compare', exact: true }).click();
    expect(await visit.get('compare-verdict').innerText()).toContain('are the same');
    await visit.close();
  });

  it('Search_FindsByWordsOfAFailure_AndLivesInTheAddress', async () => {
    const visit = await omium.openWithKey('/executions');
    await visit.page.getByRole('list', { name: 'Executions' }).waitFor();
    await visit.page.keyboard.press('/');
    await visit.page.keyboard.type('three');
    await visit.page.waitForURL(/q=three/);
    await visit.page.waitForFunction(() => [...document.querySelectorAll('[data-testid^="execution-exe"]')].every((row) => row.textContent?.includes('three')));
    expect(await visit.page.locator('[data-testid^="execution-exe"]').count()).toBeGreaterThan(0);
    await visit.fill('execution-search', 'no such word');
    await visit.page.getByText('No execution matches').waitFor();
    await visit.close();
  });
});
