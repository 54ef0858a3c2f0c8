import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useLiveExecution } from '~/api/live';
import { executionQuery, failureQuery } from '~/api/queries';
import type { ExecutionView, FailureView } from '~/api/types';
import { recoveryStage } from '~/model/recovery';
import { executionLook, isEnded } from '~/model/status';
import { StatusPill } from '~/ui/Glyph';
import { Page } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { AutomaticActions } from './AutomaticActions';
import { DependencyChain } from './DependencyChain';
import { Evidence } from './Evidence';
import { Mend } from './Mend';
import { RecoveryStrip } from './RecoveryStrip';
import { Residue } from './Residue';
import { Verdict } from './Verdict';

export function FailurePage() {
  const { failureId } = useParams({ from: '/failures/$failureId' });
  const failure = useQuery(failureQuery(failureId));
  const run = useQuery({ ...executionQuery(failure.data?.execution ?? ''), enabled: failure.data !== undefined });
  useLiveExecution(failure.data?.execution, run.data?.seq, run.data !== undefined && !isEnded(run.data.status));

  if (failure.isError && !failure.data) return <ErrorNote error={failure.error} retry={() => void failure.refetch()} />;
  if (!failure.data) return <Loading lines={7} label="Loading the failure" />;
  return <Recovery key={failureId} failure={failure.data} run={run.data} />;
}

function Recovery({ failure, run }: { failure: FailureView; run: ExecutionView | undefined }) {
  const stage = recoveryStage(failure, run);
  const [wasOpen] = useState(failure.status === 'open');
  const who = failure.actor && failure.actor !== failure.failure.step ? `${failure.failure.step}, by ${failure.actor}` : failure.failure.step;
  return (
    <Page
      wide title={failure.failure.message}
      above={(
        <nav aria-label="Where you are" className="flex flex-wrap items-center gap-x-2 text-[0.9rem] text-ink-2">
          <Link to="/failures" className="underline underline-offset-2">Failures</Link><span aria-hidden="true">/</span>
          <Link to="/executions/$executionId" params={{ executionId: failure.execution }} className="underline underline-offset-2">{failure.workflow}</Link>
          <span aria-hidden="true">/</span><span>{who}</span>
        </nav>
      )}
      actions={<StatusPill large look={executionLook(run?.status ?? failure.execution_status)} testId="execution-status" />}
    >
      {(stage === 'going_on' || stage === 'mended' || stage === 'failed_again' || stage === 'ended') && <RecoveryStrip failure={failure} run={run} stage={stage} follows={wasOpen} />}
      <Verdict failure={failure} run={run} />
      <div className="grid items-start gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
        <div className="flex flex-col gap-10 xl:order-1">
          <DependencyChain failure={failure} />
          <AutomaticActions failure={failure} />
          <Residue execution={failure.execution} />
          <Evidence failure={failure} />
        </div>
        <div className="-order-1 xl:order-2"><Mend failure={failure} run={run} stage={stage} /></div>
      </div>
    </Page>
  );
}
