import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, type ExecutionFilter } from './client';

/**
 * Every read of the console, by name. Lists are fetched again on focus and after actions; what belongs to one execution
 * is fetched again when its stream brings a record. Nothing polls.
 */
export const meQuery = queryOptions({ queryKey: ['me'], queryFn: () => api.me(), staleTime: 60_000 });
export const healthQuery = queryOptions({ queryKey: ['health'], queryFn: api.health });

export const workflowsQuery = infiniteQueryOptions({
  queryKey: ['workflows'],
  queryFn: ({ pageParam }) => api.workflows(pageParam),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor,
});

export const workflowQuery = (name: string, version?: number) =>
  queryOptions({ queryKey: ['workflow', name, version ?? 'newest'], queryFn: () => api.workflow(name, version) });

export const executionsQuery = (filter: ExecutionFilter) =>
  infiniteQueryOptions({
    queryKey: ['executions', filter],
    queryFn: ({ pageParam }) => api.executions({ ...filter, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });

export const latestExecutionsQuery = (workflow?: string) =>
  queryOptions({ queryKey: ['executions', 'latest', workflow ?? ''], queryFn: () => api.executions({ workflow, limit: 8 }) });

/** The newest runs of all workflows: what lists show beside a workflow. */
export const recentExecutionsQuery = queryOptions({ queryKey: ['executions', 'recent'], queryFn: () => api.executions({ limit: 200 }) });

export const executionQuery = (id: string) => queryOptions({ queryKey: ['execution', id], queryFn: () => api.execution(id) });
export const executionAtQuery = (id: string, at: number) =>
  queryOptions({ queryKey: ['execution', id, 'state', at], queryFn: () => api.executionAt(id, at), staleTime: Infinity });
export const timelineQuery = (id: string) => queryOptions({ queryKey: ['execution', id, 'timeline'], queryFn: () => api.timeline(id) });
export const itemsQuery = (id: string, step: string, visit: number, status?: string) =>
  infiniteQueryOptions({
    queryKey: ['execution', id, 'items', step, visit, status ?? ''],
    queryFn: ({ pageParam }) => api.items(id, step, { visit, status, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
/** Older visits of a long run, page by page; they have settled, so a new record does not ask for them again. */
export const olderStepsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['steps', id],
    queryFn: ({ pageParam }) => api.steps(id, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Infinity,
  });
export const diffQuery = (id: string, from: number, to: number) =>
  queryOptions({ queryKey: ['execution', id, 'state', 'diff', from, to], queryFn: () => api.diff(id, from, to), staleTime: Infinity });
export const graphQuery = (id: string) => queryOptions({ queryKey: ['execution', id, 'graph'], queryFn: () => api.graph(id) });
export const eventsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['execution', id, 'events'],
    queryFn: ({ pageParam }) => api.events(id, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });

export const analyticsQuery = (filter: { group_by: string; bucket: string; from: string }) => queryOptions({ queryKey: ['analytics', filter], queryFn: () => api.analytics(filter) });

export const recoveryQuery = (filter: { group_by: string; from: string }) => queryOptions({ queryKey: ['recovery', filter], queryFn: () => api.recovery(filter) });

export const failuresQuery = (status?: string) =>
  infiniteQueryOptions({
    queryKey: ['failures', status ?? ''],
    queryFn: ({ pageParam }) => api.failures({ status, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
export const failureQuery = (id: string) => queryOptions({ queryKey: ['failure', id], queryFn: () => api.failure(id) });

export const residueQuery = (execution: string) => queryOptions({ queryKey: ['execution', execution, 'residue'], queryFn: () => api.residue(execution) });

export const allResidueQuery = (status?: string) =>
  infiniteQueryOptions({
    queryKey: ['residue', status ?? ''],
    queryFn: ({ pageParam }) => api.allResidue(status, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });

export const reviewsQuery = (status?: string) =>
  infiniteQueryOptions({
    queryKey: ['reviews', status ?? ''],
    queryFn: ({ pageParam }) => api.reviews({ status, cursor: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
