import { describe, expect, it } from 'vitest';
import { comparable } from '~/model/compare';
import { ago, clock, count, duration, fields, offset, preview, shortId } from '~/model/format';
import { lineOf, locate, pointerParts } from '~/model/pointer';
import { question } from '~/model/review';
import { inputSchema, parseInput, sampleOf } from '~/model/spec';
import { actionsFor, decisionLook, executionLook, executionStatuses, humanise, stepLook, waitingFor } from '~/model/status';
import { starter } from '~/pages/workflows/starter';
import { checkSpec, readSpec } from '~/mock/spec-check';

describe('format', () => {
  it.each([[0, '0 ms'], [999, '999 ms'], [1000, '1.0 s'], [9940, '9.9 s'], [59_999, '59 s'], [60_000, '1 min'], [200_000, '3 min 20 s'], [7_500_000, '2 h 5 min'], [3 * 86_400_000, '3 d'], [-5, '–'], [NaN, '–']])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
  it.each([[1_000, 'just now'], [60_000, '1 min ago'], [7_200_000, '2 h ago'], [2 * 86_400_000, '2 d ago']])('%d ms back is %s', (back, text) => expect(ago(new Date(1e12 - back).toISOString(), 1e12)).toBe(text));
  it('offsets never go back', () => expect(offset('2026-01-01T00:00:01Z', '2026-01-01T00:00:00Z')).toBe('+0 ms'));
  it('clocks have milliseconds where order matters', () => expect(clock('2026-01-01T10:20:30.007Z', true)).toMatch(/^\d\d:20:30\.007$/));
  it('ids keep prefix and tail', () => {
    expect(shortId('exe_01JD6QK2ZC0MPANYX42')).toBe('exe_…ANYX42');
    expect(shortId('exe_short')).toBe('exe_short');
  });
  it('counts in words', () => expect([count(1, 'step'), count(2, 'step'), count(1200, 'run')]).toEqual(['1 step', '2 steps', '1,200 runs']));
  it('previews are cut and say so', () => expect(preview('x'.repeat(100), 10)).toBe(`${'x'.repeat(9)}…`));
  it('fields of a value', () => {
    expect(fields({ a: 1, b: { c: 2 } }, 1)).toEqual({ shown: [{ name: 'a', value: '1' }], more: 1 });
    expect(fields([1])).toEqual({ shown: [{ name: '', value: '[1]' }], more: 0 });
    expect(fields(undefined).shown).toEqual([]);
  });
});

describe('comparable', () => {
  it('takes lines added at the end for nothing but added', () => expect(comparable('a\nb', 'a\nb\n\nc')).toBe('a\nb\n'));
  it.each([['a\nb', 'a\nb'], ['a\nb', 'a\nbc'], ['a\nb', 'x\na\nb'], ['a\n', 'a\nb'], ['a\nb', 'ab\n']])('leaves %j against %j', (original, value) => expect(comparable(original, value)).toBe(original));
});

describe('pointers', () => {
  it('unescapes', () => expect(pointerParts('/a~1b/m~0n/0')).toEqual(['a/b', 'm~n', '0']));
  it('are found in YAML and in JSON', () => {
    const yaml = 'omium: v0\nsteps:\n  - id: a\n    agent: nobody\n';
    const json = JSON.stringify({ omium: 'v0', steps: [{ id: 'a', agent: 'nobody' }] }, null, 2);
    for (const text of [yaml, json]) {
      const [range] = locate(text, ['/steps/0/agent']);
      expect(text.slice(range!.from, range!.to)).toMatch(/agent"?: "?nobody/);
    }
    expect(lineOf(yaml, locate(yaml, ['/steps/0/agent'])[0]!.from)).toBe(4);
  });
  it('fall back to what is around, then to the first line', () => {
    const text = 'omium: v0\nsteps:\n  - id: a\n';
    expect(lineOf(text, locate(text, ['/steps/0/agent'])[0]!.from)).toBe(3);
    expect(locate(text, ['/nothing', ''])).toEqual([{ from: 0, to: 9 }, { from: 0, to: 9 }]);
    expect(locate('{"cut', ['/steps'])).toHaveLength(1);
  });
});

