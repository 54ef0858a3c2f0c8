import { toApiError, unreachable } from './errors';
import { currentCredential, signInPerson, signOut, storedPerson } from './session';
import type { AnalyticsView, RecoveryView, SuggestView } from './generated';
import type {
  DecideReviewRequest, DiffView, EventRecord, ExecutionSummary, ExecutionView, FailureSummary, FailureView, ForkPreviewView, ForkRequest, GraphView,
  HealthSummary, JsonObject, MeView, Page, ResidueView, RetryRequest, ReviewView, RollbackRequest, RollbackView, StartExecutionRequest, StepView, TestFixView,
  TimelineEntry, ValidateView, VerifyView, WorkflowSummary, WorkflowView, AgentEdits,
} from './types';

export interface Options {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  /** Sent as it is, with its content type, instead of `body`. */
  text?: { content: string; type: string };
  /** Used instead of the session's key: to validate a key before it is kept. */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** One request; the raw answer if it is a success, else throws `ApiError`. A refused key, or a session that cannot be renewed, ends the session. */
export async function send(path: string, options: Options = {}): Promise<Response> {
  const used = currentCredential();
  let response = await attemptOnce(path, options);
  if (response.status === 401 && options.key === undefined && used?.kind === 'person' && (await renew(used.renewedAt))) response = await attemptOnce(path, options);
  if (response.ok) return response;
  if (response.status === 401 && options.key === undefined && !isAboutSigningIn(path)) signOut();
  throw await toApiError(response);
}

/** A wrong password says nothing about the session one has. */
const isAboutSigningIn = (path: string) => path.startsWith('/v1/auth/');

async function attemptOnce(path: string, options: Options): Promise<Response> {
  const credential = currentCredential();
  const method = options.method ?? 'GET';
  const headers: Record<string, string> = { Accept: 'application/json', ...options.headers };
  const key = options.key ?? (credential?.kind === 'key' ? credential.key : undefined);
  if (key) headers.Authorization = `Bearer ${key}`;
  else if (credential?.kind === 'person' && method !== 'GET') headers['Omium-Csrf'] = credential.csrf;
  const init: RequestInit = { method, headers };
  if (options.signal) init.signal = options.signal;
  if (options.text) {
    headers['Content-Type'] = options.text.type;
    init.body = options.text.content;
  } else if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw unreachable(cause);
  }
}

let renewing: Promise<boolean> | undefined;

/** A refresh token is good once: requests of this tab share one renewal, tabs take turns, and none renews what another has just renewed. */
function renew(used: number): Promise<boolean> {
  renewing ??= renewOnce(used).finally(() => { renewing = undefined; });
  return renewing;
}

async function renewOnce(used: number): Promise<boolean> {
  const renewNow = async () => {
    const stored = storedPerson();
    if (stored === null) return false;
    if (stored.renewedAt !== used) return true;
    const response = await fetch('/v1/auth/refresh', { method: 'POST', headers: { 'Omium-Csrf': stored.csrf } });
    if (!response.ok) return false;
    const { csrf } = (await response.json()) as { csrf?: string };
    if (csrf) signInPerson(csrf, true);
    return csrf !== undefined;
  };
  try {
    const locks = (globalThis.navigator as Navigator | undefined)?.locks as LockManager | undefined;
    return await (locks ? locks.request('omium.session', renewNow) : renewNow());
  } catch {
    return false;
  }
}

export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const response = await send(path, options);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>(path, signal ? { signal } : {});
export const post = <T>(path: string, body?: unknown) => request<T>(path, { method: 'POST', body: body ?? {} });
export const id = encodeURIComponent;

export function query(values: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== '') search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** A workflow's text: JSON goes as `{spec}`, everything else as YAML. */
export function specBody(text: string): Options {
  try {
    const spec: unknown = JSON.parse(text);
    return { method: 'POST', body: { spec } };
  } catch {
    return { method: 'POST', text: { content: text, type: 'text/yaml' } };
  }
}

