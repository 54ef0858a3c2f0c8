import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { useRefresh } from '~/api/refresh';
import type { ExecutionView, ForkRequest, RetryRequest, StepView } from '~/api/types';
import { count } from '~/model/format';
import { parseInput } from '~/model/spec';
import { isAskedAbout, isEnded } from '~/model/status';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote, Loading } from '~/ui/states';
import { ForkRadius } from './ForkPanel';

type What = 'as_is' | 'input' | 'output';
type Where = 'here' | 'sandbox' | 'live';

/** Runs a step and what depends on it again: in this run, or apart in a fork; as it was, or with other data. */
export function RunAgainPanel({ view, step, onClose }: { view: ExecutionView; step: StepView; onClose: () => void }) {
  const [what, setWhat] = useState<What>('as_is');
  // What has succeeded or was cancelled stays as it is: it goes on only in a fork.
  const isClosed = isEnded(view.status) && view.status !== 'failed';
  const [where, setWhere] = useState<Where>(isClosed ? 'sandbox' : 'here');
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const refresh = useRefresh();
  const parsed = parseInput(text);
  const change = what === 'as_is' ? {} : { [what]: parsed.ok ? parsed.value : null };
  const fork: ForkRequest = { mode: where === 'live' ? 'live' : 'sandbox', edits: { steps: { [step.step]: change } } };
  const preview = useQuery({
    queryKey: ['fork-preview', view.id, view.seq, JSON.stringify(fork)],
    queryFn: () => api.previewFork(view.id, fork),
    enabled: where !== 'here' && parsed.ok,
  });
  const act = useMutation({
    mutationFn: async () => {
      if (where === 'here') {
        const body: RetryRequest = { from: step.step, ...(what === 'as_is' ? { again: true } : change) };
        await api.retry(view.id, body);
        await refresh(view.id);
        return view.id;
      }
      return (await api.fork(view.id, { ...fork, ...(where === 'live' ? { acknowledge: preview.data?.digest ?? null } : {}) })).id;
    },
    onSuccess: async (id) => {
      onClose();
      if (id !== view.id) await navigate({ to: '/executions/$executionId', params: { executionId: id }, search: {} });
    },
  });
  const begin = (next: What) => {
    setWhat(next);
    if (next !== 'as_is') setText(JSON.stringify((next === 'input' ? step.input : step.output) ?? {}, null, 2));
  };
  const refused = act.error instanceof ApiError ? act.error : undefined;
  return (
    <Panel title={`Run ${step.step} again`} description="It and what was made from it run anew; every other step keeps what it has." open onOpenChange={(open) => !open && onClose()}>
      <Choices legend="With" name="what" value={what} onChange={begin} options={[['as_is', 'the same input'], ['input', 'another input'], ['output', 'an output that you write; the step itself does not run']]} />
      {what !== 'as_is' && (
        <label className="flex flex-col gap-1.5 font-semibold">
          {what === 'input' ? 'Input' : 'Output'}, as JSON
          <textarea className="field min-h-40 font-mono text-[0.87rem] font-normal" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} aria-invalid={!parsed.ok || undefined} data-testid="run-again-value" />
          {!parsed.ok && <span className="font-normal text-bad">{parsed.message}</span>}
        </label>
      )}
      <Choices
        legend="Where" name="where" value={where} onChange={setWhere}
        options={[...(isClosed ? [] : [['here', 'in this run'] as [Where, string]]), ['sandbox', 'in a fork, nothing reaches outside'], ['live', 'in a fork, for real']]}
      />
      {where === 'here' && <p className="text-[0.93rem] text-ink-2">Effects of what is taken back are undone first. One that cannot be undone refuses it.</p>}
      {where !== 'here' && (preview.isError ? <ErrorNote error={preview.error} /> : preview.data ? <ForkRadius preview={preview.data} live={where === 'live'} /> : <Loading lines={2} label="Working out what runs again" />)}
      {refused && <ErrorNote error={refused} />}
      <MayButton scope={what !== 'as_is' && where !== 'sandbox' && isAskedAbout(view) ? ['run', 'decide'] : 'run'} weight="primary" className="self-end" busy={act.isPending} disabled={!parsed.ok || (where === 'live' && !preview.data)} onClick={() => act.mutate()} data-testid="run-again-start">
        {where === 'live' && preview.data && preview.data.repeats.length > 0 ? `Run it, with ${count(preview.data.repeats.length, 'call')} made again` : 'Run it again'}
      </MayButton>
    </Panel>
  );
}

export function Choices<T extends string>({ legend, name, value, options, onChange }: { legend: string; name: string; value: T; options: [T, string][]; onChange: (value: T) => void }) {
  return (
    <fieldset className="flex flex-col">
      <legend className="pb-1 font-semibold">{legend}</legend>
      {options.map(([option, label]) => (
        <label key={option} className="flex min-h-8 items-center gap-3">
          <input type="radio" name={name} value={option} checked={value === option} onChange={() => onChange(option)} className="size-4 shrink-0 accent-[var(--ink)]" data-testid={`${name}-${option}`} />{label}
        </label>
      ))}
    </fieldset>
  );
}
