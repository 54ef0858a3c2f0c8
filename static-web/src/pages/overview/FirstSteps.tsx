import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useLiveExecution } from '~/api/live';
import { keysQuery } from '~/api/accountQueries';
import { executionQuery, latestExecutionsQuery, meQuery, workflowsQuery } from '~/api/queries';
import { checklist, demoWorkflow, type Checklist } from '~/model/checklist';
import { isEnded } from '~/model/status';
import { Button } from '~/ui/Button';
import { ErrorNote, Loading } from '~/ui/states';
import { CreditsStep, KeyStep } from './AccountSteps';
import { DemoStep } from './DemoStep';

const readyKeyMark = 'omium.uses-ready-key';
const foldedMark = 'omium.first-steps-folded';

function remembered(name: string): boolean {
  try {
    return localStorage.getItem(name) === 'yes';
  } catch {
    return false;
  }
}

function remember(name: string, value: boolean): void {
  try {
    localStorage.setItem(name, value ? 'yes' : 'no');
  } catch {
    // Storage refused: it holds until the page is left.
  }
}

/** The first five minutes: credits, a key, and a workflow that fails, is mended and finishes. */
export function FirstSteps() {
  const me = useQuery(meQuery);
  const mayManageKeys = me.data?.scopes?.includes('admin') ?? true;
  const keys = useQuery({ ...keysQuery, enabled: me.data !== undefined && mayManageKeys });
  const workflows = useInfiniteQuery(workflowsQuery);
  const runs = useQuery(latestExecutionsQuery(demoWorkflow));
  const [usesReadyKey, setUsesReadyKey] = useState(() => remembered(readyKeyMark));
  const [folded, setFolded] = useState(() => remembered(foldedMark));

  const failed = [me, keys, workflows, runs].find((query) => query.isError && !query.data);
  if (failed) return <ErrorNote error={failed.error} retry={() => void failed.refetch()} />;
  if (!me.data || (mayManageKeys && !keys.data) || !workflows.data || !runs.data) return <Loading lines={5} label="Loading the first steps" />;
  const list = checklist({ me: me.data, keys: keys.data?.items ?? [], workflows: workflows.data.pages.flatMap((page) => page.items), runs: runs.data.items, usesReadyKey: usesReadyKey || !mayManageKeys });
  const fold = (next: boolean) => {
    remember(foldedMark, next);
    setFolded(next);
  };
  return (
    <section aria-label="First five minutes" data-testid="checklist" data-done={list.doneCount} className="card p-5 shadow-lift sm:p-7">
      <FollowDemo list={list} onRecord={runs.refetch} />
      <div className="flex flex-wrap items-baseline justify-between gap-3">
        <h2 className="text-[1.35rem] font-semibold tracking-tight">{list.doneCount === 3 ? 'You have seen it all work' : 'Your first five minutes'}</h2>
        <span className="flex items-center gap-3 text-[0.9rem] text-ink-2">
          {list.doneCount} of 3 done
          {list.doneCount === 3 && <Button small weight="quiet" aria-expanded={!folded} onClick={() => fold(!folded)}>{folded ? 'Show' : 'Fold away'}</Button>}
        </span>
      </div>
      {!(folded && list.doneCount === 3) && (
        <ol className="mt-5 flex flex-col divide-y divide-line">
          <CreditsStep credits={list.credits} />
          <KeyStep state={list.key} onUseReady={() => { remember(readyKeyMark, true); setUsesReadyKey(true); }} />
          <DemoStep run={list.run} />
        </ol>
      )}
    </section>
  );
}

/** While the demo is under way the checklist follows it live. */
function FollowDemo({ list, onRecord }: { list: Checklist; onRecord: () => unknown }) {
  const id = list.run.done ? undefined : list.run.execution?.id;
  const run = useQuery({ ...executionQuery(id ?? ''), enabled: id !== undefined });
  useLiveExecution(id, run.data?.seq, run.data !== undefined && !isEnded(run.data.status));
  const status = run.data?.status;
  const [known, setKnown] = useState(status);
  if (status !== known) {
    setKnown(status);
    if (known !== undefined) queueMicrotask(onRecord);
  }
  return null;
}
