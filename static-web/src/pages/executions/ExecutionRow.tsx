import type { ExecutionSummary } from '~/api/types';
import { between, duration, shortId } from '~/model/format';
import { executionLook, humanise } from '~/model/status';
import { StatusPill } from '~/ui/Glyph';
import { RowLink } from '~/ui/list';
import { Ago } from '~/ui/time';

export function ExecutionRow({ run }: { run: ExecutionSummary }) {
  return (
    <RowLink to="/executions/$executionId" params={{ executionId: run.id }} testId={`execution-${run.id}`}>
      <span className="w-32 shrink-0"><StatusPill look={executionLook(run.status)} /></span>
      <span className="min-w-0 flex-1 basis-40">
        <span className="font-semibold">{run.workflow}</span> <span className="text-[0.87rem] text-ink-2">v{run.workflow_version}</span>
        {run.failure_class && <span className="block text-[0.87rem] text-bad">{humanise(run.failure_class)}</span>}
      </span>
      <span className="font-mono text-[0.82rem] text-ink-2">{shortId(run.id)}</span>
      <span className="w-20 text-right font-mono text-[0.82rem] text-ink-2">{run.ended_at ? duration(between(run.created_at, run.ended_at)) : ''}</span>
      <span className="w-24 text-right max-sm:flex-1 text-[0.87rem] text-ink-2"><Ago at={run.created_at} /></span>
    </RowLink>
  );
}
