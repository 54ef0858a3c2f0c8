import { describe, expect, it } from 'vitest';
import { applyFix, draftOf, editsOf, listChanges, mayEdit, otherDecisions, recoveryStage, retryDecision, retryPoint } from '~/model/recovery';
import { Onboarding, termsAgent } from '~/mock/onboarding';

function paused(): Onboarding {
  const onboarding = new Onboarding('exe_1', {}, Date.UTC(2026, 0, 1));
  for (const action of onboarding.toFailure) action();
  return onboarding;
}

describe('edits', () => {
  it('are none while nothing differs', () => expect(editsOf(termsAgent, draftOf(termsAgent))).toBeUndefined());
  it('hold only what differs', () => expect(editsOf(termsAgent, { ...draftOf(termsAgent), prompt: 'New.' })).toEqual({ prompt: 'New.' }));
  it('leave out constraints not yet written', () => expect(editsOf(termsAgent, { ...draftOf(termsAgent), constraints: [...termsAgent.constraints, ' '] })).toBeUndefined());
  it('can take every constraint away', () => expect(editsOf(termsAgent, { ...draftOf(termsAgent), constraints: [] })).toEqual({ constraints: [] }));
  it('are none without an agent', () => expect(editsOf(undefined, draftOf(undefined))).toBeUndefined());
  it('come from a suggested fix over the agent as it is', () => {
    const draft = applyFix(termsAgent, { edits: { constraints: ['Never 0 %.'] } });
    expect(draft).toEqual({ prompt: termsAgent.prompt, constraints: ['Never 0 %.'], tools: [] });
  });
  it('show added and removed lines', () => expect(listChanges(['a', 'b'], ['b', 'c'])).toEqual([
    { text: 'a', change: 'removed' }, { text: 'b', change: 'same' }, { text: 'c', change: 'added' },
  ]));
});

describe('what the review accepts', () => {
  const review = paused().review!;
  it('decides edit with an edit, approve without', () => {
    expect(retryDecision(review, { prompt: 'New.' })).toBe('edit');
    expect(retryDecision(review, undefined)).toBe('approve');
  });
  it('decides nothing the review does not list', () => expect(retryDecision({ ...review, decisions: ['reject'] }, undefined)).toBeUndefined());
  it('decides nothing once it is closed', () => {
    expect(retryDecision({ ...review, status: 'decided' }, undefined)).toBeUndefined();
    expect(otherDecisions({ ...review, status: 'expired' })).toEqual([]);
  });
  it('keeps the rest for the menu', () => expect(otherDecisions(review)).toEqual(['override', 'rollback', 'skip', 'reject']));
  it('never edits what the policy forbids', () => {
    expect(mayEdit(review, 'prompt')).toBe(true);
    expect(mayEdit({ ...review, forbidden_edits: ['prompt'] }, 'prompt')).toBe(false);
    expect(mayEdit({ ...review, allowed_edits: [] }, 'constraints')).toBe(false);
    expect(mayEdit(undefined, 'prompt')).toBe(false);
  });
});

describe('recovery', () => {
  it('begins after the newest checkpoint before the failed step', () => expect(retryPoint(paused().failure!)?.name).toBe('credit_scored'));
  it('never begins after a checkpoint of the failed visit itself', () => {
    const { failure } = paused();
    const own = { name: 'own', step: 'terms', visit: 1, at: '2027-01-01T00:00:00Z' };
    expect(retryPoint({ ...failure!, checkpoints: [...failure!.checkpoints, own] })?.name).toBe('credit_scored');
  });
  it('goes from deciding to mended', () => {
    const onboarding = paused();
    const stage = () => recoveryStage(onboarding.failure!, onboarding.run.view);
    expect(stage()).toBe('deciding');
    onboarding.decideRetry({ prompt: 'New.' }, 'a person');
    expect(stage()).toBe('going_on');
    for (const action of onboarding.toEnd) action();
    expect(stage()).toBe('mended');
  });
  it('sees another failure of the same run', () => {
    const onboarding = paused();
    onboarding.decideRetry(undefined, 'a person');
    Object.assign(onboarding.run.view, { status: 'paused', failure_id: 'exe_1.terms.2.1' });
    expect(recoveryStage(onboarding.failure!, onboarding.run.view)).toBe('failed_again');
  });
  it('ends with a rejection', () => {
    const onboarding = paused();
    onboarding.decideOther('reject', 'a person');
    expect(recoveryStage(onboarding.failure!, onboarding.run.view)).toBe('ended');
  });
});
