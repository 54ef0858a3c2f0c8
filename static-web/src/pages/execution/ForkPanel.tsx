import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '~/api/client';
import { workflowQuery } from '~/api/queries';
import type { AgentEdits, ExecutionView, ForkPreviewView, ForkRequest } from '~/api/types';
import { count, preview as short } from '~/model/format';
import { isObject } from '~/model/graph';
import { isAskedAbout } from '~/model/status';
import { Editor } from '~/ui/editor';
import { SelectField } from '~/ui/form';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote, Loading } from '~/ui/states';
import { Choices } from './RunAgainPanel';

/** Goes on from a point of the past as a run of its own, perhaps with an agent that is told something else. */
export function ForkPanel({ view, at, onClose }: { view: ExecutionView; at: number; onClose: () => void }) {
  const [mode, setMode] = useState<'sandbox' | 'live'>('sandbox');
  const [agent, setAgent] = useState('');
  const [prompt, setPrompt] = useState('');
  const navigate = useNavigate();
  const workflow = useQuery(workflowQuery(view.workflow, view.workflow_version));
  const agents = isObject(workflow.data?.spec.agents) ? workflow.data.spec.agents : {};
  const promptOfAgent = (name: string) => (isObject(agents[name]) && typeof agents[name].prompt === 'string' ? agents[name].prompt : '');
  const edits: Record<string, AgentEdits> = agent !== '' && prompt !== promptOfAgent(agent) ? { [agent]: { prompt } } : {};
  const body: ForkRequest = { at, mode, ...(Object.keys(edits).length > 0 ? { edits: { agents: edits } } : {}) };
  const preview = useQuery({ queryKey: ['fork-preview', view.id, JSON.stringify(body)], queryFn: () => api.previewFork(view.id, body) });
  const fork = useMutation({
    mutationFn: () => api.fork(view.id, { ...body, ...(mode === 'live' ? { acknowledge: preview.data?.digest ?? null } : {}) }),
    onSuccess: ({ id }) => navigate({ to: '/executions/$executionId', params: { executionId: id }, search: {} }),
  });
  return (
    <Panel title={`Fork after record ${at}`} description="A run of its own that begins with this one’s past. Nothing is copied, and nothing of this run changes." open onOpenChange={(open) => !open && onClose()}>
      <Choices legend="What reaches outside" name="mode" value={mode} onChange={setMode} options={[['sandbox', 'nothing: calls are answered from the record, else a person is asked'], ['live', 'everything, as in any run']]} />
      {Object.keys(agents).length > 0 && (
        <SelectField label="Tell an agent something else" value={agent} onChange={(event) => { setAgent(event.target.value); setPrompt(promptOfAgent(event.target.value)); }} options={[{ value: '', label: 'no, as it was' }, ...Object.keys(agents).map((name) => ({ value: name, label: name }))]} />
      )}
      {agent !== '' && <Editor label={`Prompt of ${agent}`} value={prompt} original={promptOfAgent(agent)} onChange={setPrompt} testId="fork-prompt" />}
      {preview.isError ? <ErrorNote error={preview.error} /> : preview.data ? <ForkRadius preview={preview.data} live={mode === 'live'} /> : <Loading lines={2} label="Working out what runs again" />}
      {fork.isError && <ErrorNote error={fork.error} />}
      <MayButton scope={body.edits && mode === 'live' && isAskedAbout(view) ? ['run', 'decide'] : 'run'} weight="primary" className="self-end" busy={fork.isPending} disabled={!preview.data} onClick={() => fork.mutate()} data-testid="fork-start">Fork it</MayButton>
    </Panel>
  );
}

/** What runs again, and which calls would be made a second time. */
export function ForkRadius({ preview, live }: { preview: ForkPreviewView; live: boolean }) {
  const again = preview.runs_again;
  return (
    <div data-testid="fork-preview" className="flex flex-col gap-2 rounded-xl bg-sunken px-4 py-3">
      <p>{again.length === 0 ? 'Nothing that was committed runs again; it goes on from there.' : <><strong className="font-semibold">{count(again.length, 'visit')} run again</strong>: {again.map(({ step, visit }) => (visit > 1 ? `${step} (visit ${visit})` : step)).join(', ')}.</>}</p>
      {live && preview.repeats.length > 0 && (
        <div className="text-bad">
          <p className="font-semibold">Made again, for real:</p>
          <ul className="list-disc pl-5">{preview.repeats.map((call) => <li key={call.effect_id}><span className="font-mono text-[0.87rem]">{call.tool}</span> of {call.step}, {call.effect_kind}: {short(call.arguments, 80)}</li>)}</ul>
        </div>
      )}
      {live && preview.writes.length > 0 && <p className="text-bad">Written again: {preview.writes.map(({ key }) => key).join(', ')}.</p>}
    </div>
  );
}
