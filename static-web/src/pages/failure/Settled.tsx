import { useInfiniteQuery } from '@tanstack/react-query';
import { reviewsQuery } from '~/api/queries';
import type { ExecutionView, FailureView, ReviewView } from '~/api/types';
import { listChanges, type RecoveryStage } from '~/model/recovery';
import { decisionLook } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Section } from '~/ui/Page';
import { Empty } from '~/ui/states';
import { Ago } from '~/ui/time';

/** Once nothing is left to decide: what was decided, by whom, and with which edit. */
export function Settled({ failure, run, stage }: { failure: FailureView; run: ExecutionView | undefined; stage: RecoveryStage }) {
  // The failure itself names only a review that is still open.
  const decided = useInfiniteQuery(reviewsQuery('decided')).data?.pages.flatMap((page) => page.items).find((review) => review.failure_id === failure.id);
  if (decided?.decided) return <Decided failure={failure} review={decided} />;
  if (failure.status === 'ignored') {
    return <Empty title="Someone chose to ignore this failure">It stays on record here and in the export. The run was not changed by that.</Empty>;
  }
  if (stage === 'detected') return <Empty title="Nothing to decide yet">Omium is still at work on it: {run?.status.replace('_', ' ') ?? 'waiting'}. This page changes by itself when a person is needed.</Empty>;
  return (
    <Empty title="Nothing is left to decide here" action={<ButtonLink to="/executions/$executionId" params={{ executionId: failure.execution }}>View the trace</ButtonLink>}>
      This run is no longer waiting for a person.
    </Empty>
  );
}

function Decided({ failure, review }: { failure: FailureView; review: ReviewView }) {
  const { agent } = failure;
  const decided = review.decided!;
  const { edits } = decided;
  return (
    <Section title="What was decided">
      <p>
        <strong className="font-semibold">{decisionLook(decided.decision, review.kind).label}</strong>, by {decided.by}, <Ago at={decided.at} />.
        {decided.note && <> “{decided.note}”</>}
      </p>
      {edits?.prompt !== undefined && agent && <Editor label="Prompt as it was edited" readOnly value={edits.prompt} original={agent.prompt} />}
      {edits?.constraints && agent && (
        <ul aria-label="Constraints" className="flex flex-col gap-1">
          {listChanges(agent.constraints, edits.constraints).map((mark) => (
            <li key={mark.text} className={`rounded-lg px-3 py-1 ${mark.change === 'added' ? 'bg-good-wash' : mark.change === 'removed' ? 'bg-bad-wash line-through' : ''}`}>
              {mark.change !== 'same' && <span className="sr-only">{mark.change}: </span>}{mark.text}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
