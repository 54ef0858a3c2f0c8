import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useLiveExecution } from '~/api/live';
import { executionAtQuery, executionQuery } from '~/api/queries';
import type { ExecutionView, StepView } from '~/api/types';
import { between, count, duration, shortId } from '~/model/format';
import { checkpointCredits, useOf } from '~/model/inspect';
import { executionLook, isEnded, waitingFor } from '~/model/status';
import { standing, summarise } from '~/model/trace';
import { Button } from '~/ui/Button';
import { StatusPill } from '~/ui/Glyph';
import { Page, Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { Tabs } from '~/ui/Tabs';
import { Ago, useNow } from '~/ui/time';
import { JsonBlock } from '~/ui/Value';
import { ChangesTab } from './ChangesTab';
import { findVisit, visitId } from './chosen';
import { EventsTab } from './EventsTab';
import { ExecutionActions } from './ExecutionActions';
import { GraphTab } from './GraphTab';
import { Inspector } from './Inspector';
import { LanesTab } from './LanesTab';
import { LiveMark } from './LiveMark';
import { PausedBanner } from './PausedBanner';
import { Steps } from './Steps';
import { TimeSlider } from './TimeSlider';
import { Timeline } from './Timeline';
import { Troubles } from './Troubles';
import { useAllSteps, type AllSteps } from './useAllSteps';

export function ExecutionPage() {
  const { executionId } = useParams({ from: '/executions/$executionId' });
  const { at, tab, step } = useSearch({ from: '/executions/$executionId' });
  const navigate = useNavigate({ from: '/executions/$executionId' });
  const newest = useQuery(executionQuery(executionId));
  const past = useQuery({ ...executionAtQuery(executionId, at ?? 0), enabled: at !== undefined, placeholderData: keepPreviousData });
  const live = useLiveExecution(executionId, newest.data?.seq, newest.data !== undefined && !isEnded(newest.data.status));
  const view = at !== undefined && past.data ? past.data : newest.data;
  const whole = useAllSteps(view, at !== undefined);

  if (newest.isError && !newest.data) return <ErrorNote error={newest.error} retry={() => void newest.refetch()} />;
  if (!newest.data || !view) return <Loading lines={7} label="Loading the execution" />;
  const travelled = at !== undefined;
  const travel = (seq: number | undefined) =>
    void navigate({ search: (search) => ({ ...search, at: seq === undefined || seq >= newest.data!.seq ? undefined : Math.max(1, seq) }), replace: true, resetScroll: false });
  const choose = (next: { step: string; visit: number } | undefined) =>
    void navigate({ search: (search) => ({ ...search, step: next && visitId(next) }), replace: true, resetScroll: false });
  const chosen = findVisit(whole.steps, step);
  const shared = { view, steps: whole.steps, chosen: step, travelled, onChoose: choose };

  return (
    <Page wide title={newest.data.workflow} lead={<Lead view={newest.data} steps={whole.steps} />} above={<Whereabouts view={newest.data} />} actions={<ExecutionActions view={newest.data} />}>
      <div className="flex flex-wrap items-center gap-3">
        <StatusPill large look={executionLook(newest.data.status)} testId="execution-status" />
        <LiveMark state={live} />
        <p className="sr-only" role="status">{standing(newest.data)}</p>
      </div>
      <Troubles view={newest.data} />
      <PausedBanner view={newest.data} />
      <TimeSlider newest={newest.data} shown={view} at={at} onTravel={travel} />
      {past.isError && travelled && <ErrorNote error={past.error} retry={() => travel(undefined)} />}
      <div className={`grid items-start gap-x-8 gap-y-9 ${chosen ? 'grid-cols-[minmax(0,1fr)] xl:grid-cols-[minmax(0,3fr)_minmax(24rem,2fr)]' : 'grid-cols-[minmax(0,1fr)]'}`}>
        <Tabs
          label="Views of this execution" value={tab ?? 'trace'} onChange={(next) => void navigate({ search: (search) => ({ ...search, tab: next === 'trace' ? undefined : next }), replace: true, resetScroll: false })}
          items={[
            { value: 'trace', label: 'Trace', content: <TraceTab {...shared} newest={newest.data.seq} narrow={chosen !== undefined} more={whole} onTravel={travel} /> },
            { value: 'lanes', label: 'Lanes', content: <LanesTab {...shared} /> },
            { value: 'graph', label: 'Graph', content: <GraphTab {...shared} /> },
            { value: 'changes', label: 'Changes', content: <ChangesTab view={view} newest={newest.data.seq} /> },
            { value: 'data', label: 'Input and output', content: <DataTab view={view} /> },
            { value: 'events', label: 'Raw events', content: <EventsTab execution={executionId} upTo={at} /> },
          ]}
        />
        {chosen && <Inspector view={view} step={chosen} steps={whole.steps} travelled={travelled} onChoose={choose} />}
      </div>
    </Page>
  );
}

/** Where it stands among others: the list, the run it was forked from, the step whose child it is. */
function Whereabouts({ view }: { view: ExecutionView }) {
  return (
    <nav aria-label="Where you are" className="flex flex-wrap items-center gap-x-2 text-[0.9rem] text-ink-2">
      <Link to="/executions" className="underline underline-offset-2">Executions</Link><span aria-hidden="true">/</span>
      <span className="font-mono text-[0.84rem] break-all">{view.id}</span>
      {view.fork && (
        <span>
          forked from <Link to="/executions/$executionId" params={{ executionId: view.fork.from }} search={{ at: view.fork.at }} className="underline underline-offset-2">{shortId(view.fork.from)} after record {view.fork.at}</Link>
          {view.fork.mode === 'sandbox' && ', in a sandbox: nothing reaches outside'} (<Link to="/compare" search={{ left: view.fork.from, right: view.id }} className="underline underline-offset-2">compare</Link>)
        </span>
      )}
      {view.parent && <span>child of <Link to="/executions/$executionId" params={{ executionId: view.parent.execution }} search={{ step: visitId(view.parent) }} className="underline underline-offset-2">{view.parent.step} in {shortId(view.parent.execution)}</Link></span>}
    </nav>
  );
}

function Lead({ view, steps }: { view: ExecutionView; steps: StepView[] }) {
  const now = useNow(isEnded(view.status) ? 3_600_000 : 1_000);
  const summary = useMemo(() => summarise(view), [view]);
  const use = useMemo(() => useOf(steps), [steps]);
  const end = view.ended_at ?? new Date(now).toISOString();
  const waits = waitingFor(view.waiting_for);
  return (
    <>
      Version {view.workflow_version}, started <Ago at={view.created_at} />. {isEnded(view.status) ? `Took ${duration(between(view.created_at, end))}.` : waits ? `Waiting for ${waits}.` : `Under way for ${duration(Math.max(1_000, between(view.created_at, end)))}.`}{' '}
      {count(summary.committed, 'step')} committed{use.checkpoints > 0 && `, ${(use.checkpoints * checkpointCredits).toLocaleString('en')} credits for checkpoints`}{use.inputTokens + use.outputTokens > 0 && `, ${(use.inputTokens + use.outputTokens).toLocaleString('en')} tokens`}.
    </>
  );
}

interface TraceTabProps {
  view: ExecutionView;
  /** Its last record, also while a state of the past is shown. */
  newest: number;
  steps: StepView[];
  chosen: string | undefined;
  travelled: boolean;
  /** The inspector stands beside it: the timeline goes beneath. */
  narrow: boolean;
  more: AllSteps;
  onChoose: (step: StepView) => void;
  onTravel: (seq: number | undefined) => void;
}

function TraceTab({ view, newest, steps, chosen, travelled, narrow, more, onChoose, onTravel }: TraceTabProps) {
  return (
    <div className={`grid items-start gap-x-12 gap-y-9 ${narrow ? '' : 'xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]'}`}>
      <Section title="Steps" aside={more.omitted > 0 && `the newest ${steps.length.toLocaleString('en')} of ${(steps.length + more.omitted).toLocaleString('en')} visits`}>
        {more.omitted > 0 && <Button small className="self-start" busy={more.isLoading} onClick={more.load}>Load all of them</Button>}
        <Steps steps={steps} seenAt={travelled ? Date.parse(view.updated_at) : undefined} chosen={chosen} onChoose={onChoose} />
      </Section>
      <Section title="Timeline" aside="Choose a moment to see the state it left."><Timeline execution={view.id} newest={newest} at={travelled ? view.seq : undefined} onTravel={onTravel} /></Section>
    </div>
  );
}

function DataTab({ view }: { view: ExecutionView }) {
  return (
    <div className="grid gap-8 lg:grid-cols-2">
      <Section title="Input"><JsonBlock value={view.input} label="Input" /></Section>
      <Section title="Output">{view.output === undefined ? <p className="text-ink-2">There is none before the run has succeeded.</p> : <JsonBlock value={view.output} label="Output" />}</Section>
    </div>
  );
}
