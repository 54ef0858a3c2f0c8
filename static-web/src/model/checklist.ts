import type { ExecutionSummary, KeyView, MeView, WorkflowSummary } from '~/api/types';

export const demoWorkflow = 'customer-onboarding';
export const demoInput = { customer_id: 'c-42', name: 'Jane Smith', email: 'jane@example.com', amount: 12000 };

export type RunStage = 'unavailable' | 'ready' | 'started' | 'failed' | 'mended' | 'finished';

export interface Checklist {
  credits: { done: boolean; metered: boolean; balance: number | undefined };
  key: { done: boolean; extra: KeyView | undefined };
  run: { done: boolean; stage: RunStage; execution: ExecutionSummary | undefined };
  doneCount: number;
}

export interface ChecklistFacts {
  me: MeView;
  keys: KeyView[];
  workflows: WorkflowSummary[];
  /** Runs of the demo workflow, newest first. */
  runs: ExecutionSummary[];
  /** The user said to go on with the key that is there. */
  usesReadyKey: boolean;
}

/** The three steps of the first five minutes, derived from what the server holds: nothing here is remembered apart. */
export function checklist(facts: ChecklistFacts): Checklist {
  const metered = facts.me.credits !== null && facts.me.credits !== undefined;
  const balance = metered ? (facts.me.credits ?? undefined) : undefined;
  const credits = { done: !metered || (balance ?? 0) > 0, metered, balance };
  const active = facts.keys.filter((key) => key.status === 'active');
  const extra = active.length > 1 ? active.find((key) => key.id !== facts.me.key_id) : undefined;
  const key = { done: extra !== undefined || facts.usesReadyKey, extra };
  const run = runStage(facts);
  return { credits, key, run, doneCount: [credits.done, key.done, run.done].filter(Boolean).length };
}

function runStage({ runs, workflows }: ChecklistFacts): Checklist['run'] {
  const finished = runs.find((run) => run.status === 'succeeded');
  if (finished) return { done: true, stage: 'finished', execution: finished };
  const newest = runs.find((run) => run.status !== 'cancelled');
  if (!newest) {
    const stage: RunStage = workflows.some((workflow) => workflow.name === demoWorkflow) ? 'ready' : 'unavailable';
    return { done: false, stage, execution: undefined };
  }
  return { done: false, stage: stageOf(newest), execution: newest };
}

function stageOf(run: ExecutionSummary): RunStage {
  if (run.status === 'paused' || run.status === 'failed') return 'failed';
  // A run that has a failure on record and goes on again was mended by someone.
  return run.failure_class === undefined ? 'started' : 'mended';
}

/** The four moments of the demo and how far it is: what the checklist draws as a small thread. */
export function demoMoments(stage: RunStage): { label: string; state: 'past' | 'now' | 'ahead' }[] {
  const reached: Record<RunStage, number> = { unavailable: -1, ready: -1, started: 0, failed: 2, mended: 3, finished: 4 };
  const at = reached[stage];
  return ['It starts', 'It fails and stops itself', 'You mend it', 'It finishes'].map((label, index) => ({
    label,
    state: index < at ? 'past' : index === at ? 'now' : 'ahead',
  }));
}
