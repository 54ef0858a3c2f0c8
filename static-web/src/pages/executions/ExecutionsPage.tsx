import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { executionsQuery, workflowsQuery } from '~/api/queries';
import { executionLook, executionStatuses } from '~/model/status';
import { ButtonLink } from '~/ui/Button';
import { Filter, MoreButton, Rows } from '~/ui/list';
import { Page } from '~/ui/Page';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { ExecutionRow } from './ExecutionRow';

export function ExecutionsPage() {
  const { status, workflow } = useSearch({ from: '/executions' });
  const navigate = useNavigate({ from: '/executions' });
  const executions = useInfiniteQuery(executionsQuery({ status, workflow }));
  const workflows = useInfiniteQuery(workflowsQuery);
  const items = executions.data?.pages.flatMap((page) => page.items);
  const names = [...new Set([...(workflows.data?.pages.flatMap((page) => page.items).map(({ name }) => name) ?? []), ...(workflow ? [workflow] : [])])];
  const filtered = status !== undefined || workflow !== undefined;

  return (
    <Page title="Executions" lead="Every run of every workflow, newest first.">
      <div className="flex flex-wrap gap-4">
        <Filter
          label="Status" value={status ?? ''} onChange={(next) => void navigate({ search: (search) => ({ ...search, status: next || undefined }) })}
          options={[{ value: '', label: 'All' }, ...executionStatuses.map((value) => ({ value, label: executionLook(value).label }))]}
        />
        <Filter
          label="Workflow" value={workflow ?? ''} onChange={(next) => void navigate({ search: (search) => ({ ...search, workflow: next || undefined }) })}
          options={[{ value: '', label: 'All' }, ...names.map((value) => ({ value, label: value }))]}
        />
      </div>
      {executions.isError && !items && <ErrorNote error={executions.error} retry={() => void executions.refetch()} />}
      {executions.isPending && <Loading lines={7} label="Loading executions" />}
      {items?.length === 0 && (filtered
        ? <Empty title="No execution matches" action={<ButtonLink to="/executions" search={{}}>Show all</ButtonLink>}>Choose another status or workflow.</Empty>
        : <Empty title="Nothing has run yet" action={<ButtonLink weight="primary" to="/">Go to the first steps</ButtonLink>}>Start the demo from the overview, or run a workflow of your own.</Empty>)}
      {items && items.length > 0 && <Rows label="Executions">{items.map((run) => <ExecutionRow key={run.id} run={run} />)}</Rows>}
      <MoreButton query={executions} what="executions" />
    </Page>
  );
}
