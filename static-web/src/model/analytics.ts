import type { AnalyticsGroup, AnalyticsView } from '~/api/generated';
import { cell } from './figures';

export interface Totals {
  count: number;
  succeeded: number;
  failed: number;
  /** Of those that ended; undefined when none has. */
  successShare: number | undefined;
}

export function totals(groups: AnalyticsGroup[]): Totals {
  const sum = (status: string) => groups.reduce((all, group) => all + (group.by_status[status] ?? 0), 0);
  const [succeeded, failed, cancelled] = [sum('succeeded'), sum('failed'), sum('cancelled')];
  const ended = succeeded + failed + cancelled;
  return { count: groups.reduce((all, group) => all + group.count, 0), succeeded, failed, successShare: ended === 0 ? undefined : succeeded / ended };
}

const hourMs = 3_600_000;
const bucketMs = { hour: hourMs, day: 24 * hourMs, week: 7 * 24 * hourMs } as const;

/** All groups together over the whole time that was asked for: one column for each span, also for those that hold nothing. */
export function columns(view: AnalyticsView): { at: string; count: number; by_status: Record<string, number> }[] {
  const all = new Map<string, { at: string; count: number; by_status: Record<string, number> }>();
  for (const point of view.groups.flatMap((group) => group.points)) {
    const column = all.get(point.at) ?? { at: point.at, count: 0, by_status: {} };
    all.set(point.at, column);
    column.count += point.count;
    for (const [status, number] of Object.entries(point.by_status)) column.by_status[status] = (column.by_status[status] ?? 0) + number;
  }
  // Counted from a span that holds something: where a day or a week begins is the server's to say.
  const [known] = all.keys();
  if (known !== undefined) {
    const step = bucketMs[view.bucket];
    const first = Date.parse(known) - Math.floor((Date.parse(known) - Date.parse(view.from)) / step) * step;
    for (let at = first; at <= Date.parse(view.to); at += step) {
      if (![...all.keys()].some((key) => Date.parse(key) === at)) all.set(new Date(at).toISOString(), { at: new Date(at).toISOString(), count: 0, by_status: {} });
    }
  }
  return [...all.values()].sort((left, right) => left.at.localeCompare(right.at));
}

/** RFC 4180: one row for each group and span. A text that a spreadsheet would take for a formula is kept a text. */
export function csvOf(view: AnalyticsView): string {
  const statuses = [...new Set(view.groups.flatMap((group) => group.points.flatMap((point) => Object.keys(point.by_status))))].sort();
  const rows = view.groups.flatMap((group) => group.points.map((point) => [cell(group.key), point.at, String(point.count), ...statuses.map((status) => String(point.by_status[status] ?? 0))]));
  return [[view.group_by, 'at', 'count', ...statuses], ...rows].map((row) => row.join(',')).join('\r\n') + '\r\n';
}
