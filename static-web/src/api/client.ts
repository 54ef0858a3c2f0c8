import { toApiError, unreachable } from './errors';
import { currentKey, signOut } from './session';
import type {
  CreateKeyRequest, DecideReviewRequest, EventRecord, ExecutionSummary, ExecutionView, FailureSummary, FailureView, GraphView,
  HealthSummary, KeyView, MeView, Page, ResidueView, ReviewView, RollbackRequest, RollbackView, StartExecutionRequest, StepView, TestFixView,
  TimelineEntry, ValidateView, VerifyView, WorkflowSummary, WorkflowView, AgentEdits,
} from './types';

interface Options {
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  /** Sent as it is, with its content type, instead of `body`. */
  text?: { content: string; type: string };
  /** Used instead of the session's key: to validate a key before it is kept. */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One request; the raw answer if it is a success, else throws `ApiError`. A refused key ends the session. */
export async function send(path: string, options: Options = {}): Promise<Response> {
  const key = options.key ?? currentKey();
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
  if (key) headers.Authorization = `Bearer ${key}`;
  const init: RequestInit = { method: options.method ?? 'GET', headers };
  if (options.signal) init.signal = options.signal;
  if (options.text) {
    headers['Content-Type'] = options.text.type;
    init.body = options.text.content;
  } else if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw unreachable(cause);
  }
  if (response.ok) return response;
  if (response.status === 401 && options.key === undefined) signOut();
  throw await toApiError(response);
}

async function request<T>(path: string, options: Options = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

const get = <T>(path: string, signal?: AbortSignal) => request<T>(path, signal ? { signal } : {});
const post = <T>(path: string, body?: unknown) => request<T>(path, { method: 'POST', body: body ?? {} });
const id = encodeURIComponent;

function query(values: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** A workflow's text: JSON goes as `{spec}`, everything else as YAML. */
function specBody(text: string): Options {
  try {
    const spec: unknown = JSON.parse(text);
    return { method: 'POST', body: { spec } };
  } catch {
    return { method: 'POST', text: { content: text, type: 'text/yaml' } };
  }
}

export const api = {
  me: (key?: string) => request<MeView>('/v1/me', key ? { key } : {}),
  health: () => get<HealthSummary>('/v1/health-summary'),

  keys: () => get<Page<KeyView>>('/v1/keys?limit=100'),
  createKey: (body: CreateKeyRequest) => post<KeyView>('/v1/keys', body),
  rotateKey: (key: string) => post<KeyView>(`/v1/keys/${id(key)}/rotate`),
  revokeKey: (key: string) => request<void>(`/v1/keys/${id(key)}`, { method: 'DELETE' }),

  workflows: (cursor?: string) => get<Page<WorkflowSummary>>(`/v1/workflows${query({ limit: 50, cursor })}`),
  workflow: (name: string, version?: number) =>
    get<WorkflowView>(`/v1/workflows/${id(name)}${version === undefined ? '' : `/versions/${version}`}`),
  saveWorkflow: (text: string) => request<WorkflowView>('/v1/workflows', specBody(text)),
  validateWorkflow: (text: string) => request<ValidateView>('/v1/workflows/validate', specBody(text)),

  executions: (filter: { workflow?: string; status?: string; cursor?: string; limit?: number }) =>
    get<Page<ExecutionSummary>>(`/v1/executions${query({ limit: 30, ...filter })}`),
  startExecution: (body: StartExecutionRequest) => post<ExecutionView>('/v1/executions', body),
  execution: (execution: string) => get<ExecutionView>(`/v1/executions/${id(execution)}`),
  executionAt: (execution: string, at: number) => get<ExecutionView>(`/v1/executions/${id(execution)}/state?at=${at}`),
  items: (execution: string, step: string, filter: { visit: number; status?: string | undefined; cursor?: string | undefined }) =>
    get<Page<StepView>>(`/v1/executions/${id(execution)}/steps/${id(step)}/items${query({ limit: 50, ...filter })}`),
  timeline: (execution: string) => get<TimelineEntry[] | Page<TimelineEntry>>(`/v1/executions/${id(execution)}/timeline`).then(items),
  graph: (execution: string) => get<GraphView>(`/v1/executions/${id(execution)}/graph`),
  events: (execution: string, cursor?: string) =>
    get<Page<EventRecord>>(`/v1/executions/${id(execution)}/events${query({ limit: 200, cursor })}`),
  verify: (execution: string) => get<VerifyView>(`/v1/executions/${id(execution)}/verify`),
  pause: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/pause`),
  resume: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/resume`),
  cancel: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/cancel`),
  rollback: (execution: string, body: RollbackRequest) => post<RollbackView>(`/v1/executions/${id(execution)}/rollback`, body),

  failures: (filter: { status?: string; cursor?: string }) => get<Page<FailureSummary>>(`/v1/failures${query({ limit: 30, ...filter })}`),
  failure: (failure: string) => get<FailureView>(`/v1/failures/${id(failure)}`),
  ignoreFailure: (failure: string) => post<void>(`/v1/failures/${id(failure)}/ignore`),

  residue: (execution: string) => get<Page<ResidueView>>(`/v1/residue${query({ limit: 100, execution })}`),
  resolveResidue: (residue: string, note: string) => post<ResidueView>(`/v1/residue/${id(residue)}/resolve`, note === '' ? {} : { note }),

  reviews: (filter: { status?: string; cursor?: string }) => get<Page<ReviewView>>(`/v1/reviews${query({ limit: 30, ...filter })}`),
  decide: (review: string, body: DecideReviewRequest) => post<ReviewView>(`/v1/reviews/${id(review)}/decide`, body),
  testFix: (review: string, edits: AgentEdits) => post<TestFixView>(`/v1/reviews/${id(review)}/test`, { edits }),
};

/** A timeline is answered whole; a paged answer is read the same way. */
function items<T>(answer: T[] | Page<T>): T[] {
  return Array.isArray(answer) ? answer : answer.items;
}
