import type { ExecutionView } from '~/api/types';

/** Where a run can be rolled back to: its committed checkpoints, newest first, each named once. */
export function rollbackTargets(view: ExecutionView): { value: string; label: string }[] {
  const seen = new Set<string>();
  return view.steps
    .filter((step) => step.status === 'committed')
    .toReversed()
    .map((step) => ({ value: step.checkpoint ?? step.step, label: step.checkpoint ? `${step.checkpoint}, after ${step.step}` : `after ${step.step}` }))
    .filter(({ value }) => !seen.has(value) && seen.add(value));
}
