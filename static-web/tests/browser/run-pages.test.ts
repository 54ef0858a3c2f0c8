import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';
import { lookAt } from './looks';

/** Every page about one run, of a run that failed and waits for a person. */
describe.skipIf(!isReal)('pages of a run, on the real program', { timeout: 240_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.connect(); });
  afterAll(() => omium.end());

  it('a run that has paused itself', async () => {
    const id = await omium.start('customer-onboarding', { customer_id: 'c-42', name: 'Jane Smith', email: 'jane@example.com', amount: 12000 });
    const { failure_id, open_reviews } = await omium.runUntil(id, 'paused');
    const { body: review } = await omium.api<{ digest: string }>('GET', `/v1/reviews/${open_reviews[0]}`);
    expect((await omium.api('POST', `/v1/reviews/${open_reviews[0]}/proposals`, { digest: review.digest, edits: { constraints: ['APR is between 2.5 % and 8.5 %.'] }, note: 'The check names the limits.' })).status).toBe(201);
    const run = `/executions/${id}`;
    const visit = await omium.openWithKey('/');
    expect(await lookAt(visit, [
      ['overview', '/'], ['execution', run], ['execution-step', `${run}?step=terms`], ['execution-lanes', `${run}?tab=lanes`], ['execution-graph', `${run}?tab=graph`], ['execution-changes', `${run}?tab=changes`],
      ['execution-data', `${run}?tab=data`], ['execution-events', `${run}?tab=events`], ['failure', `/failures/${failure_id}`], ['reviews-open', '/reviews?kind=failure'],
    ])).toEqual([]);
    // What was proposed stands before whoever decides, and goes into the editor at a press.
    await visit.page.setViewportSize({ width: 1440, height: 900 });
    await visit.page.goto(`${omium.url}/failures/${failure_id}`);
    await visit.page.getByRole('list', { name: 'Proposed edits' }).getByText('APR is between 2.5 % and 8.5 %.').waitFor();
    await visit.page.getByRole('button', { name: 'Take it into the editor' }).click();
    expect(await visit.get('constraint-0').inputValue()).toBe('APR is between 2.5 % and 8.5 %.');
    await visit.click('test-fix');
    await visit.get('test-fix-result').waitFor();
    await visit.close();
  });
});
