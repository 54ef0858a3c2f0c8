import type { RecoveryFigures, RecoveryView } from '~/api/generated';
import { duration } from './format';

export interface Figure {
  id: string;
  label: string;
  value: string;
  /** What the number is a part of, or why there is none. */
  note: string;
}

/** What the reference defines (docs/reference/analytics.md), in words for a tile each. */
export function figuresOf(figures: RecoveryFigures): Figure[] {
  const { executions = 0, ended = 0, succeeded = 0, interventions = 0, recovered, open } = figures;
  const byRollback = figures.recovered_by.rollback ?? 0;
  const goingOn = executions - ended;
  const nothing = figures.failures === 0 ? 'Nothing failed' : 'Nothing recovered so far';
  const time = (id: string, label: string, ms: number | undefined, note: string) => ({ id, label, value: ms === undefined ? '–' : duration(ms), note: ms === undefined ? nothing : note });
  return [
    { id: 'executions', label: 'Executions', value: number(executions), note: executions === 0 ? 'Nothing ran' : goingOn === 0 ? 'All have ended' : `${number(goingOn)} not ended yet` },
    { id: 'success-rate', label: 'Success rate', value: share(figures.success_rate), note: ended === 0 ? 'Nothing has ended' : `${number(succeeded)} of ${number(ended)} that ended` },
    { id: 'recovered-by-rollback', label: 'Recovered by rollback', value: number(byRollback), note: figures.failures === 0 ? 'Nothing failed' : `of ${number(recovered)} recovered${open === 0 ? '' : `, ${number(open)} still open`}` },
    { id: 'interventions', label: 'Human interventions', value: number(interventions), note: interventions === 0 ? 'Nobody has stepped in' : 'decisions that changed a run' },
    time('recovery-p50', 'P50 recovery time', figures.recovery_ms_p50, recovered === 1 ? 'the only one' : 'half took no longer'),
    time('recovery-p99', 'P99 recovery time', figures.recovery_ms_p99, recovered === 1 ? 'the only one' : recovered < 100 ? 'the longest' : '99 of 100 took no longer'),
  ];
}

const ways: Record<string, string> = {
  rollback: 'rolled back, over after', retry: 'tried again, over after', override: 'output given, over after', skip: 'skipped after', fallback: 'done another way after',
};

/** Before the time that it took. A way that is not known, of an older build, is not named. */
export const recoveryWords = (way: string | undefined) => ways[way ?? ''] ?? 'over after';

/** So many days before now, to the hour: what is asked for stays the same while one looks. */
export const daysBack = (days: number, now: number) => new Date(Math.floor(now / 3_600_000) * 3_600_000 - days * 86_400_000).toISOString();

const number = (value: number) => value.toLocaleString('en');

/** Rounded down: what did not wholly succeed is never shown as 100 %. */
export const share = (rate: number | undefined) => (rate === undefined ? '–' : `${rate === 1 ? '100' : (Math.floor(rate * 1000 + 1e-9) / 10).toFixed(1)} %`);

/** RFC 4180: one row for each group, then all together. */
export function recoveryCsvOf(view: RecoveryView): string {
  const ways = Object.keys(view.total.recovered_by).sort();
  const head = [view.group_by, 'failures', 'open', 'recovered', ...ways.map((way) => `recovered_by_${way}`), 'recovery_ms_p50', 'recovery_ms_p99', 'executions', 'ended', 'succeeded', 'interventions'];
  const row = (key: string, figures: RecoveryFigures) => [
    cell(key), figures.failures, figures.open, figures.recovered, ...ways.map((way) => figures.recovered_by[way] ?? 0), figures.recovery_ms_p50, figures.recovery_ms_p99,
    figures.executions, figures.ended, figures.succeeded, figures.interventions,
  ].map((value) => value ?? '').join(',');
  return [head.join(','), ...view.groups.map(({ key, figures }) => row(key, figures)), row('(all)', view.total)].join('\r\n') + '\r\n';
}

/** A text of a row. One that a spreadsheet would take for a formula is kept a text. */
export function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
