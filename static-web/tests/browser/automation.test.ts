import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation, isReal } from './installation';

describe.skipIf(!isReal)('workflows, in the browser on the real program', { timeout: 90_000 }, () => {
  let omium: Installation;
  beforeAll(async () => { omium = await Installation.connect(); });
  afterAll(() => omium.end());

  it('SetUp_FromAText_SuggestionsTaken_APolicyByForm_TriedAndInUse', async () => {
    const visit = await omium.openWithKey('/workflows/setup');
    await visit.fill('spec-editor', ['omium: v0', 'name: rates', 'steps:', '  - id: first', '    type: decision', '    input: {rate: 3}', '    checkpoint: false', '  - id: second', '    type: decision', '    needs: [missing]', ''].join('\n'));
    await visit.get('problem').waitFor();
    expect(await visit.get('setup-next').isDisabled()).toBe(true);
    await visit.fill('spec-editor', '');
    await visit.click('setup-example');
    await visit.page.waitForFunction(() => !(document.querySelector('[data-testid=setup-next]') as HTMLButtonElement).disabled);
    await visit.click('setup-next');
    expect(await visit.get('agents-found').innerText()).toContain('1 agent');
    await visit.click('setup-next');
    await visit.page.getByRole('list', { name: 'Suggestions' }).waitFor();
    const before = await visit.page.getByTestId('accept-suggestion').count();
    expect(before).toBeGreaterThan(0);
    await visit.click('accept-suggestion');
    await visit.page.getByText(/1 suggestion taken/).waitFor();
    await visit.page.waitForFunction(() => !(document.querySelector('[data-testid=setup-next]') as HTMLButtonElement).disabled);
    await visit.click('setup-next');
    await visit.get('trigger-policy_violation').check();
    await visit.page.getByText('The policy is valid.').waitFor();
    await visit.page.waitForFunction(() => !(document.querySelector('[data-testid=setup-next]') as HTMLButtonElement).disabled);
    await visit.click('setup-next');
    await visit.click('setup-run');
    await visit.get('execution-status').waitFor();
    await visit.click('setup-next');
    await visit.get('deployed').waitFor();
    const { body } = await omium.api<{ version: number; spec: { recovery: { rollback_triggers: object[] } } }>('GET', '/v1/workflows/order-summary');
    expect(body.version).toBe(1);
    expect(body.spec.recovery.rollback_triggers).toContainEqual({ policy_violation: true });
    await visit.close();
  });

  it('AGuardAndACheckpoint_ByForm_BecomeTheNextVersion_WithErrorsInPlace', async () => {
    await omium.api('POST', '/v1/workflows', { spec: { omium: 'v0', name: 'form', steps: [{ id: 'rate', type: 'decision', input: { rate: 3 } }] } });
    const visit = await omium.openWithKey('/workflows/form/edit');
    await visit.get('form-step-rate').locator('summary').click();
    await visit.click('form-add-guard-rate');
    await visit.fill('form-guard-rate-post-0', 'output.rate >');
    await visit.get('problem').waitFor();
    await visit.get('form-step-rate').getByText('to mend').waitFor();
    await visit.fill('form-guard-rate-post-0', 'output.rate > 2.5');
    await visit.get('form-step-rate').getByText('to mend').waitFor({ state: 'detached' });
    await visit.click('save-workflow');
    await visit.page.waitForURL(/\/workflows\/form$/);
    const { body } = await omium.api<{ version: number; spec: { steps: { guards: { post: { check: string }[] } }[] } }>('GET', '/v1/workflows/form');
    expect([body.version, body.spec.steps[0]!.guards.post[0]!.check]).toEqual([2, 'output.rate > 2.5']);
    await visit.click('run-workflow');
    await visit.click('run-start');
    await visit.get('execution-status').getByText('Succeeded').waitFor();
    await visit.close();
  });
});
