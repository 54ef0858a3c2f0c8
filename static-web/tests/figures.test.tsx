// @vitest-environment jsdom
import { cleanup, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import type { RecoveryFigures } from '~/api/generated';
import { daysBack, figuresOf, recoveryCsvOf, recoveryWords, share } from '~/model/figures';
import { Figures } from '~/ui/Figures';

const ways = { fallback: 0, override: 1, retry: 150, rollback: 50, skip: 0 };
const full: RecoveryFigures = {
  failures: 202, open: 1, ignored: 0, recovered: 201, recovered_by: ways, recovery_ms_p50: 100_000, recovery_ms_p99: 198_000, executions: 1_234, ended: 1_000, succeeded: 999, success_rate: 0.999, interventions: 3,
};
const none: RecoveryFigures = { failures: 0, open: 0, ignored: 0, recovered: 0, recovered_by: {}, executions: 0, ended: 0, succeeded: 0, interventions: 0 };

afterEach(cleanup);

describe('the tiles', () => {
  const tile = (name: string) => within(screen.getByTestId(`figure-${name}`));
  const shown = () => screen.getAllByRole('term').map((term) => [term.textContent, ...[...term.nextElementSibling!.children].map((part) => part.textContent)]);

  it('say each figure, in the order of the page, and what it is a part of', () => {
    render(<Figures figures={full} />);
    expect(shown()).toEqual([
      ['Executions', '1,234', '234 not ended yet'],
      ['Success rate', '99.9 %', '999 of 1,000 that ended'],
      ['Recovered by rollback', '50', 'of 201 recovered, 1 still open'],
      ['Human interventions', '3', 'decisions that changed a run'],
      ['P50 recovery time', '1 min 40 s', 'half took no longer'],
      ['P99 recovery time', '3 min 18 s', '99 of 100 took no longer'],
    ]);
  });

  it('show no number where there is none', () => {
    render(<Figures figures={none} />);
    expect(tile('success-rate').getByText('–')).toBeTruthy();
    expect(tile('executions').getByText('Nothing ran')).toBeTruthy();
    expect(tile('success-rate').getByText('Nothing has ended')).toBeTruthy();
    for (const name of ['recovery-p50', 'recovery-p99']) expect(tile(name).getByText('–').nextElementSibling?.textContent).toBe('Nothing failed');
    expect(tile('recovered-by-rollback').getByText('Nothing failed')).toBeTruthy();
    expect(tile('interventions').getByText('Nobody has stepped in')).toBeTruthy();
  });

  it('do not call a failure that waits for somebody a recovery', () => {
    render(<Figures figures={{ ...none, executions: 1, failures: 1, open: 1 }} />);
    expect(tile('executions').getByText('1 not ended yet')).toBeTruthy();
    expect(tile('recovered-by-rollback').getByText('of 0 recovered, 1 still open')).toBeTruthy();
    expect(tile('recovery-p99').getByText('Nothing recovered so far')).toBeTruthy();
  });

  it('say of few recoveries that P99 is the longest', () => expect(figuresOf({ ...full, recovered: 4 }).at(-1)!.note).toBe('the longest'));
});

describe('figures as text', () => {
  it.each([[1, '100 %'], [0.99999, '99.9 %'], [2 / 3, '66.6 %'], [0.29, '29.0 %'], [0, '0.0 %'], [undefined, '–']])('a share of %s is never rounded up', (rate, text) => expect(share(rate)).toBe(text));
  it('name the way of a recovery, where it is known', () => expect([recoveryWords('rollback'), recoveryWords(undefined)]).toEqual(['rolled back, over after', 'over after']));
  it('begin at a whole hour', () => expect(daysBack(7, Date.parse('2026-11-21T17:59:59.999Z'))).toBe('2026-11-14T17:00:00.000Z'));
  it('are exported with what a spreadsheet may not run, and with all together', () => {
    const view = { from: '', to: '', group_by: 'workflow' as const, total: full, groups: [{ key: '=evil,1', figures: none }] };
    expect(recoveryCsvOf({ ...view, total: { ...full } }).trimEnd().split('\r\n')).toEqual([
      'workflow,failures,open,recovered,recovered_by_fallback,recovered_by_override,recovered_by_retry,recovered_by_rollback,recovered_by_skip,recovery_ms_p50,recovery_ms_p99,executions,ended,succeeded,interventions',
      `"'=evil,1",0,0,0,0,0,0,0,0,,,0,0,0,0`,
      '(all),202,1,201,0,1,150,50,0,100000,198000,1234,1000,999,3',
    ]);
  });
});
