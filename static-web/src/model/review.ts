import type { ReviewView } from '~/api/types';
import { isObject } from './graph';

/** A review as the question it is. */
export function question(review: ReviewView): { kind: string; title: string; text: string } {
  const shown = isObject(review.shown) ? review.shown : {};
  const tool = typeof shown.tool === 'string' ? shown.tool : undefined;
  const message = typeof shown.message === 'string' ? shown.message : undefined;
  switch (review.kind) {
    case 'call_approval':
      return {
        kind: 'Approval of a call',
        title: tool ? `May ${review.step} call ${tool}?` : `May ${review.step} make this call?`,
        text: message ?? 'This call cannot be undone. It has not been made; it goes out once if you approve, with exactly these arguments.',
      };
    case 'in_doubt':
      return {
        kind: 'In doubt',
        title: tool ? `Did ${tool} happen?` : `Did the call of ${review.step} happen?`,
        text: message ?? 'The call went out and no answer was recorded. Look on the other side, then say which it was: it is not sent again before you do.',
      };
    case 'sandbox_call':
      return {
        kind: 'Call in a sandbox',
        title: tool ? `What would ${tool} have answered?` : `What would the call of ${review.step} have answered?`,
        text: message ?? 'This run is a fork in a sandbox. The call is not on record and is not made: give the answer it is to have, or refuse it.',
      };
    case 'approval':
      return { kind: 'Approval', title: message ?? (typeof shown.question === 'string' ? shown.question : `May the run go on past ${review.step}?`), text: 'The run waits here by design. This is what it would go on with.' };
    case 'handoff':
      return {
        kind: 'Disputed handoff',
        title: message ?? `What ${review.step} handed over is disputed`,
        text: 'The run has halted: what the sender says and what the receiving side holds differ. Set the source right, then have it measured again, or run the sender again.',
      };
    case 'verification':
      return { kind: 'Split verdict', title: message ?? `The verifiers of ${review.step} do not agree`, text: 'The run has paused. Read every verdict; yours is the last word.' };
    case 'failure':
      return { kind: 'Failure', title: message ?? `${review.step} failed`, text: 'The run has paused itself. Look at what went wrong, test a fix, then decide.' };
  }
}

const kindWords: Record<ReviewView['kind'], string> = {
  failure: 'Failures', approval: 'Approvals', call_approval: 'Calls to approve', in_doubt: 'In doubt', handoff: 'Handoffs', verification: 'Verifications', sandbox_call: 'Calls in a sandbox',
};

/** The kinds that are open, with how many; the one that was asked for is among them even when none is. */
export function kindsOf(open: ReviewView[], asked: string | undefined): { value: string; label: string; number: number }[] {
  return Object.entries(kindWords)
    .map(([value, label]) => ({ value, label, number: open.filter(({ kind }) => kind === value).length }))
    .filter(({ value, number }) => number > 0 || value === asked);
}
