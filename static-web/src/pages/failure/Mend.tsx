import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { ExecutionView, FailureView, ProposalView, SuggestedFix } from '~/api/types';
import { applyFix, draftOf, editsOf, mayEdit, otherDecisions, retryDecision, retryPoint, type RecoveryStage } from '~/model/recovery';
import { Proposals } from '../reviews/Proposals';
import { DecideBar } from './DecideBar';
import { EditPanel } from './EditPanel';
import { Fixes } from './Fixes';
import { Settled } from './Settled';
import { TestResult } from './TestResult';

/** The right half of the page: choose a fix, edit, test it with nothing sent, then decide. */
export function Mend({ failure, run, stage }: { failure: FailureView; run: ExecutionView | undefined; stage: RecoveryStage }) {
  const { agent, review } = failure;
  const [draft, setDraft] = useState(() => draftOf(agent));
  const [fix, setFix] = useState<SuggestedFix>();
  const [taken, setTaken] = useState<string>();
  const refresh = useRefresh();
  const edits = editsOf(agent, draft);
  const test = useMutation({ mutationFn: () => api.testFix(review!.id, edits ?? {}) });
  const [tested, setTested] = useState<string>();
  const retry = useMutation({
    mutationFn: async () => {
      const decision = retryDecision(review, edits)!;
      await api.decide(review!.id, { decision, digest: review!.digest, ...(edits ? { edits } : {}) });
      await refresh(failure.execution);
    },
  });

  if (stage !== 'deciding') return <Settled failure={failure} run={run} stage={stage} />;
  const editable = agent !== undefined && review !== undefined && (mayEdit(review, 'prompt') || mayEdit(review, 'constraints') || mayEdit(review, 'tool_selection'));
  const take = (proposal: ProposalView) => {
    setTaken(proposal.id);
    setFix(undefined);
    if (agent) setDraft(applyFix(agent, proposal));
  };
  const choose = (chosen: SuggestedFix) => {
    setTaken(undefined);
    setFix(chosen);
    if (agent) setDraft(applyFix(agent, chosen));
  };
  const runTest = () => {
    setTested(JSON.stringify(edits ?? {}));
    test.mutate();
  };
  return (
    <section aria-label="Mend it" className="flex flex-col gap-7">
      <Proposals proposals={review?.proposals ?? []} taken={taken} {...(editable ? { onTake: take } : {})} />
      <Fixes fixes={failure.suggested_fixes} chosen={fix} onChoose={choose} editable={editable} />
      {editable && <EditPanel agent={agent} review={review} draft={draft} onChange={setDraft} onReset={() => { setDraft(draftOf(agent)); setFix(undefined); setTaken(undefined); }} changed={edits !== undefined} />}
      <TestResult result={test.data} error={test.error} busy={test.isPending} failing={failure.guards} outdated={tested !== undefined && tested !== JSON.stringify(edits ?? {})} />
      <DecideBar
        review={review!} failure={failure} others={otherDecisions(review)} retryFrom={retryPoint(failure)} canTest={editable} edited={edits !== undefined}
        canRetry={retryDecision(review, edits) !== undefined} testing={test.isPending} retrying={retry.isPending} retryError={retry.error}
        passed={test.data?.outcome === 'passed' && tested === JSON.stringify(edits ?? {})} onTest={runTest} onRetry={() => retry.mutate()}
      />
    </section>
  );
}
