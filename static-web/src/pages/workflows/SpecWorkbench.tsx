import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api } from '~/api/client';
import { ApiError } from '~/api/errors';
import { count } from '~/model/format';
import { graphOfSpec } from '~/model/graph';
import { editSpecText, readSpecText } from '~/model/specText';
import { Button } from '~/ui/Button';
import { Editor } from '~/ui/editor';
import { Graph } from '~/ui/graph';
import { MayButton } from '~/ui/may';
import { ErrorNote } from '~/ui/states';
import { Tabs } from '~/ui/Tabs';
import { Problems } from './Problems';
import { starter } from './starter';
import { StepsForm } from './StepsForm';
import { useFindings } from './useFindings';

interface SpecWorkbenchProps {
  initial: string;
  /** What it is compared with while one writes; absent for a new workflow. */
  original?: string;
  saveLabel: string;
}

/** Form and text side by side: each writes into the other, and what is wrong stands where it is wrong in both. */
export function SpecWorkbench({ initial, original, saveLabel }: SpecWorkbenchProps) {
  const [text, setText] = useState(initial);
  const [goTo, setGoTo] = useState<{ offset: number }>();
  const [view, setView] = useState('form');
  const found = useFindings(text);
  const spec = useMemo(() => readSpecText(text), [text]);
  const client = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () => api.saveWorkflow(text),
    onSuccess: async (saved) => {
      await client.invalidateQueries({ predicate: ({ queryKey }) => ['workflows', 'workflow', 'health'].includes(String(queryKey[0])) });
      await navigate({ to: '/workflows/$name', params: { name: saved.name } });
    },
  });
  const listed = save.error instanceof ApiError && save.error.errors.length > 0;
  const empty = text.trim() === '';
  const unchanged = original !== undefined && text === original;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-8 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
      <div className="flex min-w-0 flex-col gap-4">
        <Editor label="Workflow as YAML or JSON" language="yaml" testId="spec-editor" hint="omium: v0" value={text} onChange={setText} marks={found.marks} {...(original === undefined ? {} : { original })} {...(goTo ? { goTo } : {})} />
        <div className="flex flex-wrap items-center gap-2">
          <MayButton scope="write" weight="primary" busy={save.isPending} disabled={empty || unchanged} onClick={() => save.mutate()} data-testid="save-workflow">{saveLabel}</MayButton>
          {empty && <Button weight="quiet" onClick={() => setText(starter)}>Begin with an example</Button>}
          {!unchanged && original !== undefined && <Button weight="quiet" onClick={() => setText(original)}>Undo all edits</Button>}
          <span role="status" className="text-[0.93rem] text-ink-2">{empty ? '' : found.checking ? 'Checking …' : found.problems.length === 0 ? <span className="font-semibold text-good">Nothing to mend.</span> : count(found.problems.length, 'finding')}</span>
        </div>
        {found.error !== null && <ErrorNote error={found.error} />}
        {save.isError && !listed && <ErrorNote error={save.error} />}
        {found.problems.length > 0 && <Problems problems={found.problems} lines={found.lines} onGo={(index) => setGoTo({ offset: found.offsets[index]! })} />}
        {!empty && found.problems.length === 0 && !found.checking && <p data-testid="no-problem" className="sr-only">It can be saved.</p>}
      </div>
      <Tabs
        label="Ways to see it" value={view} onChange={setView}
        items={[
          { value: 'form', label: 'Form', content: spec ? <StepsForm spec={spec} problems={found.problems} onEdit={(path, value) => setText(editSpecText(text, path, value))} /> : <p className="text-ink-2">The text cannot be read at the moment, so there is no form of it. Mend it first: the place is marked.</p> },
          { value: 'graph', label: 'Graph', content: spec && Array.isArray(spec.steps) && spec.steps.length > 0 ? <Graph planned graph={graphOfSpec(spec)} /> : <p className="text-ink-2">Steps appear here once there are some.</p> },
        ]}
      />
    </div>
  );
}
