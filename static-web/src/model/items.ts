import type { ItemCounts, Json, StepView } from '~/api/types';

/** Where the items of a for_each step stand, in a few words: "48 of 50, 2 rolled back". */
export function itemsNote(items: ItemCounts): string {
  const failed = items.failed === 0 ? undefined
    : items.rolled_back === items.failed ? `${items.failed} rolled back`
    : items.rolled_back === 0 ? `${items.failed} failed`
    : `${items.failed} failed, ${items.rolled_back} of them rolled back`;
  return [
    `${items.succeeded} of ${items.total}`,
    failed,
    items.skipped > 0 && `${items.skipped} skipped`,
    items.waiting > 0 && `${items.waiting} waiting for a person`,
    items.running > items.waiting && `${items.running - items.waiting} under way`,
  ].filter(Boolean).join(', ');
}

/** The output of a step as it is shown beside the list of its items: without them, for there may be thousands. */
export function shownOutput(step: StepView): Json | undefined {
  const { output } = step;
  if (!step.items || output === undefined || output === null || typeof output !== 'object' || Array.isArray(output)) return output;
  return Object.fromEntries(Object.entries(output).filter(([name]) => name !== 'items'));
}
