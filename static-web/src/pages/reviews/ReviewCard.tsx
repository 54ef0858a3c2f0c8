import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Decision, ReviewView } from '~/api/types';
import { isObject } from '~/model/graph';
import { question } from '~/model/review';
import { decisionLook } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { MayButton } from '~/ui/may';
import { Ago } from '~/ui/time';
import { JsonBlock } from '~/ui/Value';
import { preview } from '~/model/format';
import { Verdicts, Views, claimsOf } from './Agreement';
import { DecisionDialog } from './DecisionDialog';
import { Proposals } from './Proposals';

/** One question, with all that the answer is bound to. A failure is answered on its own page, where it can be tested. */
export function ReviewCard({ review }: { review: ReviewView }) {
  const [decision, setDecision] = useState<Decision>();
  const asked = question(review);
  return (
    <li data-testid={`review-${review.id}`} className="card flex flex-col gap-4 p-5 sm:p-6">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 text-[0.9rem] text-ink-2">
        <span>
          <strong className="font-semibold text-wait">{asked.kind}</strong>, <Link className="underline underline-offset-2" to="/executions/$executionId" params={{ executionId: review.execution }}>{review.workflow}</Link> at {review.step}
        </span>
        <span>asked <Ago at={review.requested_at} />{review.expires_at && <>, until {new Date(review.expires_at).toLocaleString()}</>}</span>
      </div>
      <div className="flex flex-col gap-1">
        <h2 className="text-xl font-semibold tracking-tight">{asked.title}</h2>
        <p className="measure text-ink-2">{asked.text}</p>
      </div>
      {review.kind !== 'failure' && <Shown review={review} />}
      <Proposals proposals={review.proposals} />
      <div className="flex flex-wrap gap-2">
        {review.kind === 'failure' && review.failure_id
          ? <ButtonLink weight="primary" to="/failures/$failureId" params={{ failureId: review.failure_id }}>See what went wrong</ButtonLink>
          : review.decisions.map((choice, index) => {
            if (choice === 'edit' && review.failure_id) return <ButtonLink key={choice} to="/failures/$failureId" params={{ failureId: review.failure_id }}>Edit the sender</ButtonLink>;
            const look = decisionLook(choice, review.kind);
            return <MayButton scope="decide" key={choice} weight={look.grave ? 'grave' : index === 0 && review.kind !== 'in_doubt' ? 'primary' : 'plain'} onClick={() => setDecision(choice)} data-testid={`decide-${choice}`}>{look.label}</MayButton>;
          })}
      </div>
      {decision && <DecisionDialog review={review} decision={decision} onClose={() => setDecision(undefined)} />}
    </li>
  );
}

/** Arguments are laid out field by field, in full: this is what will happen. */
function Shown({ review }: { review: ReviewView }) {
  const shown = review.shown;
  if (review.kind === 'handoff' && isObject(shown)) return <Views claims={claimsOf(shown)} sender={String(shown.sender)} receiver={String(shown.receiver)} />;
  if (review.kind === 'verification' && isObject(shown) && Array.isArray(shown.verdicts)) {
    return (
      <>
        <Verdicts verdicts={shown.verdicts} />
        <JsonBlock value={shown.output ?? shown.arguments} label="What was judged" />
      </>
    );
  }
  // The question of an approval is the card's title.
  const body = isObject(shown) ? [shown.arguments, review.kind === 'approval' ? shown.input : undefined].find(isObject) ?? shown : shown;
  if (!isObject(body)) return <JsonBlock value={body} label="What is asked about" />;
  return (
    <dl className="grid gap-x-6 gap-y-2 rounded-xl bg-sunken px-4 py-3 sm:grid-cols-[auto_1fr]">
      {Object.entries(body).map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="font-mono text-[0.84rem] text-ink-2">{name}</dt>
          <dd className="min-w-0 font-medium break-words max-sm:pb-2">{preview(value, 2_000)}</dd>
        </div>
      ))}
    </dl>
  );
}