describe('spec', () => {
  it('samples have the fields of the schema', () => expect(sampleOf({ type: 'object', properties: { a: { type: 'string' }, b: { type: 'number', minimum: 5 }, c: { enum: ['x'] }, d: { default: 7 }, e: { type: ['array', 'null'] } } })).toEqual({ a: '', b: 5, c: 'x', d: 7, e: [] }));
  it('no schema gives an empty object', () => expect(sampleOf(inputSchema({}))).toEqual({}));
  it('input is JSON, or says why not', () => {
    expect(parseInput('')).toEqual({ ok: true, value: {} });
    expect(parseInput('{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
    expect(parseInput('{a}').ok).toBe(false);
  });
  it('the example to begin from is whole', () => {
    expect(checkSpec(starter)).toEqual([]);
    expect(readSpec(starter).name).toBe('order-summary');
  });
});

describe('status', () => {
  it('has a shape of its own for what needs a person and what failed', () => {
    expect(new Set(['committed', 'failed', 'waiting', 'running', 'scheduled', 'skipped', 'rolled_back', 'in_doubt'].map((status) => stepLook(status).shape)).size).toBe(8);
    expect(executionStatuses.every((status) => executionLook(status).label !== '')).toBe(true);
  });
  it('shows an unknown status as it came', () => expect(executionLook('being_moved').label).toBe('Being moved'));
  it('offers only what makes sense', () => {
    expect(actionsFor('running', 0)).toEqual({ pause: true, resume: false, cancel: true, rollback: true });
    expect(actionsFor('paused', 0).resume).toBe(true);
    expect(actionsFor('paused', 1).resume).toBe(false);
    expect(Object.values(actionsFor('succeeded', 0)).some(Boolean)).toBe(false);
  });
  it('warns before what cannot be taken back', () => {
    expect(decisionLook('redo', 'in_doubt').grave).toBe(true);
    expect(decisionLook('override', 'failure').needsOutput).toBe(true);
    expect(decisionLook('approve', 'call_approval').label).not.toBe(decisionLook('approve', 'failure').label);
  });
  it('speaks', () => {
    expect(humanise('rolling_back')).toBe('Rolling back');
    expect(waitingFor('review')).toBe('a person to decide');
    expect(waitingFor(undefined)).toBeUndefined();
  });
});

describe('a decision', () => {
  it.each(['rolled_back', 'cancelled', 'what_a_newer_server_says'])('that nobody took has words too: %s', (decision) => expect(decisionLook(decision, 'approval').label).not.toBe(''));
});

describe('question', () => {
  const review = { id: 'rev_1', execution: 'exe_1', workflow: 'w', status: 'open', step: 'sort', visit: 1, decisions: [], allowed_edits: [], forbidden_edits: [], digest: 'd', requested_at: '' } as const;
  const ask = (kind: 'call_approval' | 'in_doubt' | 'approval' | 'failure', shown?: Record<string, string>) => question({ ...review, decisions: [], allowed_edits: [], forbidden_edits: [], proposals: [], kind, ...(shown ? { shown } : {}) }).title;
  it('names the tool', () => expect(ask('call_approval', { tool: 'delete_email' })).toBe('May sort call delete_email?'));
  it('asks what happened', () => expect(ask('in_doubt', { tool: 'bank_transfer' })).toBe('Did bank_transfer happen?'));
  it('of an approval is the workflow’s own', () => expect(ask('approval', { question: 'Release the payment?' })).toBe('Release the payment?'));
  it('stands without details', () => expect([ask('approval'), ask('failure'), ask('in_doubt')]).toEqual(['May the run go on past sort?', 'sort failed', 'Did the call of sort happen?']));
});
