import { describe, expect, it } from 'vitest';
import { mayNot } from '~/model/access';
import { auditLook, personOf } from '~/model/audit';
import { credits, dayGroups, planWords, usd } from '~/model/money';
import { parsePolicy, policyText, starterPolicy } from '~/model/policy';
import { isAskedAbout } from '~/model/status';

describe('what a caller may', () => {
  it('is open to who has the scope', () => expect(mayNot('run', { scopes: ['read', 'run'] })).toBeUndefined());
  it('names role and the roles that could, for a person', () =>
    expect(mayNot('decide', { scopes: ['read', 'run'], role: 'operator' })).toBe('Your role here is operator. It takes approver or administrator to decide reviews, ignore failures, settle what was left behind.'));
  it('says an administrator where it takes one', () => expect(mayNot('admin', { scopes: ['read'], role: 'viewer' })).toContain('It takes an administrator to manage members'));
  it('names the scope, for a key', () => expect(mayNot('write', { scopes: ['read'] })).toBe('The key you are signed in with lacks the scope “write”, which it takes to save workflows and policies.'));
  it.each([['paused', ['rev_1'], true], ['paused', [], false], ['waiting', ['rev_1'], false], ['failed', [], false]] as const)('corrects a run that is %s with open reviews %j only by a decision: %s', (status, open, asked) =>
    expect(isAskedAbout({ status, open_reviews: [...open] })).toBe(asked));
});

describe('money', () => {
  it.each([[20_000, '20,000', '$20.00'], [0.005, '0.005', '$0.00'], [-260, '-260', '-$0.26']])('%d', (value, shown, dollars) => expect([credits(value), usd(value)]).toEqual([shown, dollars]));
  it('is grouped by day in the order it came', () => {
    const move = (id: string, at: string) => ({ id, at, kind: 'usage' as const, credits: -1, description: '', entries: [] });
    const groups = dayGroups([move('a', '2026-11-21T12:00:00'), move('b', '2026-11-21T08:00:00'), move('c', '2026-11-20T23:00:00')]);
    expect(groups.map(({ items }) => items.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
  });
  it('says how much of a plan is used', () => expect(planWords({ name: 'starter', period: '2026-11', checkpoints_per_month: 50_000, checkpoints_left: 49_000 })).toContain('1,000 of the month’s 50,000'));
});

describe('audit rows', () => {
  it('are put into words, and what was refused stands out', () => {
    expect(auditLook('session.failed')).toEqual({ words: 'Session: failed', grave: true });
    expect(auditLook('session.signed_in')).toEqual({ words: 'Session: signed in', grave: false });
  });
  it('name the person who acted until that was erased', () => {
    const row = { seq: 1, id: 'a', at: '', action: 'x', actor: 'usr_1', subject: 's', prev_hash: '', hash: '' };
    expect(personOf({ ...row, personal: [{ person: 'usr_2', digest: 'd', data: { email: 'b@x' } }, { person: 'usr_1', digest: 'd', data: { email: 'a@x' } }] })).toBe('a@x');
    expect(personOf({ ...row, personal: [{ person: 'usr_1', digest: 'd' }] })).toBeUndefined();
  });
});

describe('a policy as text', () => {
  it('comes back as it went', () => {
    const parsed = parsePolicy(starterPolicy);
    expect(parsed.ok && parsePolicy(policyText(parsed.value))).toEqual(parsed);
  });
  it('says what is wrong with it', () => expect(parsePolicy('a: [1')).toMatchObject({ ok: false }));
});
