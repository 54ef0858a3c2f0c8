import { describe, expect, it } from 'vitest';
import { policyForm, policyOf } from '~/model/policyForm';
import { parsePolicy, starterPolicy } from '~/model/policy';
import { specYaml } from '~/model/specYaml';
import { editSpecText, freshStepId, readSpecText, stepForms } from '~/model/specText';

const text = `omium: v0
# The onboarding of Company X.
name: onboarding
steps:
  - id: kyc # first
    type: agent_task
    agent: kyc
  - id: terms
    type: agent_task
    needs: [kyc]
`;

describe('a saved spec as text', () => {
  it('begins with what a thing is, and loses nothing', () => {
    const spec = { agents: { a: { constraints: ['x'], prompt: 'p', role: 'r' } }, name: 'n', omium: 'v0', steps: [{ agent: 'a', checkpoint: false, id: 's', type: 'agent_task', zeal: 1 }], version: 3 };
    const written = specYaml(spec);
    expect(written).toBe('omium: v0\nname: n\nagents:\n  a:\n    role: r\n    prompt: p\n    constraints:\n      - x\nsteps:\n  - id: s\n    type: agent_task\n    agent: a\n    checkpoint: false\n    zeal: 1\n');
    const { version: _, ...rest } = spec;
    expect(readSpecText(written)).toEqual(rest);
  });
});

describe('a form that writes into a text', () => {
  it('changes one place and leaves comments and order as they are', () => {
    const edited = editSpecText(text, ['steps', 1, 'checkpoint'], 'terms_written');
    expect(edited).toBe(`${text}    checkpoint: terms_written\n`);
  });
  it('makes what lies on the way', () => {
    const edited = editSpecText(text, ['steps', 0, 'guards', 'post', 0], { check: 'output.apr > 2' });
    expect(stepForms(readSpecText(edited)!)[0]!.guards).toEqual([{ phase: 'post', index: 0, check: 'output.apr > 2', code: '', message: '' }]);
    expect(edited).toContain('# first');
  });
  it('takes away what would be left empty', () => {
    const guarded = editSpecText(text, ['steps', 0, 'guards', 'post', 0], { check: 'true' });
    expect(readSpecText(editSpecText(guarded, ['steps', 0, 'guards', 'post', 0], undefined))).toEqual(readSpecText(text));
  });
  it('keeps JSON JSON', () => expect(JSON.parse(editSpecText('{"omium": "v0", "steps": []}', ['name'], 'x'))).toEqual({ omium: 'v0', steps: [], name: 'x' }));
  it('begins with nothing', () => expect(readSpecText(editSpecText('', ['steps', 0], { id: 'a', type: 'decision' }))).toEqual({ steps: [{ id: 'a', type: 'decision' }] }));
  it('says nothing of a text that cannot be read', () => expect(readSpecText('steps: [')).toBeUndefined());
  it('gives a new step an id of its own', () => expect(freshStepId({ steps: [{ id: 'step_2' }] })).toBe('step_3'));
});

describe('a recovery policy by form', () => {
  const parsed = parsePolicy(starterPolicy);
  const policy = parsed.ok ? parsed.value : null;
  it('shows the policy of the documents', () =>
    expect(policyForm(policy)).toEqual({
      triggers: ['hallucination_detected', 'policy_violation', 'high_value_operation'], actions: ['rollback_to_last_checkpoint', 'pause_and_notify', 'await_human_review'],
      allowedEdits: ['prompt', 'constraints', 'tool_selection'], retries: '3', backoff: 'exponential(1s, 10s)',
    }));
  it('says again what it was told', () => {
    const form = policyForm(policy)!;
    expect(policyForm(policyOf(form))).toEqual(form);
  });
  it('leaves rules to the text', () => expect(policyForm({ rules: [] })).toBeUndefined());
  it('is no policy when nothing is chosen', () => expect(policyOf(policyForm(undefined)!)).toBeUndefined());
});
