import { useInfiniteQuery } from '@tanstack/react-query';
import { workflowsQuery } from '~/api/queries';
import { count } from '~/model/format';
import { ButtonLink } from '~/ui/Button';
import { MoreButton, RowLink, Rows } from '~/ui/list';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { Ago } from '~/ui/time';

export function WorkflowsPage() {
  const workflows = useInfiniteQuery(workflowsQuery);
  const items = workflows.data?.pages.flatMap((page) => page.items);
  const importLink = <ButtonLink weight="primary" to="/workflows/import">Import a workflow</ButtonLink>;
  return (
    <Page title="Workflows" lead="A saved version never changes; a run keeps the version it began with." actions={importLink}>
      {workflows.isError && !items && <ErrorNote error={workflows.error} retry={() => void workflows.refetch()} />}
      {workflows.isPending && <Loading label="Loading workflows" />}
      {items?.length === 0 && <Empty title="No workflow yet" action={importLink}>Paste a workflow as YAML or JSON. Every mistake in it is shown at its place, with how to mend it.</Empty>}
      {items && items.length > 0 && (
        <Rows label="Workflows">
          {items.map((workflow) => (
            <RowLink key={workflow.name} to="/workflows/$name" params={{ name: workflow.name }} testId={`workflow-${workflow.name}`}>
              <span className="min-w-0 flex-1 basis-60">
                <span className="font-semibold">{workflow.name}</span> <span className="text-[0.87rem] text-ink-2">v{workflow.version}</span>
                {workflow.description && <span className="block text-[0.9rem] text-ink-2">{workflow.description}</span>}
              </span>
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
