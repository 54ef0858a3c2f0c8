import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';

interface Run {
  id: string;
  status: string;
  steps: { step: string; visit: number; status: string }[];
}

/** Steps whose output is their input, one after the other; the 15th writes a rate of its own, the 47th refuses it. */
function chain(name: string, size: number, wrong?: { at: number; failing: number }) {
  return {
    omium: 'v0', name,
    steps: Array.from({ length: size }, (_, index) => {
      const number = index + 1;
      return {
        id: `s${number}`, type: 'decision', ...(number > 1 ? { needs: [`s${number - 1}`] } : {}),
        input: { rate: number === wrong?.at ? -3 : number === 1 ? 2 : `\${{ steps.s${number - 1}.output.rate }}` },
        ...(number === wrong?.failing ? { guards: { post: [{ check: 'output.rate > 0', code: 'bad_rate', message: 'The rate must be above 0.' }] } } : {}),
      };
    }),
  };
}

describe.skipIf(!isReal)('executions, in the browser on the real program', { timeout: 180_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.start(); }, 60_000);
  afterAll(() => omium.end());

  const save = async (spec: unknown) => expect((await omium.api('POST', '/v1/workflows', { spec })).status).toBe(201);
  const start = async (workflow: string) => (await omium.api<Run>('POST', '/v1/executions', { workflow, input: {} })).body.id;
  async function until(id: string, status: string): Promise<Run> {
    for (const giveUpAt = Date.now() + 60_000; ;) {
      const { body } = await omium.api<Run>('GET', `/v1/executions/${id}`);
      if (body.status === status) return body;
      if (Date.now() > giveUpAt) throw new Error(`${id} is ${body.status}, not ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  it('S13_TheGraphNamesStep15_AndACorrectedOutputRunsOnlyWhatDependsOnIt', async () => {
    await save(chain('rates', 100, { at: 15, failing: 47 }));
    const id = await start('rates');
    await until(id, 'failed');
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
    const visits = new Map((await until(id, 'succeeded')).steps.filter(({ status }) => status === 'committed').map(({ step, visit: number }) => [step, number]));
    expect([visits.get('s14'), visits.get('s16'), visits.get('s47'), visits.get('s100')]).toEqual([1, 2, 2, 1]);
    expect(visit.errors).toEqual([]);
    await visit.close();
  });

  it('S14_StateAtAnEvent_WhatItChanged_VerifiedByteForByte_AndForked', async () => {
    const spec = chain('three', 3);
    await save({ ...spec, steps: [...spec.steps, { id: 'ask', type: 'human_approval', needs: ['s3'], description: 'Is it right?' }, { id: 'last', type: 'decision', needs: ['ask'] }] });
    const id = await start('three');
    await until(id, 'waiting');
    const { body: reviews } = await omium.api<{ items: { id: string; digest: string }[] }>('GET', `/v1/reviews?execution=${id}`);
    expect((await omium.api('POST', `/v1/reviews/${reviews.items[0]!.id}/decide`, { decision: 'approve', digest: reviews.items[0]!.digest })).status).toBe(200);
    await until(id, 'succeeded');
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
    expect(visit.errors).toEqual([]);
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
    expect(visit.errors).toEqual([]);
    await visit.close();
  });

  it('TenThousandSteps_OpenQuickly_AndAreNeverAllInThePage', async () => {
    await save(chain('long', 10_000));
    const id = await start('long');
    await until(id, 'succeeded');
    const visit = await omium.openWithKey('/executions');
    await visit.page.getByRole('list', { name: 'Executions' }).waitFor();
    const began = performance.now();
    await visit.page.goto(`${omium.url}/executions/${id}`);
    await visit.page.locator('[data-testid^="step-s"]').first().waitFor();
    const openMs = performance.now() - began;
    console.log(`10,000 steps: opened in ${Math.round(openMs)} ms`);
    expect(openMs).toBeLessThan(5_000);
    await visit.page.getByRole('button', { name: 'Load all of them' }).click();
    await visit.page.getByLabel('Steps, 10000 in all').waitFor();
    expect(await visit.page.locator('[data-testid^="step-s"]').count()).toBeLessThan(120);
    const frames = await visit.page.evaluate(async () => {
      const gaps: number[] = [];
      let last = performance.now();
      for (let frame = 0; frame < 60; frame++) {
        window.scrollBy(0, 900);
        await new Promise(requestAnimationFrame);
        gaps.push(performance.now() - last);
        last = performance.now();
      }
      return gaps.sort((left, right) => left - right);
    });
    console.log(`scrolling 54,000 px: median frame ${frames[30]!.toFixed(0)} ms, 95th percentile ${frames[57]!.toFixed(0)} ms`);
    expect(frames[30]).toBeLessThan(150);
    await visit.page.getByRole('tab', { name: 'Lanes' }).click();
    await visit.page.getByRole('list', { name: /Lane of/ }).first().waitFor();
    expect(visit.errors).toEqual([]);
    await visit.close();
  });
});
