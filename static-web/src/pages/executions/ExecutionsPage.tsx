import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { executionsQuery, workflowsQuery } from '~/api/queries';
import { failureClasses } from '~/model/classes';
import { executionLook, executionStatuses, humanise } from '~/model/status';
import { Button, ButtonLink } from '~/ui/Button';
import { Filter, Filters, MoreButton, Rows } from '~/ui/list';
import { Page } from '~/ui/Page';
import { SearchField } from '~/ui/SearchField';
import { Empty, ErrorNote, Loading } from '~/ui/states';
import { ExecutionRow } from './ExecutionRow';

export function ExecutionsPage() {
  const search = useSearch({ from: '/executions' });
  const { status, workflow, failure_class: failureClass, q, from, to } = search;
  const navigate = useNavigate({ from: '/executions' });
  const executions = useInfiniteQuery({ ...executionsQuery({ ...search, from: from && `${from}T00:00:00Z`, to: to && `${to}T00:00:00Z` }), placeholderData: keepPreviousData });
  const workflows = useInfiniteQuery(workflowsQuery);
  const items = executions.data?.pages.flatMap((page) => page.items);
  const names = [...new Set([...(workflows.data?.pages.flatMap((page) => page.items).map(({ name }) => name) ?? []), ...(workflow ? [workflow] : [])])];
  const classes = [...new Set([...failureClasses, ...(failureClass ? [failureClass] : [])])];
  const filtered = Object.values(search).some((value) => value !== undefined);
  const set = (next: Partial<typeof search>) => void navigate({ search: (old) => ({ ...old, ...next }), replace: true });

  return (
    <Page title="Executions" lead="Every run of every workflow, newest first." wide>
      <div role="search" aria-label="Search executions" className="flex flex-wrap items-center gap-x-4 gap-y-3">
        <SearchField label="Search" hint="Workflow, step, class, code or message of a failure; a start key; an id" value={q} onChange={(next) => set({ q: next })} testId="execution-search" />
        <Filters active={filtered && Object.entries(search).some(([name, value]) => name !== 'q' && value !== undefined)}>
          <Filter label="Status" value={status ?? ''} onChange={(next) => set({ status: next || undefined })} options={[{ value: '', label: 'All' }, ...executionStatuses.map((value) => ({ value, label: executionLook(value).label }))]} />
          <Filter label="Workflow" value={workflow ?? ''} onChange={(next) => set({ workflow: next || undefined })} options={[{ value: '', label: 'All' }, ...names.map((value) => ({ value, label: value }))]} />
          <Filter label="Failure" value={failureClass ?? ''} onChange={(next) => set({ failure_class: next || undefined })} options={[{ value: '', label: 'Any or none' }, ...classes.map((value) => ({ value, label: humanise(value) }))]} />
          <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">From<input type="date" className="field min-h-10 w-auto text-ink" value={from ?? ''} onChange={(event) => set({ from: event.target.value || undefined })} /></label>
          <label className="flex items-center gap-2 text-[0.9rem] text-ink-2">Before<input type="date" className="field min-h-10 w-auto text-ink" value={to ?? ''} onChange={(event) => set({ to: event.target.value || undefined })} /></label>
        </Filters>
        {filtered && <Button small weight="quiet" onClick={() => void navigate({ search: {}, replace: true })}>Clear all</Button>}
      </div>
      {executions.isError && !items && <ErrorNote error={executions.error} retry={() => void executions.refetch()} />}
      {executions.isPending && <Loading lines={7} label="Loading executions" />}
      {items?.length === 0 && !executions.hasNextPage && (filtered
        ? <Empty title="No execution matches" action={<ButtonLink to="/executions" search={{}}>Show all</ButtonLink>}>{q ? 'All words must be found, whole. Words of inputs and outputs are not searched.' : 'Choose another status, workflow or span of days.'}</Empty>
        : <Empty title="Nothing has run yet" action={<ButtonLink weight="primary" to="/">Go to the first steps</ButtonLink>}>Start the demo from the overview, or run a workflow of your own.</Empty>)}
      {items && items.length > 0 && <Rows label="Executions">{items.map((run) => <ExecutionRow key={run.id} run={run} />)}</Rows>}
      <MoreButton query={executions} what="executions" />
    </Page>
  );
}
