import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { workflowQuery } from '~/api/queries';
import type { WorkflowView } from '~/api/types';
import { graphOfSpec } from '~/model/graph';
import { agentsOf } from '~/model/spec';
import { ButtonLink } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Graph } from '~/ui/graph';
import { Filter } from '~/ui/list';
import { MayButton } from '~/ui/may';
import { Page, Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { Tabs } from '~/ui/Tabs';
import { Ago } from '~/ui/time';
import { Problems } from './Problems';
import { RunPanel } from './RunPanel';

export function WorkflowPage() {
  const { name } = useParams({ from: '/workflows/$name' });
  const { tab, version } = useSearch({ from: '/workflows/$name' });
  const navigate = useNavigate({ from: '/workflows/$name' });
  const newest = useQuery(workflowQuery(name));
  const chosen = useQuery({ ...workflowQuery(name, version), enabled: version !== undefined });
  const [running, setRunning] = useState(false);

  if (newest.isError && !newest.data) return <ErrorNote error={newest.error} retry={() => void newest.refetch()} />;
  if (chosen.isError && version !== undefined) return <ErrorNote error={chosen.error} retry={() => void chosen.refetch()} />;
  const shown = version === undefined ? newest.data : chosen.data;
  if (!newest.data || !shown) return <Loading lines={6} label="Loading the workflow" />;
  const versions = Array.from({ length: newest.data.version }, (_, index) => newest.data.version - index);
  return (
    <Page
      wide title={name} lead={shown.description}
      above={<nav aria-label="Where you are" className="text-[0.9rem] text-ink-2"><Link to="/workflows" className="underline underline-offset-2">Workflows</Link></nav>}
      actions={(
        <>
          <ButtonLink to="/executions" search={{ workflow: name }}>Its executions</ButtonLink>
          <ButtonLink to="/workflows/$name/edit" params={{ name }} testId="edit-workflow">Edit</ButtonLink>
          <MayButton scope="run" weight="primary" onClick={() => setRunning(true)} data-testid="run-workflow">Run it</MayButton>
        </>
      )}
    >
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2 text-[0.9rem] text-ink-2">
        <Filter
          label="Version" value={String(shown.version)} options={versions.map((value) => ({ value: String(value), label: value === newest.data.version ? `${value}, the newest` : String(value) }))}
          onChange={(next) => void navigate({ search: (search) => ({ ...search, version: Number(next) === newest.data.version ? undefined : Number(next) }), replace: true })}
        />
        <span>saved <Ago at={shown.saved_at} /></span>
        <span className="font-mono text-[0.82rem]" title={shown.digest}>{shown.digest.slice(0, 12)}</span>
      </div>
      {shown.warnings.length > 0 && <Problems problems={shown.warnings} />}
      <Tabs
        label="Views of this workflow" value={tab ?? 'graph'} onChange={(next) => void navigate({ search: (search) => ({ ...search, tab: next === 'graph' ? undefined : next }), replace: true })}
        items={[
          { value: 'graph', label: 'Graph', content: <GraphView workflow={shown} /> },
          { value: 'text', label: 'Text', content: <TextView key={shown.version} workflow={shown} newest={newest.data} /> },
        ]}
      />
      {running && <RunPanel workflow={shown} onClose={() => setRunning(false)} />}
    </Page>
  );
}

function GraphView({ workflow }: { workflow: WorkflowView }) {
  const agents = agentsOf(workflow.spec);
  return (
    <div className="flex flex-col gap-6">
      <Graph planned graph={graphOfSpec(workflow.spec)} />
      {agents.length > 0 && (
        <Section title="Agents">
          <ul className="flex flex-wrap gap-x-8 gap-y-2">
            {agents.map((agent) => <li key={agent.id}><strong className="font-semibold">{agent.id}</strong> <span className="text-ink-2">{[agent.role, agent.model].filter(Boolean).join(', ')}</span></li>)}
          </ul>
        </Section>
      )}
    </div>
  );
}

function TextView({ workflow, newest }: { workflow: WorkflowView; newest: WorkflowView }) {
  const older = workflow.version !== newest.version;
  const [compare, setCompare] = useState(older);
  const text = JSON.stringify(workflow.spec, null, 2);
  return (
    <div className="flex flex-col gap-2">
      {older && (
        <label className="flex min-h-8 items-center gap-2 text-[0.9rem]">
          <input type="checkbox" className="size-4 accent-[var(--ink)]" checked={compare} onChange={(event) => setCompare(event.target.checked)} />
          Show what version {newest.version} changed
        </label>
      )}
      {older && compare
        ? <Editor label="Text of the newest version against this one" language="json" readOnly value={JSON.stringify(newest.spec, null, 2)} original={text} />
        : <Editor label="Text of the workflow" language="json" readOnly value={text} />}
    </div>
  );
}
