import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { executionQuery, latestExecutionsQuery } from '~/api/queries';
import type { ExecutionView, StepView } from '~/api/types';
import { between, count, duration, shortId } from '~/model/format';
import { compareRuns, type Comparison } from '~/model/inspect';
import { executionLook, stepLook } from '~/model/status';
import { Button } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Check, SelectField, TextField } from '~/ui/form';
import { StatusPill } from '~/ui/Glyph';
import { Page, Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';

/** Two runs side by side, step by step: where did they part? */
export function ComparePage() {
  const { left, right } = useSearch({ from: '/compare' });
  return (
    <Page wide title="Compare two runs" lead="Step by step, by the newest visit of each: where did they part?">
      <div className="grid gap-6 md:grid-cols-2">
        <Side name="left" title="One" id={left} other={right} />
        <Side name="right" title="The other" id={right} other={left} />
      </div>
      {left && right && <Both left={left} right={right} />}
    </Page>
  );
}

function Side({ name, title, id, other }: { name: 'left' | 'right'; title: string; id: string | undefined; other: string | undefined }) {
  const navigate = useNavigate({ from: '/compare' });
  const run = useQuery({ ...executionQuery(id ?? ''), enabled: id !== undefined });
  const beside = useQuery({ ...executionQuery(other ?? ''), enabled: other !== undefined });
  const latest = useQuery(latestExecutionsQuery(beside.data?.workflow));
  const choose = (next: string | undefined) => void navigate({ search: (search) => ({ ...search, [name]: next }), replace: true });
  if (id !== undefined) {
    return (
      <Section title={title} aside={<Button small weight="quiet" onClick={() => choose(undefined)}>Choose another</Button>}>
        {run.isError && <ErrorNote error={run.error} />}
        {run.isPending && <Loading lines={2} label="Loading the run" />}
        {run.data && (
          <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <StatusPill look={executionLook(run.data.status)} />
            <Link to="/executions/$executionId" params={{ executionId: id }} className="font-semibold underline underline-offset-2">{run.data.workflow} <span className="font-mono text-[0.84rem]">{shortId(id)}</span></Link>
            <span className="text-[0.9rem] text-ink-2">v{run.data.workflow_version}, <Ago at={run.data.created_at} />{run.data.ended_at && `, took ${duration(between(run.data.created_at, run.data.ended_at))}`}</span>
          </p>
        )}
      </Section>
    );
  }
  const options = (latest.data?.items ?? []).filter((one) => one.id !== other).map((one) => ({ value: one.id, label: `${one.workflow} ${shortId(one.id)}, ${executionLook(one.status).label.toLowerCase()}, ${new Date(one.created_at).toLocaleString()}` }));
  return (
    <Section title={title}>
      <SelectField label={beside.data ? `One of the latest runs of ${beside.data.workflow}` : 'One of the latest runs'} value="" onChange={(event) => event.target.value && choose(event.target.value)} options={[{ value: '', label: options.length === 0 ? 'there is no other' : 'choose …' }, ...options]} testId={`compare-${name}`} />
      <ById onChoose={choose} />
    </Section>
  );
}

function ById({ onChoose }: { onChoose: (id: string) => void }) {
  const [id, setId] = useState('');
  const submit = (event: FormEvent) => { event.preventDefault(); if (id.trim() !== '') onChoose(id.trim()); };
  return <form onSubmit={submit}><TextField label="Or any, by its whole id" className="font-mono" placeholder="exe_…" value={id} onChange={(event) => setId(event.target.value)} /></form>;
}

function Both({ left, right }: { left: string; right: string }) {
  const one = useQuery(executionQuery(left));
  const other = useQuery(executionQuery(right));
  const [all, setAll] = useState(false);
  if (!one.data || !other.data) return null;
  const steps = compareRuns(one.data, other.data);
  const differing = steps.filter(({ differs }) => differs.length > 0);
  const first = differing[0];
  return (
    <Section title="Steps">
      <p data-testid="compare-verdict" className="text-[1.08rem]">{first ? <>They part at <strong className="font-semibold">{first.step}</strong>; {count(differing.length, 'step')} of {steps.length} differ.</> : `All ${steps.length} steps are the same in status, input and output.`}</p>
      <Check label="Show the steps that are the same, too" checked={all} onChange={(event) => setAll(event.target.checked)} />
      <ul aria-label="Steps compared" className="card divide-y divide-line empty:hidden">{(all ? steps : differing).map((row) => <Row key={row.step} row={row} one={one.data} other={other.data} />)}</ul>
    </Section>
  );
}

function Row({ row, one, other }: { row: Comparison; one: ExecutionView; other: ExecutionView }) {
  const [open, setOpen] = useState(false);
  const { left, right, differs } = row;
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary data-list-item className="grid cursor-pointer list-none items-center gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-sunken sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_minmax(0,1fr)] [&::-webkit-details-marker]:hidden">
          <span className="min-w-0"><strong className="font-semibold">{row.step}</strong> <span className="text-[0.87rem] text-ink-2">{differs.length === 0 ? 'the same' : differs[0] === 'missing' ? 'only in one of them' : `another ${differs.join(', ')}`}</span></span>
          <Half step={left} /><Half step={right} />
        </summary>
        {open && left && right && (
          <div className="grid gap-5 px-4 pb-4 lg:grid-cols-2">
            {(['input', 'output'] as const).map((part) => (
              <div key={part} className="min-w-0">
                <h3 className="eyebrow pb-1">{part === 'input' ? 'Input' : 'Output'}, {shortId(other.id)} against {shortId(one.id)}</h3>
                <Editor label={`${part} of ${row.step} in both`} language="json" readOnly value={JSON.stringify(right[part] ?? null, null, 2)} original={JSON.stringify(left[part] ?? null, null, 2)} />
              </div>
            ))}
          </div>
        )}
      </details>
    </li>
  );
}

function Half({ step }: { step: StepView | undefined }) {
  if (!step) return <span className="text-ink-3">not run</span>;
  return <span className="flex flex-wrap items-center gap-2"><StatusPill look={stepLook(step.status)} />{step.settled_at && <span className="font-mono text-[0.82rem] text-ink-2">{duration(between(step.scheduled_at, step.settled_at))}</span>}</span>;
}
