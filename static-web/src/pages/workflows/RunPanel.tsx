import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { api } from '~/api/client';
import { useRefresh } from '~/api/refresh';
import type { WorkflowView } from '~/api/types';
import { demoInput, demoWorkflow } from '~/model/checklist';
import { inputSchema, parseInput, sampleOf } from '~/model/spec';
import { MayButton } from '~/ui/may';
import { Panel } from '~/ui/Panel';
import { ErrorNote } from '~/ui/states';

export function RunPanel({ workflow, onClose }: { workflow: WorkflowView; onClose: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(workflow.name === demoWorkflow ? demoInput : sampleOf(inputSchema(workflow.spec)), null, 2));
  const navigate = useNavigate();
  const refresh = useRefresh();
  const problem = useId();
  const parsed = parseInput(text);
  const start = useMutation({
    mutationFn: () => api.startExecution({ workflow: workflow.name, version: workflow.version, input: parsed.ok ? parsed.value : {} }),
    onSuccess: async ({ id }) => {
      void refresh();
      await navigate({ to: '/executions/$executionId', params: { executionId: id } });
    },
  });
  return (
    <Panel title={`Run ${workflow.name}`} description={`Version ${workflow.version}. It begins at once.`} open onOpenChange={(open) => !open && onClose()}>
      <label className="flex flex-col gap-1.5 font-semibold">
        Input, as JSON
        <textarea className="field min-h-48 font-mono text-[0.87rem] font-normal" spellCheck={false} value={text} onChange={(event) => setText(event.target.value)} aria-invalid={!parsed.ok || undefined} aria-describedby={parsed.ok ? undefined : problem} data-testid="run-input" />
        {!parsed.ok && <span id={problem} className="font-normal text-bad">{parsed.message}</span>}
      </label>
      {start.isError && <ErrorNote error={start.error} />}
      <MayButton scope="run" weight="primary" className="self-end" busy={start.isPending} disabled={!parsed.ok} onClick={() => start.mutate()} data-testid="run-start">Start</MayButton>
    </Panel>
  );
}
