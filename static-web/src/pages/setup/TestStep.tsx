import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '~/api/client';
import { useLiveExecution } from '~/api/live';
import { executionQuery } from '~/api/queries';
import { useRefresh } from '~/api/refresh';
import type { JsonObject } from '~/api/types';
import { demoInput, demoWorkflow } from '~/model/checklist';
import { inputSchema, parseInput, sampleOf } from '~/model/spec';
import { executionLook, isEnded } from '~/model/status';
import { standing } from '~/model/trace';
import { ButtonLink } from '~/ui/Button';
import { StatusPill } from '~/ui/Glyph';
import { MayButton } from '~/ui/may';
import { Section } from '~/ui/Page';
import { ErrorNote, Loading } from '~/ui/states';
import { Steps } from '../execution/Steps';

/** Saves the workflow and runs it once, live. */
export function TestStep({ spec, text, run, onRun }: { spec: JsonObject; text: string; run: string | undefined; onRun: (id: string) => void }) {
  const [input, setInput] = useState(() => JSON.stringify(spec.name === demoWorkflow ? demoInput : sampleOf(inputSchema(spec)), null, 2));
  const parsed = parseInput(input);
  const refresh = useRefresh();
  const start = useMutation({
    mutationFn: async () => {
      const saved = await api.saveWorkflow(text);
      return api.startExecution({ workflow: saved.name, version: saved.version, input: parsed.ok ? parsed.value : {} });
    },
    onSuccess: ({ id }) => {
      void refresh();
      onRun(id);
    },
  });
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-8 xl:grid-cols-2">
      <Section title="Input">
        <label className="flex flex-col gap-1.5"><span className="sr-only">Input of the test run, as JSON</span>
          <textarea className="field min-h-48 font-mono text-[0.87rem]" spellCheck={false} value={input} onChange={(event) => setInput(event.target.value)} aria-invalid={!parsed.ok || undefined} data-testid="run-input" />
        </label>
        {!parsed.ok && <p className="text-bad">{parsed.message}</p>}
        {start.isError && <ErrorNote error={start.error} />}
        <MayButton scope={['write', 'run']} weight="primary" className="self-start" busy={start.isPending} disabled={!parsed.ok} onClick={() => start.mutate()} data-testid="setup-run">{run === undefined ? 'Save it and run it' : 'Save and run it again'}</MayButton>
        <p className="text-[0.9rem] text-ink-2">It is a run like any other: tools are called. Give tools that send something an approval first, or an address of your own.</p>
      </Section>
      <Section title="The run">{run === undefined ? <p className="text-ink-2">It appears here as it runs.</p> : <LiveRun id={run} />}</Section>
    </div>
  );
}

function LiveRun({ id }: { id: string }) {
  const run = useQuery(executionQuery(id));
  useLiveExecution(id, run.data?.seq, run.data !== undefined && !isEnded(run.data.status));
  if (run.isError && !run.data) return <ErrorNote error={run.error} />;
  if (!run.data) return <Loading lines={4} label="Loading the run" />;
  return (
    <div className="flex flex-col gap-4">
      <p className="flex flex-wrap items-center gap-3" role="status"><StatusPill large look={executionLook(run.data.status)} testId="execution-status" />{standing(run.data)}</p>
      {run.data.failure && <p className="text-bad">{run.data.failure.message}</p>}
      <Steps steps={run.data.steps} seenAt={undefined} chosen={undefined} onChoose={() => undefined} />
      <ButtonLink className="self-start" to="/executions/$executionId" params={{ executionId: id }}>Open the whole trace</ButtonLink>
    </div>
  );
}
