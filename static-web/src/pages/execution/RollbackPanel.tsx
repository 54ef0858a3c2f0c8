import { useMutation, useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { ExecutionView, RollbackView } from '~/api/types';
import { count } from '~/model/format';
import type { GraphMark } from '~/model/graph';
import { around } from '~/model/graph';
import { rollbackTargets } from '~/model/rollback';
import { graphQuery } from '~/api/queries';
import { Check } from '~/ui/form';
import { Graph } from '~/ui/graph';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote, Loading } from '~/ui/states';

/** The blast radius is shown first; nothing is undone before the second press. */
export function RollbackPanel({ view, onClose }: { view: ExecutionView; onClose: () => void }) {
  const targets = rollbackTargets(view);
  const [to, setTo] = useState(targets[0]?.value ?? '');
  const [scope, setScope] = useState<Scope>(view.failure ? 'failure' : 'all');
  const [kept, setKept] = useState<string[]>([]);
  const [accepted, setAccepted] = useState(false);
  const refresh = useRefresh();
  const reach = { to, scope: scope === 'failure' ? 'failure' as const : 'all' as const };
  const whole = useQuery({
    queryKey: ['rollback-preview', view.id, view.seq, to, reach.scope],
    queryFn: () => api.rollback(view.id, { ...reach, preview: true }),
    enabled: to !== '',
  });
  const steps = [...new Set(whole.data?.affected.map(({ step }) => step))];
  const chosen = steps.filter((step) => !kept.includes(step));
  const narrowed = scope === 'some' && chosen.length < steps.length;
  const asked = narrowed ? { ...reach, steps: chosen } : reach;
  const narrow = useQuery({
    queryKey: ['rollback-preview', view.id, view.seq, to, 'some', chosen.join(' ')],
    queryFn: () => api.rollback(view.id, { ...asked, preview: true }),
    enabled: narrowed && chosen.length > 0,
  });
  const preview = narrowed ? narrow : whole;
  const apply = useMutation({
    mutationFn: async () => {
      await api.rollback(view.id, { ...asked, ...(accepted ? { accept_residue: true } : {}) });
      await refresh(view.id);
      onClose();
    },
  });
  return (
    <Panel wide title="Roll back" description="See first what would be undone. Nothing outside that set is touched." open onOpenChange={(open) => !open && onClose()}>
      {targets.length === 0 ? <p>No checkpoint has been committed yet, so there is nothing to go back to.</p> : (
        <>
          <label className="flex flex-col gap-1.5 font-semibold">
            Back to
            <select data-testid="rollback-to" className="field min-h-10 font-normal" value={to} onChange={(event) => setTo(event.target.value)}>
              {targets.map((target) => <option key={target.value} value={target.value}>{target.label}</option>)}
            </select>
          </label>
          <fieldset className="flex flex-col gap-1">
            <legend className="pb-1 font-semibold">What to undo</legend>
            <Choice name="failure" label="What the failure touched" checked={scope === 'failure'} onChange={() => setScope('failure')} />
            <Choice name="all" label="Everything that came after" checked={scope === 'all'} onChange={() => setScope('all')} />
            <Choice name="some" label="Only some of it" checked={scope === 'some'} onChange={() => setScope('some')} />
            {scope === 'some' && (
              <div role="group" aria-label="Steps to undo" className="flex flex-wrap gap-x-6 pl-7">
                {steps.map((step) => <Check key={step} label={step} checked={!kept.includes(step)} onChange={(event) => setKept(event.target.checked ? kept.filter((one) => one !== step) : [...kept, step])} testId={`undo-${step}`} />)}
              </div>
            )}
          </fieldset>
          {narrowed && chosen.length === 0 ? <p className="text-ink-2">Choose at least one step to undo.</p> : preview.isError ? <ErrorNote error={preview.error} /> : preview.data ? <BlastRadius execution={view.id} preview={preview.data} /> : <Loading lines={3} label="Working out what would be undone" />}
          {preview.data && preview.data.irreversible.length > 0 && <Check label="I accept that this stays" hint="It goes on the list of what was left behind, under your name." checked={accepted} onChange={(event) => setAccepted(event.target.checked)} testId="accept-residue" />}
          {apply.isError && <ErrorNote error={apply.error} />}
          <MayButton scope="run" weight="grave" className="self-end" busy={apply.isPending} disabled={!preview.data || preview.isFetching || (narrowed && chosen.length === 0) || (preview.data.orphans?.length ?? 0) > 0 || (preview.data.irreversible.length > 0 && !accepted)} onClick={() => apply.mutate()} data-testid="rollback-apply">Roll back</MayButton>
        </>
      )}
    </Panel>
  );
}

type Scope = 'failure' | 'all' | 'some';

function Choice({ name, label, checked, onChange }: { name: string; label: string; checked: boolean; onChange: () => void }) {
  return (
    <label className="flex min-h-9 items-center gap-3">
      <input type="radio" name="scope" value={name} checked={checked} onChange={onChange} className="size-4 accent-[var(--ink)]" data-testid={`rollback-scope-${name}`} />
      {label}
    </label>
  );
}

function BlastRadius({ execution, preview }: { execution: string; preview: RollbackView }) {
  const graph = useQuery(graphQuery(execution));
  const orphans = preview.orphans ?? [];
  const marks = useMemo(() => new Map<string, GraphMark>([...preview.affected.map(({ step }): [string, GraphMark] => [step, 'undone']), ...(preview.orphans ?? []).map(({ step }): [string, GraphMark] => [step, 'orphan'])]), [preview]);
  const shown = useMemo(() => graph.data && around(graph.data, preview.affected[0]?.step, 120, new Set(marks.keys())), [graph.data, preview, marks]);
  return (
    <div data-testid="rollback-preview" className="flex flex-col gap-3 rounded-xl bg-sunken px-4 py-3">
      <p><strong className="font-semibold">{count(preview.affected.length, 'step')} would be undone</strong>{preview.affected.length > 0 && `: ${preview.affected.map(({ step, visit }) => (visit > 1 ? `${step} (visit ${visit})` : step)).join(', ')}`}.</p>
      <p>{preview.compensations.length === 0 ? 'Nothing outside needs to be taken back.' : <>To be taken back outside: {preview.compensations.join(', ')}.</>}</p>
      {orphans.length > 0 && <p className="font-semibold text-bad">Refused: {orphans.map(({ step }) => step).join(', ')} was made from what would be undone, and would stay. Undo it too, choose “Everything that came after”, or go back to another point.</p>}
      {shown && preview.affected.length > 0 && <Graph graph={shown} marks={marks} />}
      {preview.irreversible.length > 0 && <p className="font-semibold text-bad">Cannot be undone: {preview.irreversible.join(', ')}. A person must accept what remains.</p>}
    </div>
  );
}
