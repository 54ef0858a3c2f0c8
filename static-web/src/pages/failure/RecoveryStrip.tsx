import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { ExecutionView, FailureView } from '~/api/types';
import { between, count, duration } from '~/model/format';
import type { RecoveryStage } from '~/model/recovery';
import { executionLook, stepLook } from '~/model/status';
import { groupSteps, runs, summarise } from '~/model/trace';
import { ButtonLink } from '~/ui/Button';
import { Glyph } from '~/ui/Glyph';

const heads: Partial<Record<RecoveryStage, { title: string; className: string }>> = {
  going_on: { title: 'Going on with your decision', className: 'border-running bg-running-wash' },
  mended: { title: 'Mended and finished', className: 'border-good bg-good-wash' },
  failed_again: { title: 'It failed again', className: 'border-bad bg-bad-wash' },
  ended: { title: 'The run has ended', className: 'border-line bg-sunken' },
};

/** After the decision: the same run, live, step by step to its end. `follows`: the decision was made while one looked. */
export function RecoveryStrip({ failure, run, stage, follows }: { failure: FailureView; run: ExecutionView | undefined; stage: RecoveryStage; follows: boolean }) {
  const strip = useRef<HTMLElement>(null);
  const shown = heads[stage] !== undefined && run !== undefined;
  // The decision is made far down the page, by a button that is gone with it; what follows is up here, and so is the keyboard from now on.
  useEffect(() => {
    if (follows && !(document.activeElement instanceof HTMLInputElement)) strip.current?.focus({ preventScroll: true });
    strip.current?.scrollIntoView({ block: 'nearest' });
  }, [shown, follows]);
  // What stood below has shrunk meanwhile: whoever has not gone on from here sees the end from here, whole.
  useEffect(() => {
    if (strip.current !== null && strip.current === document.activeElement) strip.current.scrollIntoView({ block: 'nearest' });
  }, [stage]);
  const head = heads[stage];
  if (!head || !run) return null;
  return (
    <section ref={strip} tabIndex={-1} aria-label="Recovery" role="status" data-testid="recovery" data-stage={stage} className={`arriving flex flex-col gap-4 rounded-[var(--radius-card)] border p-5 sm:p-6 ${head.className}`}>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="flex flex-col gap-0.5">
          <h2 className="text-2xl font-semibold tracking-tight">{head.title}</h2>
          <p className="measure">{sentence(failure, run, stage)}</p>
        </div>
        {stage === 'failed_again' && run.failure_id
          ? <ButtonLink to="/failures/$failureId" params={{ failureId: run.failure_id }} testId="failure-link">See the new failure</ButtonLink>
          : <ButtonLink to="/executions/$executionId" params={{ executionId: run.id }}>View the trace</ButtonLink>}
      </div>
      <ol aria-label="Steps" className="flex flex-wrap gap-2">
        {groupSteps(run.steps).map((group) => (
          <li key={group.step} className="flex items-center gap-2 rounded-full bg-surface py-1 pr-3.5 pl-2">
            <Glyph look={stepLook(group.latest.status)} />
            <span className="font-semibold">{group.step}</span>
            <span className="text-[0.87rem] text-ink-2">{stepLook(group.latest.status).label.toLowerCase()}, ran {runs(group) === 1 ? 'once' : `${runs(group)} times`}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function sentence(failure: FailureView, run: ExecutionView, stage: RecoveryStage) {
  const took = duration(between(failure.failure.at, run.ended_at ?? run.updated_at));
  const calls = summarise(run).calls.map(({ tool, times }) => `${tool} ${times === 1 ? 'once' : `${times} times`}`).join(', ');
  if (stage === 'mended') return `${took} from the failure to the end. ${calls === '' ? 'Nothing was sent outside.' : `Sent outside: ${calls}.`}`;
  if (stage === 'going_on') return `${executionLook(run.status).label}. ${count(summarise(run).committed, 'step')} committed so far; each stays done.`;
  if (stage === 'failed_again' && run.failure) return <>{run.failure.message} It is a failure of its own; the first one is kept below.</>;
  return <>It is {executionLook(run.status).label.toLowerCase()}. <Link to="/workflows/$name" params={{ name: run.workflow }} className="underline underline-offset-2">Start {run.workflow} anew</Link> when you are ready.</>;
}
