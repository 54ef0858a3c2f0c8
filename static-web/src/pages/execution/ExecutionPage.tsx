import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useLiveExecution } from '~/api/live';
import { executionAtQuery, executionQuery } from '~/api/queries';
import type { ExecutionView } from '~/api/types';
import { between, count, duration } from '~/model/format';
import { executionLook, isEnded, waitingFor } from '~/model/status';
import { standing, summarise } from '~/model/trace';
import { StatusPill } from '~/ui/Glyph';
import { Page, Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { Tabs } from '~/ui/Tabs';
import { Ago, useNow } from '~/ui/time';
import { JsonBlock } from '~/ui/Value';
import { EventsTab } from './EventsTab';
import { ExecutionActions } from './ExecutionActions';
import { GraphTab } from './GraphTab';
import { LiveMark } from './LiveMark';
import { PausedBanner } from './PausedBanner';
import { Steps } from './Steps';
import { TimeSlider } from './TimeSlider';
import { Timeline } from './Timeline';

export function ExecutionPage() {
  const { executionId } = useParams({ from: '/executions/$executionId' });
  const { at, tab } = useSearch({ from: '/executions/$executionId' });
  const navigate = useNavigate({ from: '/executions/$executionId' });
  const newest = useQuery(executionQuery(executionId));
  const past = useQuery({ ...executionAtQuery(executionId, at ?? 0), enabled: at !== undefined, placeholderData: keepPreviousData });
  const live = useLiveExecution(executionId, newest.data?.seq, newest.data !== undefined && !isEnded(newest.data.status));

  if (newest.isError && !newest.data) return <ErrorNote error={newest.error} retry={() => void newest.refetch()} />;
  if (!newest.data) return <Loading lines={7} label="Loading the execution" />;
  const view = at !== undefined && past.data ? past.data : newest.data;
  const travel = (seq: number | undefined) =>
    void navigate({ search: (search) => ({ ...search, at: seq === undefined || seq >= newest.data!.seq ? undefined : Math.max(1, seq) }), replace: true, resetScroll: false });

  return (
    <Page
      wide title={newest.data.workflow} lead={<Lead view={newest.data} />}
      above={(
        <nav aria-label="Where you are" className="flex flex-wrap items-center gap-x-2 text-[0.9rem] text-ink-2">
          <Link to="/executions" className="underline underline-offset-2">Executions</Link><span aria-hidden="true">/</span>
          <span className="font-mono text-[0.84rem] break-all">{executionId}</span>
        </nav>
      )}
      actions={<ExecutionActions view={newest.data} />}
    >
      <div className="flex flex-wrap items-center gap-3">
        <StatusPill large look={executionLook(newest.data.status)} testId="execution-status" />
        <LiveMark state={live} />
        <p className="sr-only" role="status">{standing(newest.data)}</p>
      </div>
      <PausedBanner view={newest.data} />
      <TimeSlider newest={newest.data} shown={view} at={at} onTravel={travel} />
      {past.isError && at !== undefined && <ErrorNote error={past.error} retry={() => travel(undefined)} />}
      <Tabs
        label="Views of this execution" value={tab ?? 'trace'} onChange={(next) => void navigate({ search: (search) => ({ ...search, tab: next === 'trace' ? undefined : next }), replace: true, resetScroll: false })}
        items={[
          { value: 'trace', label: 'Trace', content: <TraceTab view={view} travelled={at !== undefined} onTravel={travel} /> },
          { value: 'graph', label: 'Graph', content: <GraphTab view={view} travelled={at !== undefined} /> },
          { value: 'data', label: 'Input and output', content: <DataTab view={view} /> },
          { value: 'events', label: 'Raw events', content: <EventsTab execution={executionId} upTo={at} /> },
        ]}
      />
    </Page>
  );
}

function Lead({ view }: { view: ExecutionView }) {
  const now = useNow(1_000);
  const summary = summarise(view);
  const end = view.ended_at ?? new Date(now).toISOString();
  const waits = waitingFor(view.waiting_for);
  return (
    <>
      Version {view.workflow_version}, started <Ago at={view.created_at} />. {isEnded(view.status) ? `Took ${duration(between(view.created_at, end))}.` : waits ? `Waiting for ${waits}.` : `Under way for ${duration(Math.max(1_000, between(view.created_at, end)))}.`}{' '}
      {count(summary.committed, 'step')} committed.
    </>
  );
}

function TraceTab({ view, travelled, onTravel }: { view: ExecutionView; travelled: boolean; onTravel: (seq: number | undefined) => void }) {
  return (
    <div className="grid items-start gap-x-12 gap-y-9 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <Section title="Steps"><Steps view={view} travelled={travelled} /></Section>
      <Section title="Timeline" aside="Choose a moment to see the state it left."><Timeline execution={view.id} at={travelled ? view.seq : undefined} onTravel={onTravel} /></Section>
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
