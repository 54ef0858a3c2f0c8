import type { ReactNode } from 'react';
import type { ExecutionView } from '~/api/types';
import { count } from '~/model/format';
import { isEnded } from '~/model/status';
import { ButtonLink } from '~/ui/Button';

/** A run that needs a person says so first, and where to go. */
export function PausedBanner({ view }: { view: ExecutionView }) {
  const reviews = view.open_reviews.length;
  if (view.status === 'succeeded' || view.status === 'cancelled') return null;
  if (view.failure_id && view.failure) {
    return (
      <Banner tone="bad" title={view.failure.message} text={isEnded(view.status) ? 'The run has ended with it.' : 'The run has paused itself. What is committed is safe, and nothing more is sent until you decide.'}>
        <ButtonLink weight="primary" to="/failures/$failureId" params={{ failureId: view.failure_id }} testId="failure-link">See what went wrong</ButtonLink>
      </Banner>
    );
  }
  if (reviews > 0 && view.pause_reason === 'in_doubt') {
    return (
      <Banner tone="wait" title="Paused: nobody knows whether a call happened" text="Look on the other side and say which it was. Nothing new begins before that.">
        <ButtonLink weight="primary" to="/reviews" search={{ kind: 'in_doubt' }} testId="review-link">Say what happened</ButtonLink>
      </Banner>
    );
  }
  if (reviews > 0) {
    return (
      <Banner tone="wait" title={`${count(reviews, 'question')} to a person`} text="The run waits for the answer.">
        <ButtonLink weight="primary" to="/reviews" testId="review-link">Answer it</ButtonLink>
      </Banner>
    );
  }
  if (view.waiting_for === 'credits') {
    return (
      <Banner tone="wait" title="Out of credits" text="The run waits at a step boundary; nothing is lost. It goes on by itself once there are credits again.">
        <ButtonLink weight="primary" to="/billing" testId="top-up-link">Top up</ButtonLink>
      </Banner>
    );
  }
  if (view.status === 'paused') return <Banner tone="wait" title="Paused by a person" text="Nothing runs until someone resumes it." />;
  return null;
}

function Banner({ tone, title, text, children }: { tone: 'bad' | 'wait'; title: string; text: string; children?: ReactNode }) {
  return (
    <section aria-label="Needs attention" className={`arriving flex flex-wrap items-center justify-between gap-4 rounded-[var(--radius-card)] border px-5 py-4 ${tone === 'bad' ? 'border-bad bg-bad-wash' : 'border-wait bg-wait-wash'}`}>
      <div className="min-w-0">
        <h2 className="text-[1.15rem] font-semibold">{title}</h2>
        <p className="text-ink-2">{text}</p>
      </div>
      {children}
    </section>
  );
}
