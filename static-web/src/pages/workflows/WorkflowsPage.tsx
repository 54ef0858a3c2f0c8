import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { recentExecutionsQuery, workflowsQuery } from '~/api/queries';
import type { ExecutionSummary } from '~/api/types';
import { count } from '~/model/format';
import { executionLook } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { StatusPill } from '~/ui/Glyph';
import { MoreButton, RowLink, Rows } from '~/ui/list';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';

export function WorkflowsPage() {
  const workflows = useInfiniteQuery(workflowsQuery);
  const runs = useQuery(recentExecutionsQuery);
  const items = workflows.data?.pages.flatMap((page) => page.items);
  const importLink = <><ButtonLink to="/workflows/import">Write one</ButtonLink><ButtonLink weight="primary" to="/workflows/setup">Set up a workflow</ButtonLink></>;
  return (
    <Page title="Workflows" lead="A saved version never changes; a run keeps the version it began with." actions={importLink}>
      {workflows.isError && !items && <ErrorNote error={workflows.error} retry={() => void workflows.refetch()} />}
      {workflows.isPending && <Loading label="Loading workflows" />}
      {items?.length === 0 && <Empty title="No workflow yet" action={<span className="flex flex-wrap gap-2">{importLink}</span>}>Paste a workflow as YAML or JSON. Every mistake in it is shown at its place, with how to mend it.</Empty>}
      {items && items.length > 0 && (
        <Rows label="Workflows">
          {items.map((workflow) => (
            <RowLink key={workflow.name} to="/workflows/$name" params={{ name: workflow.name }} testId={`workflow-${workflow.name}`}>
              <span className="min-w-0 flex-1 basis-60">
                <span className="font-semibold">{workflow.name}</span> <span className="text-[0.87rem] text-ink-2">v{workflow.version}</span>
                {workflow.description && <span className="block text-[0.9rem] text-ink-2">{workflow.description}</span>}
              </span>
              <LastRun runs={runs.data?.items.filter((run) => run.workflow === workflow.name)} />
              <span className="text-[0.87rem] text-ink-2">{count(workflow.steps, 'step')}, {count(workflow.agents, 'agent')}</span>
              <span className="text-[0.87rem] text-ink-2">saved <Ago at={workflow.saved_at} /></span>
            </RowLink>
          ))}
        </Rows>
      )}
      <MoreButton query={workflows} what="workflows" />
    </Page>
  );
}

/** How the newest of the latest runs stands, and how many of them failed. */
function LastRun({ runs }: { runs: ExecutionSummary[] | undefined }) {
  const last = runs?.[0];
  if (!last) return <span className="w-52 text-[0.87rem] text-ink-3 max-sm:w-auto">{runs ? 'no recent run' : ''}</span>;
  const failed = runs.filter(({ failure_class }) => failure_class !== undefined).length;
  return (
    <span className="flex w-52 flex-wrap items-center gap-x-2 text-[0.87rem] text-ink-2 max-sm:w-auto">
      <StatusPill look={executionLook(last.status)} /><Ago at={last.created_at} />
      {failed > 0 && <span className="w-full text-bad">{count(failed, 'failure')} in the last {count(runs.length, 'run')}</span>}
    </span>
  );
}
