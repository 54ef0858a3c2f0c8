import { useInfiniteQuery } from '@tanstack/react-query';
import { reviewsQuery } from '~/api/queries';
import type { ReviewView } from '~/api/types';
import { decisionLook, humanise } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { MoreButton } from '~/ui/list';
import { Page, Section } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';
import { ReviewCard } from './ReviewCard';

export function ReviewsPage() {
  const reviews = useInfiniteQuery(reviewsQuery());
  const items = reviews.data?.pages.flatMap((page) => page.items);
  const open = items?.filter((review) => review.status === 'open') ?? [];
  const closed = items?.filter((review) => review.status !== 'open') ?? [];
  return (
    <Page title="Reviews" lead="Questions that only a person may answer. Each is answered once, and the answer is bound to exactly what is shown.">
      {reviews.isError && !items && <ErrorNote error={reviews.error} retry={() => void reviews.refetch()} />}
      {reviews.isPending && <Loading lines={6} label="Loading reviews" />}
      {items && open.length === 0 && (
        <Empty title="Nobody is waiting for you" action={<ButtonLink to="/executions">See executions</ButtonLink>}>
          Failures that need a decision, calls that need approval and calls in doubt appear here.
        </Empty>
      )}
      {open.length > 0 && <ul aria-label="Open reviews" className="flex flex-col gap-5">{open.map((review) => <ReviewCard key={review.id} review={review} />)}</ul>}
      {closed.length > 0 && <Answered reviews={closed} />}
      <MoreButton query={reviews} what="reviews" />
    </Page>
  );
}

function Answered({ reviews }: { reviews: ReviewView[] }) {
  return (
    <Section title="Answered">
      <ul className="flex flex-col divide-y divide-line">
        {reviews.map((review) => (
          <li key={review.id} className="flex flex-wrap justify-between gap-x-4 py-2.5">
            <span><strong className="font-semibold">{review.decided ? decisionLook(review.decided.decision, review.kind).label : humanise(review.status)}</strong>, {review.workflow} at {review.step}</span>
            <span className="text-[0.9rem] text-ink-2">{review.decided && <>by {review.decided.by}, </>}<Ago at={review.decided?.at ?? review.requested_at} /></span>
            {review.decided?.note && <span className="w-full text-[0.9rem] text-ink-2">“{review.decided.note}”</span>}
          </li>
        ))}
      </ul>
    </Section>
  );
}