export interface ExecutionFilter {
  workflow?: string | undefined;
  status?: string | undefined;
  failure_class?: string | undefined;
  q?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export const api = {
  me: (key?: string) => request<MeView>('/v1/me', key ? { key } : {}),
  health: () => get<HealthSummary>('/v1/health-summary'),


  workflows: (cursor?: string) => get<Page<WorkflowSummary>>(`/v1/workflows${query({ limit: 50, cursor })}`),
  workflow: (name: string, version?: number) =>
    get<WorkflowView>(`/v1/workflows/${id(name)}${version === undefined ? '' : `/versions/${version}`}`),
  saveWorkflow: (text: string) => request<WorkflowView>('/v1/workflows', specBody(text)),
  suggest: (spec: JsonObject, accept?: string) => post<SuggestView>(`/v1/workflows/suggest${query({ accept })}`, { spec }),
  validateWorkflow: (text: string) => request<ValidateView>('/v1/workflows/validate', specBody(text)),

  executions: (filter: ExecutionFilter & { cursor?: string | undefined; limit?: number }) =>
    get<Page<ExecutionSummary>>(`/v1/executions${query({ limit: 30, ...filter })}`),
  startExecution: (body: StartExecutionRequest) => post<ExecutionView>('/v1/executions', body),
  execution: (execution: string) => get<ExecutionView>(`/v1/executions/${id(execution)}`),
  executionAt: (execution: string, at: number) => get<ExecutionView>(`/v1/executions/${id(execution)}/state?at=${at}`),
  items: (execution: string, step: string, filter: { visit: number; status?: string | undefined; cursor?: string | undefined }) =>
    get<Page<StepView>>(`/v1/executions/${id(execution)}/steps/${id(step)}/items${query({ limit: 50, ...filter })}`),
  timeline: (execution: string) => pages<TimelineEntry>((cursor) => `/v1/executions/${id(execution)}/timeline${query({ limit: 5_000, cursor })}`, 2),
  steps: (execution: string, cursor?: string) => get<Page<StepView>>(`/v1/executions/${id(execution)}/steps${query({ limit: 1_000, cursor })}`),
  diff: (execution: string, from: number, to: number) => get<DiffView>(`/v1/executions/${id(execution)}/diff${query({ from, to })}`),
  previewFork: (execution: string, body: ForkRequest) => post<ForkPreviewView>(`/v1/executions/${id(execution)}/fork`, { ...body, preview: true }),
  fork: (execution: string, body: ForkRequest) => post<ExecutionView>(`/v1/executions/${id(execution)}/fork`, body),
  retry: (execution: string, body: RetryRequest) => post<ExecutionView>(`/v1/executions/${id(execution)}/retry`, body),
  graph: (execution: string) => get<GraphView>(`/v1/executions/${id(execution)}/graph`),
  events: (execution: string, cursor?: string) =>
    get<Page<EventRecord>>(`/v1/executions/${id(execution)}/events${query({ limit: 200, cursor })}`),
  verify: (execution: string) => get<VerifyView>(`/v1/executions/${id(execution)}/verify`),
  pause: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/pause`),
  resume: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/resume`),
  /** Reads a run that was set aside anew; it goes on. */
  release: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/release`),
  cancel: (execution: string) => post<ExecutionView>(`/v1/executions/${id(execution)}/cancel`),
  rollback: (execution: string, body: RollbackRequest) => post<RollbackView>(`/v1/executions/${id(execution)}/rollback`, body),

  analytics: (filter: { group_by: string; bucket: string; from: string }) => get<AnalyticsView>(`/v1/analytics${query(filter)}`),
  recovery: (filter: { group_by: string; from: string }) => get<RecoveryView>(`/v1/analytics/recovery${query(filter)}`),

  failures: (filter: { status?: string | undefined; cursor?: string | undefined }) => get<Page<FailureSummary>>(`/v1/failures${query({ limit: 30, ...filter })}`),
  failure: (failure: string) => get<FailureView>(`/v1/failures/${id(failure)}`),
  ignoreFailure: (failure: string) => post<void>(`/v1/failures/${id(failure)}/ignore`),

  residue: (execution: string) => get<Page<ResidueView>>(`/v1/residue${query({ limit: 100, execution })}`),
  allResidue: (status?: string, cursor?: string) => get<Page<ResidueView>>(`/v1/residue${query({ limit: 50, status, cursor })}`),
  resolveResidue: (residue: string, note: string) => post<ResidueView>(`/v1/residue/${id(residue)}/resolve`, note === '' ? {} : { note }),

  reviews: (filter: { status?: string | undefined; cursor?: string | undefined }) => get<Page<ReviewView>>(`/v1/reviews${query({ limit: 30, ...filter })}`),
  decide: (review: string, body: DecideReviewRequest) => post<ReviewView>(`/v1/reviews/${id(review)}/decide`, body),
  testFix: (review: string, edits: AgentEdits) => post<TestFixView>(`/v1/reviews/${id(review)}/test`, { edits }),
};

/** Every page of a listing, up to a number of them that a person may still want to scroll through. */
export async function pages<T>(path: (cursor?: string) => string, pagesMax = 10): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const answer = await get<Page<T> | T[]>(path(cursor));
    if (Array.isArray(answer)) return answer;
    all.push(...answer.items);
    if (!answer.next_cursor) break;
    cursor = answer.next_cursor;
  }
  return all;
}
