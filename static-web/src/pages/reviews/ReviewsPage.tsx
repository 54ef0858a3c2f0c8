import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { reviewsQuery } from '~/api/queries';
import type { ReviewView } from '~/api/types';
import { kindsOf } from '~/model/review';
import { count } from '~/model/format';
import { decisionLook, humanise } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { Filter, MoreButton } from '~/ui/list';
import { Page, Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';
import { ReviewCard } from './ReviewCard';

export function ReviewsPage() {
  const { kind } = useSearch({ from: '/reviews' });
  const navigate = useNavigate({ from: '/reviews' });
  const reviews = useInfiniteQuery(reviewsQuery());
  const items = reviews.data?.pages.flatMap((page) => page.items);
  const waiting = items?.filter((review) => review.status === 'open') ?? [];
  const open = waiting.filter((review) => kind === undefined || review.kind === kind);
  const closed = items?.filter((review) => review.status !== 'open') ?? [];
  const left = useKeptFocus(items === undefined ? undefined : waiting.length);
  return (
    <Page title="Reviews" lead="Questions that only a person may answer. Each is answered once, and the answer is bound to exactly what is shown.">
      {waiting.length > 1 && (
        <Filter
          label="Show" value={kind ?? ''} onChange={(next) => void navigate({ search: { kind: next || undefined }, replace: true })}
          options={[{ value: '', label: `All, ${waiting.length}` }, ...kindsOf(waiting, kind).map(({ value, label, number }) => ({ value, label: `${label}, ${number}` }))]}
        />
      )}
      <p ref={left} tabIndex={-1} role="status" className="sr-only">{items && count(waiting.length, 'open review')}</p>
      {reviews.isError && !items && <ErrorNote error={reviews.error} retry={() => void reviews.refetch()} />}
      {reviews.isPending && <Loading lines={6} label="Loading reviews" />}
      {items && waiting.length === 0 && (
        <Empty title="Nobody is waiting for you" action={<ButtonLink to="/executions">See executions</ButtonLink>}>
          Failures that need a decision, calls that need approval and calls in doubt appear here.
        </Empty>
      )}
      {waiting.length > 0 && open.length === 0 && <p className="text-ink-2">None of this kind is open.</p>}
      {open.length > 0 && <ul aria-label="Open reviews" className="flex flex-col gap-5">{open.map((review) => <ReviewCard key={review.id} review={review} />)}</ul>}
      {closed.length > 0 && <Answered reviews={closed} />}
      <MoreButton query={reviews} what="reviews" />
    </Page>
  );
}

/** A decided card is gone, and its buttons with it: the keyboard goes on from where it is said how many are left, before the cards that still wait. */
function useKeptFocus(open: number | undefined) {
  const place = useRef<HTMLParagraphElement>(null);
  const before = useRef(open);
  useEffect(() => {
    const isFewer = open !== undefined && before.current !== undefined && open < before.current;
    before.current = open;
    // After the dialog has given the focus back to a button that is no more.
    const timer = isFewer ? setTimeout(() => document.activeElement === document.body && place.current?.focus({ preventScroll: true })) : undefined;
    return () => clearTimeout(timer);
  }, [open]);
  return place;
}

function Answered({ reviews }: { reviews: ReviewView[] }) {
  return (
    <Section title="Answered">
      <ul className="flex flex-col divide-y divide-line">
        {reviews.map((review) => (
          <li key={review.id} className="flex flex-wrap justify-between gap-x-4 py-2.5">
            <span><strong className="font-semibold">{review.decided ? decisionLook(review.decided.decision, review.kind).label : humanise(review.status)}</strong>, <Link to="/executions/$executionId" params={{ executionId: review.execution }} className="underline underline-offset-2">{review.workflow}</Link> at {review.step}</span>
            <span className="text-[0.9rem] text-ink-2">{review.decided && <>by {review.decided.by}, </>}<Ago at={review.decided?.at ?? review.requested_at} /></span>
            {review.decided?.note && <span className="w-full text-[0.9rem] text-ink-2">“{review.decided.note}”</span>}
          </li>
        ))}
      </ul>
    </Section>
  );
}
