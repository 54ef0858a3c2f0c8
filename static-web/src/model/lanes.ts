import type { StepView } from '~/api/types';
import { stepLook, type Tone } from './status';

/** One piece of a lane, in milliseconds after the beginning. Several visits that would be drawn on the same pixels are one piece. */
export interface Bar {
  from: number;
  to: number;
  status: string;
  tone: Tone;
  /** The visit it stands for: the newest of them. */
  step: StepView;
  /** How many visits it stands for. */
  visits: number;
  /** When attempts of it failed. */
  failedAt: number[];
  open: boolean;
}

export interface Lane {
  actor: string;
  rows: Bar[][];
  visits: number;
}

export interface Lanes {
  startedAt: number;
  spanMs: number;
  lanes: Lane[];
}

const gravest: Tone[] = ['bad', 'wait', 'running', 'good', 'quiet'];

/**
 * Who worked when: a lane for each agent, tool or worker, in the order they began. Visits of one lane that overlap lie in
 * rows beneath each other. `columns` is how finely it will be drawn: what falls into the same column is merged, so that ten
 * thousand steps are as many pieces as there are pixels.
 */
export function lanes(steps: StepView[], startedAt: number, now: number, columns = 600): Lanes {
  const end = Math.max(startedAt + 1, ...steps.map((step) => endOf(step, now)));
  const spanMs = end - startedAt;
  const grain = spanMs / columns;
  const byActor = new Map<string, Bar[]>();
  for (const step of [...steps].sort((left, right) => Date.parse(left.scheduled_at) - Date.parse(right.scheduled_at))) {
    const actor = step.actor ?? step.step;
    const bars = byActor.get(actor) ?? [];
    byActor.set(actor, bars);
    const bar = barOf(step, startedAt, now);
    const last = bars.at(-1);
    if (last && canMerge(last, bar, grain)) merge(last, bar);
    else bars.push(bar);
  }
  return {
    startedAt, spanMs,
    lanes: [...byActor].map(([actor, bars]) => ({ actor, rows: rowsOf(bars), visits: bars.reduce((sum, bar) => sum + bar.visits, 0) })),
  };
}

const over: ReadonlySet<string> = new Set(['committed', 'failed', 'skipped', 'rolled_back']);

/** What is over without having settled, as a visit that was rolled back, ended with its last failure. */
function endOf(step: StepView, now: number): number {
  if (step.settled_at !== undefined) return Date.parse(step.settled_at);
  return over.has(step.status) ? Date.parse(step.failures.at(-1)?.at ?? step.scheduled_at) : now;
}

function barOf(step: StepView, startedAt: number, now: number): Bar {
  const open = step.settled_at === undefined && !over.has(step.status);
  const from = Date.parse(step.scheduled_at) - startedAt;
  return {
    from, to: Math.max(from, endOf(step, now) - startedAt), status: step.status, tone: stepLook(step.status).tone, step, visits: 1, open,
    failedAt: step.failures.map(({ at }) => Date.parse(at) - startedAt),
  };
}

/** Only what is too narrow to be told apart is merged; a failure is never lost in it, as the gravest state of the pieces is kept. */
const canMerge = (last: Bar, next: Bar, grain: number) => !last.open && !next.open && last.to - last.from < grain && next.to - next.from < grain && next.to - last.from < grain;

function merge(into: Bar, bar: Bar): void {
  into.to = Math.max(into.to, bar.to);
  into.visits += bar.visits;
  into.failedAt.push(...bar.failedAt);
  if (gravest.indexOf(bar.tone) <= gravest.indexOf(into.tone)) Object.assign(into, { tone: bar.tone, status: bar.status, step: bar.step });
}

function rowsOf(bars: Bar[]): Bar[][] {
  const rows: Bar[][] = [];
  for (const bar of bars) {
    const row = rows.find((one) => one.at(-1)!.to <= bar.from);
    if (row) row.push(bar);
    else rows.push([bar]);
  }
  return rows;
}

/** Round marks along the time, at most `most` of them. */
export function ticks(spanMs: number, most = 8): number[] {
  const units = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 43_200_000, 86_400_000];
  const step = units.find((unit) => spanMs / unit <= most) ?? 86_400_000 * Math.ceil(spanMs / 86_400_000 / most);
  return Array.from({ length: Math.floor(spanMs / step) + 1 }, (_, index) => index * step);
}
