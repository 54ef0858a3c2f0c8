import type { ExecutionView, StepStatus, StepView, TimelineEntry } from '~/api/types';
import { between, duration } from './format';
import { stepLook } from './status';

/** A step with its visits: the newest one stands for it, earlier ones (undone, or laps of a loop) lie beneath. */
export interface StepGroup {
  step: string;
  latest: StepView;
  earlier: StepView[];
}

export function groupSteps(steps: StepView[]): StepGroup[] {
  const groups = new Map<string, StepGroup>();
  for (const visit of steps) {
    const group = groups.get(visit.step);
    if (!group) groups.set(visit.step, { step: visit.step, latest: visit, earlier: [] });
    else if (visit.visit >= group.latest.visit) {
      group.earlier.unshift(group.latest);
      group.latest = visit;
    } else group.earlier.push(visit);
  }
  return [...groups.values()];
}

/** How long a visit took, or has been going on. */
export function stepDuration(step: StepView, now: number): string | undefined {
  if (step.settled_at) return duration(between(step.scheduled_at, step.settled_at));
  if (step.status === 'running') return duration(Math.max(0, now - Date.parse(step.scheduled_at)));
  return undefined;
}

export function attemptNote(step: StepView): string | undefined {
  const notes: string[] = [];
  if (step.attempt > 1) notes.push(`attempt ${step.attempt}`);
  if (step.visit > 1) notes.push(`visit ${step.visit}`);
  return notes.length === 0 ? undefined : notes.join(', ');
}

export interface TraceSummary {
  committed: number;
  total: number;
  checkpoints: number;
  /** Steps that ran more than once, with how often. */
  repeated: { step: string; times: number }[];
  /** External calls that took place, by tool. */
  calls: { tool: string; times: number }[];
}

export function summarise(view: ExecutionView): TraceSummary {
  const groups = groupSteps(view.steps);
  const calls = new Map<string, number>();
  for (const step of view.steps) {
    for (const call of step.calls) if (call.status === 'settled') calls.set(call.tool, (calls.get(call.tool) ?? 0) + 1);
    // What an item that committed has called stands; its calls are in the list of the items.
    if (step.items && step.type === 'tool_call' && step.actor && step.items.succeeded > 0) calls.set(step.actor, (calls.get(step.actor) ?? 0) + step.items.succeeded);
  }
  return {
    committed: groups.filter((group) => group.latest.status === 'committed').length,
    total: groups.length,
    checkpoints: view.steps.filter((step) => step.status === 'committed' && step.checkpoint).length,
    repeated: groups.map((group) => ({ step: group.step, times: runs(group) })).filter(({ times }) => times > 1),
    calls: [...calls].map(([tool, times]) => ({ tool, times })),
  };
}

/** Attempts over all visits. */
export function runs(group: StepGroup): number {
  return [group.latest, ...group.earlier].reduce((sum, visit) => sum + visit.attempt, 0);
}

/** One sentence on where a run stands, for a page title and for a screen reader. */
export function standing(view: ExecutionView): string {
  const active = view.steps.filter((step) => isActive(step.status));
  const names = active.map((step) => step.step).join(', ');
  const done = summarise(view);
  switch (view.status) {
    case 'succeeded': return `Finished: ${done.committed} of ${done.total} steps committed.`;
    case 'paused': return view.failure ? `Paused at ${view.failure.step}.` : 'Paused.';
    case 'failed': return view.failure ? `Failed at ${view.failure.step}.` : 'Failed.';
    case 'running': return names === '' ? 'Running.' : `Running ${names}.`;
    default: return `${stepLook(view.status).label}.`;
  }
}

function isActive(status: StepStatus): boolean {
  return status === 'running' || status === 'scheduled' || status === 'waiting';
}

/** The lines of one record that are shown: all while they are few; else the first ones and what failed, in order, and how many are left out. */
export function shownLines(entries: TimelineEntry[], most = 12): { shown: TimelineEntry[]; omitted: number } {
  if (entries.length <= most) return { shown: entries, omitted: 0 };
  const grave = new Set(entries.filter(({ severity }) => severity === 'error' || severity === 'warning').slice(0, most));
  let plain = most - grave.size;
  const shown = entries.filter((entry) => grave.has(entry) || plain-- > 0);
  return { shown, omitted: entries.length - shown.length };
}

/** How often each type is among the events of a record, in the order they came first: `step.committed × 3`. */
export function countedTypes(events: readonly { type: string }[]): string {
  const times = new Map<string, number>();
  for (const { type } of events) times.set(type, (times.get(type) ?? 0) + 1);
  return [...times].map(([type, number]) => (number > 1 ? `${type} × ${number.toLocaleString('en')}` : type)).join(', ');
}

/** Timeline lines of one record belong together. */
export function byRecord(entries: TimelineEntry[]): { seq: number; at: string; entries: TimelineEntry[] }[] {
  const groups: { seq: number; at: string; entries: TimelineEntry[] }[] = [];
  for (const entry of entries) {
    const last = groups[groups.length - 1];
    if (last?.seq === entry.seq) last.entries.push(entry);
    else groups.push({ seq: entry.seq, at: entry.at, entries: [entry] });
  }
  return groups;
}
