import { describe, expect, it } from 'vitest';
import type { ExecutionStatus, ExecutionSummary, KeyView } from '~/api/types';
import { checklist, demoMoments, demoWorkflow, type ChecklistFacts } from '~/model/checklist';

const key = (id: string, status = 'active'): KeyView => ({ id, name: id, environment: 'dev', status, created_at: '2026-01-01T00:00:00Z', scopes: ['read'], created_by: 'key_first' });
const run = (status: ExecutionStatus, failureClass?: string): ExecutionSummary => ({
  id: 'exe_1', workflow: demoWorkflow, workflow_version: 1, status, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', ...(failureClass ? { failure_class: failureClass } : {}),
});
const fresh: ChecklistFacts = {
  me: { tenant: 't', environment: 'dev', key_id: 'key_first', version: '0.1.0', scopes: ['read', 'admin'] },
  keys: [key('key_first')],
  workflows: [{ name: demoWorkflow, version: 1, steps: 4, agents: 3, saved_at: '2026-01-01T00:00:00Z' }],
  runs: [],
  usesReadyKey: false,
};

describe('checklist', () => {
  it('of a fresh local installation has only the credits done', () => expect(checklist(fresh)).toMatchObject({ doneCount: 1, credits: { done: true, metered: false }, key: { done: false }, run: { stage: 'ready' } }));
  it('takes absent credits like null: nulls are left out on the wire', () => {
    const { credits: _, ...me } = fresh.me;
    expect(checklist({ ...fresh, me }).credits).toMatchObject({ done: true, metered: false });
  });
  it.each([[0, false], [1, true]])('with a balance of %i is done: %s', (credits, done) => expect(checklist({ ...fresh, me: { ...fresh.me, credits } }).credits).toEqual({ done, metered: true, balance: credits }));
  it('counts a second key, not a revoked one', () => {
    expect(checklist({ ...fresh, keys: [key('key_first'), key('key_2')] }).key).toMatchObject({ done: true, extra: { id: 'key_2' } });
    expect(checklist({ ...fresh, keys: [key('key_first'), key('key_2', 'revoked')] }).key.done).toBe(false);
  });
  it('takes the word of who uses the ready key', () => expect(checklist({ ...fresh, usesReadyKey: true }).key).toEqual({ done: true, extra: undefined }));
  it('says so when the demo is not there', () => expect(checklist({ ...fresh, workflows: [] }).run.stage).toBe('unavailable'));
  it.each([
    [run('running'), 'started'], [run('paused', 'hallucination'), 'failed'], [run('running', 'hallucination'), 'mended'], [run('succeeded', 'hallucination'), 'finished'], [run('cancelled'), 'ready'],
  ] as const)('follows the run: %j', (one, stage) => expect(checklist({ ...fresh, runs: [one] }).run.stage).toBe(stage));
  it('stays finished when a later run is under way', () => expect(checklist({ ...fresh, runs: [run('running'), run('succeeded')] }).run.done).toBe(true));
});

describe('moments of the demo', () => {
  it('ask the person after the failure', () => expect(demoMoments('failed').map(({ state }) => state)).toEqual(['past', 'past', 'now', 'ahead']));
  it('are all past at the end', () => expect(demoMoments('finished').every(({ state }) => state === 'past')).toBe(true));
  it('are all ahead at the beginning', () => expect(demoMoments('ready').every(({ state }) => state === 'ahead')).toBe(true));
});
