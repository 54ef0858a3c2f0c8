import { describe, expect, it } from 'vitest';
import type { GraphView, JsonObject, StepStatus, StepView } from '~/api/types';
import { affectedBy, around } from '~/model/graph';
import { guardLines, promptOf, compareRuns, useOf } from '~/model/inspect';
import { lanes, ticks } from '~/model/lanes';

const began = Date.parse('2026-11-21T10:00:00Z');
const at = (ms: number) => new Date(began + ms).toISOString();

function step(name: string, from: number, to: number | undefined, more: Partial<StepView> = {}): StepView {
  return { step: name, visit: 1, attempt: 1, type: 'agent_task', actor: 'agent', status: to === undefined ? 'running' : 'committed', scheduled_at: at(from), ...(to === undefined ? {} : { settled_at: at(to) }), reads: [], calls: [], failures: [], ...more };
}

describe('lanes', () => {
  it('are one for each actor, in the order they began; what overlaps lies beneath', () => {
    const drawn = lanes([step('b', 500, 900, { actor: 'two' }), step('a', 0, 1000), step('c', 200, 400)], began, began + 1000);
    expect(drawn.lanes.map(({ actor, rows }) => [actor, rows.map((row) => row.map((bar) => bar.step.step))])).toEqual([['agent', [['a'], ['c']]], ['two', [['b']]]]);
    expect(drawn.spanMs).toBe(1000);
  });
  it('of a step that is open go on until now', () => expect(lanes([step('a', 0, undefined)], began, began + 4000).lanes[0]!.rows[0]![0]).toMatchObject({ from: 0, to: 4000, open: true }));
  it('of a step that was rolled back end with its failure, however long the run waits after it', () => {
    const failed = { step: 'a', visit: 1, attempt: 1, class: 'hallucination', code: 'hallucination', message: '', fingerprint: '', at: at(80) };
    expect(lanes([step('a', 0, undefined, { status: 'rolled_back', failures: [failed] })], began, began + 40_000)).toMatchObject({ spanMs: 80, lanes: [{ rows: [[{ from: 0, to: 80, open: false }]] }] });
  });
  it('are as many pieces as pixels however many steps there are, and lose no failure', () => {
    const steps = Array.from({ length: 10_000 }, (_, index) => step(`s${index}`, index * 10, index * 10 + 9, index === 4711 ? { status: 'failed' } : {}));
    const started = performance.now();
    const [lane] = lanes(steps, began, began).lanes;
    expect(performance.now() - started).toBeLessThan(1000);
    expect(lane!.visits).toBe(10_000);
    expect(lane!.rows.flat().length).toBeLessThanOrEqual(700);
    expect(lane!.rows.flat().filter(({ tone }) => tone === 'bad').map((bar) => bar.step.step)).toEqual(['s4711']);
  });
  it.each([[100, [0, 20, 40, 60, 80, 100]], [61_000, [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]]])('of %d ms have round marks', (span, marks) => expect(ticks(span)).toEqual(marks));
});

const spec: JsonObject = {
  agents: { writer: { prompt: 'Write the terms.', model: 'm', constraints: ['Be kind.'], tools: ['lookup'] } },
  steps: [{ id: 'terms', agent: 'writer', guards: { pre: [{ check: 'input.score > 0' }], post: [{ check: 'output.apr >= 2.5', message: 'APR' }, { check: 'output.term > 0' }] } }],
};

describe('a step’s guards', () => {
  const states = (view: StepView) => guardLines(spec, view).map(({ state }) => state);
  const failure = { step: 'terms', visit: 1, attempt: 1, class: 'hallucination', code: 'hallucination', message: 'APR', fingerprint: '', at: at(0), expected: 'output.apr >= 2.5', actual: { 'output.apr': 0 } };
  it('are all met once it has committed', () => expect(states(step('terms', 0, 1))).toEqual(['met', 'met', 'met']));
  it('are met before the one that failed and not reached after it', () => {
    const lines = guardLines(spec, step('terms', 0, 1, { status: 'failed', failures: [failure] }));
    expect(lines.map(({ state }) => state)).toEqual(['met', 'not_met', 'not_reached']);
    expect(lines[1]!.actual).toEqual({ 'output.apr': 0 });
  });
  it('of a new attempt say nothing of the one before', () => expect(states(step('terms', 0, undefined, { attempt: 2, failures: [failure] }))).toEqual(['not_reached', 'not_reached', 'not_reached']));
  it('belong to items, too', () => expect(states(step('terms-3', 0, 1))).toEqual(['met', 'met', 'met']));
  it('come with what its agent is told', () => expect(promptOf(spec, step('terms', 0, 1))).toMatchObject({ agent: 'writer', prompt: 'Write the terms.', constraints: ['Be kind.'], tools: ['lookup'] }));
});

describe('two runs', () => {
  const view = (steps: StepView[]) => ({ steps }) as never;
  it('part where status, input or output differ; the order of members is no difference', () => {
    const left = view([step('a', 0, 1, { output: { x: 1, y: 2 } }), step('b', 0, 1, { output: 1 }), step('c', 0, 1)]);
    const right = view([step('a', 5, 9, { output: { y: 2, x: 1 } }), step('b', 0, 1, { output: 2, status: 'failed' as StepStatus }), step('d', 0, 1)]);
    expect(compareRuns(left, right).map(({ step: name, differs }) => [name, differs])).toEqual([['a', []], ['b', ['status', 'output']], ['c', ['missing']], ['d', ['missing']]]);
  });
});

it('what a run used leaves out what it took over', () =>
  expect(useOf([step('a', 0, 1, { checkpoint: 'a', tokens: { input: 10, output: 2 } }), step('b', 0, 1, { checkpoint: 'b', inherited: true }), step('c', 0, 1, { checkpoint: 'c', items: { total: 250 } as never })])).toEqual({ inputTokens: 10, outputTokens: 2, checkpoints: 4 }));

describe('the affected set', () => {
  const node = (name: string) => ({ step: name, type: 'agent_task' as const, status: 'committed' as const, visit: 1, external_effect: false });
  const chain = (size: number): GraphView => ({
    nodes: Array.from({ length: size }, (_, index) => node(`s${index}`)),
    edges: Array.from({ length: size - 1 }, (_, index) => ({ from: `s${index}`, to: `s${index + 1}`, on: 'success' as const })),
    data: [[15, 30], [30, 47], [14, 20]].map(([from, to]) => ({ from: { step: `s${from}`, visit: 1 }, to: { step: `s${to}`, visit: 1 } })),
    root_cause: { step: 's15', visit: 1, explanation: '', trail: [] },
  });
  it('is what was made from the root cause, along the reads', () => expect(Object.fromEntries(affectedBy(chain(100)))).toEqual({ s15: 'root', s30: 'affected', s47: 'affected' }));
  it('stays in sight when a graph is too large to draw whole', () => {
    const part = around(chain(1000), 's47', 50, new Set(['s15']));
    expect(part.nodes).toHaveLength(50);
    expect(part.nodes.map(({ step: name }) => name)).toEqual(expect.arrayContaining(['s15', 's46', 's47', 's48']));
  });
});
