import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { api } from '~/api/client';
import { executionQuery } from '~/api/queries';
import { useRefresh } from '~/api/refresh';
import { demoInput, demoMoments, demoWorkflow, type Checklist, type RunStage } from '~/model/checklist';
import type { StatusLook } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { Glyph } from '~/ui/Glyph';
import { MayButton } from '~/ui/may';
import { ErrorNote } from '~/ui/states';
import { CheckStep } from './CheckStep';

const words: Record<RunStage, string> = {
  unavailable: 'The demo workflow is not on this server. Start it with “omium dev --demo”, or import a workflow of your own and run it.',
  ready: 'Four steps take on a new customer: verify, score, write the terms, send the offer. One of them will get it wrong. See it caught, mend it, and see it finish.',
  started: 'It is running. Watch it live.',
  failed: 'It failed, undid the failed step by itself and paused: nothing wrong was sent. Now it is your turn.',
  mended: 'It goes on from the checkpoint with your decision.',
  finished: 'It failed, was mended and finished; the offer was sent once.',
};

const looks: Record<'past' | 'now' | 'ahead', StatusLook> = {
  past: { label: 'done', tone: 'good', shape: 'solid' },
  now: { label: 'now', tone: 'running', shape: 'half' },
  ahead: { label: 'ahead', tone: 'quiet', shape: 'hollow' },
};

const yourTurn: StatusLook = { label: 'now', tone: 'wait', shape: 'pause' };

export function DemoStep({ run }: { run: Checklist['run'] }) {
  const navigate = useNavigate();
  const refresh = useRefresh();
  const start = useMutation({
    mutationFn: () => api.startExecution({ workflow: demoWorkflow, input: demoInput }),
    onSuccess: async ({ id }) => {
      void refresh();
      await navigate({ to: '/executions/$executionId', params: { executionId: id } });
    },
  });
  const id = run.execution?.id;
  const again = run.stage === 'finished';
  // Held by the checklist, which follows the run live: what went wrong has a page of its own, and the button leads there at once.
  const failure = useQuery({ ...executionQuery(id ?? ''), enabled: id !== undefined && run.stage === 'failed' }).data?.failure_id;
  return (
    <CheckStep testId="checklist-run" title="Your first workflow" done={run.done}>
      <p className="measure text-ink-2">{words[run.stage]}</p>
      {run.stage !== 'unavailable' && (
        <ol aria-label="How far the demo is" className="flex flex-wrap gap-x-5 gap-y-1.5 py-1">
          {demoMoments(run.stage).map(({ label, state }) => (
            <li key={label} className={`flex items-center gap-2 ${state === 'ahead' ? 'text-ink-3' : ''}`}>
              <Glyph look={state === 'now' && run.stage === 'failed' ? yourTurn : looks[state]} size={16} />{label}<span className="sr-only">, {looks[state].label}</span>
            </li>
          ))}
        </ol>
      )}
      {start.isError && <ErrorNote error={start.error} />}
      <span className="flex flex-wrap gap-2">
        {run.stage === 'unavailable' && <ButtonLink to="/workflows/import">Import a workflow</ButtonLink>}
        {(run.stage === 'ready' || again) && <MayButton scope="run" weight={again ? 'plain' : 'primary'} busy={start.isPending} onClick={() => start.mutate()} data-testid="start-demo">{again ? 'Run it again' : 'Run it'}</MayButton>}
        {failure !== undefined && <ButtonLink weight="primary" to="/failures/$failureId" params={{ failureId: failure }} testId="demo-failure-link">See what went wrong</ButtonLink>}
        {id && <ButtonLink weight={again || run.stage === 'failed' ? 'quiet' : 'primary'} to="/executions/$executionId" params={{ executionId: id }} testId="demo-link">View the trace</ButtonLink>}
      </span>
    </CheckStep>
  );
}
