import { describe, expect, it } from 'vitest';
import { byRecord, groupSteps, runs, stepDuration, summarise, countedTypes, shownLines } from '~/model/trace';
import { graphAt, graphInWords, graphOfSpec } from '~/model/graph';
import { rollbackTargets } from '~/model/rollback';
import { Onboarding } from '~/mock/onboarding';
import { onboardingSpec } from '~/mock/specs';

function finished(): Onboarding {
  const onboarding = new Onboarding('exe_1', {}, Date.UTC(2026, 0, 1));
  for (const action of onboarding.toFailure) action();
  onboarding.decideRetry(undefined, 'a person');
  for (const action of onboarding.toEnd) action();
  return onboarding;
}

describe('steps', () => {
  const { view } = finished().run;
  it('stand by their newest visit, with earlier ones beneath', () => {
    const groups = groupSteps(view.steps);
    expect(groups.map(({ step }) => step)).toEqual(['kyc', 'score', 'terms', 'send_offer']);
    expect(groups[2]!.latest.visit).toBe(2);
    expect(groups[2]!.earlier.map(({ status }) => status)).toEqual(['rolled_back']);
  });
  it('are grouped the same in any order', () => expect(groupSteps(view.steps.toReversed()).find(({ step }) => step === 'terms')!.latest.visit).toBe(2));
  it('count their runs over visits and attempts', () => {
    const terms = groupSteps(view.steps)[2]!;
    expect(runs(terms)).toBe(2);
    expect(runs({ ...terms, latest: { ...terms.latest, attempt: 3 } })).toBe(4);
  });
  it('sum up: all committed, terms twice, the offer sent once', () => expect(summarise(view)).toEqual({
    committed: 4, total: 4, checkpoints: 4, repeated: [{ step: 'terms', times: 2 }], calls: [{ tool: 'send_offer', times: 1 }],
  }));
  it('count no call that is not settled', () => {
    const early = finished().run.states[8]!;
    expect(early.steps.at(-1)!.calls[0]!.status).toBe('intent');
    expect(summarise(early).calls).toEqual([]);
  });
  it('last until they are settled, else until now', () => {
    const step = { ...view.steps[0]!, scheduled_at: '2026-01-01T00:00:00Z', settled_at: '2026-01-01T00:00:01.5Z' };
    expect(stepDuration(step, 0)).toBe('1.5 s');
    const { settled_at: _, ...open } = step;
    expect(stepDuration({ ...open, status: 'running' }, Date.parse('2026-01-01T00:01:30Z'))).toBe('1 min 30 s');
    expect(stepDuration({ ...open, status: 'scheduled' }, 0)).toBeUndefined();
  });
});

describe('timeline', () => {
  it('keeps the lines of a record together', () => {
    const grouped = byRecord(finished().run.timeline);
    expect(grouped.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(grouped[0]!.entries).toHaveLength(2);
  });
});

describe('graph', () => {
  const graph = graphOfSpec(onboardingSpec);
  it('reads needs as edges and names what reaches outside', () => {
    expect(graph.edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['kyc>score', 'score>terms', 'kyc>terms', 'terms>send_offer']);
    expect(graph.nodes.filter((node) => node.external_effect).map(({ step }) => step)).toEqual(['send_offer']);
  });
  it('reads long edges with their conditions', () => {
    const looped = graphOfSpec({ steps: [{ id: 'a' }], edges: [{ from: 'a', to: 'a', on: 'failure', when: 'x', max_visits: 3 }] });
    expect(looped.edges).toEqual([{ from: 'a', to: 'a', on: 'failure', when: 'x', max_visits: 3 }]);
  });
  it('shows an earlier state: what had not begun is ahead', () => {
    const early = finished().run.states[2]!;
    expect(graphAt(graph, early).nodes.map(({ status }) => status)).toEqual(['committed', 'committed', 'running', 'scheduled']);
  });
  it('can be read', () => expect(graphInWords(graph)[2]).toBe('terms (scheduled) comes after score and kyc.'));
  it('survives a spec that is not one', () => expect(graphOfSpec({ steps: 'none', edges: [1, null] })).toEqual({ nodes: [], edges: [] }));
});

describe('rollback', () => {
  it('offers committed checkpoints, newest first', () => expect(rollbackTargets(finished().run.view).map(({ value }) => value)).toEqual(['offer_sent', 'terms_generated', 'credit_scored', 'kyc_doc_validated']));
});

describe('a record with very many lines', () => {
  const line = (index: number, severity: 'info' | 'error' = 'info') => ({ seq: 1, at: '', kind: 'step.committed', severity, title: `line ${index}` });
  it('shows the first ones, and what failed wherever it stands', () => {
    const { shown, omitted } = shownLines(Array.from({ length: 10_000 }, (_, index) => line(index, index === 9_000 ? 'error' : 'info')));
    expect([shown.length, omitted, shown[10]!.title, shown[11]!.title]).toEqual([12, 9_988, 'line 10', 'line 9000']);
  });
  it('is whole while they are few', () => expect(shownLines([line(1), line(2)])).toEqual({ shown: [line(1), line(2)], omitted: 0 }));
  it('counts its types', () => expect(countedTypes([{ type: 'a' }, { type: 'b' }, ...Array.from({ length: 1_200 }, () => ({ type: 'a' }))])).toBe('a × 1,201, b'));
});
