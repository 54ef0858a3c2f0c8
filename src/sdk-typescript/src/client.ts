/** The API as calls: `Client`. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExecutionFailed, NeedsPerson, TimedOut } from './errors.js';
import type {
  EventRecord, ExecutionSummary, ExecutionView, FailureSummary, FailureView, ImportView, Json, MeView, Operations, PolicyView, ReviewView, RollbackView, SuggestView, TimelineEntry, ValidateView, VerifyView,
  WorkflowSummary, WorkflowView,
} from './generated.js';
import { follow, type StreamOptions, type StreamEvent } from './stream.js';
import { Transport, type Answer, type Connection } from './transport.js';
import { plain } from './values.js';

const READ_PATIENCE_MS = 2_000;
const PAGE = 50;
const WAIT_MS = 20;
const WAIT_MS_MAX = 500;

type Query<Name extends keyof Operations> = Operations[Name] extends { query: infer Asked } ? Omit<Asked, 'cursor' | 'limit'> & { limit?: number } : never;
type Page<Item> = { items: Item[]; next_cursor?: string };

/** What is only done when what stands there is what was read: an ETag, or `'*'` for what is not there yet (`none`). */
export interface Conditions {
  /** Only while it is the one of this ETag; else Changed is thrown. */
  ifMatch?: string;
  /** `'*'`: only when there is none yet. */
  ifNoneMatch?: string;
}

export interface StartOptions {
  version?: number;
  /** The same key starts once, for ever. */
  startKey?: string;
}

/** A workflow or policy with its ETag: send it as `ifMatch` with the change. */
export interface Tagged<T> {
  value: T;
  etag: string;
}

/**
 * The API of a server. What is not given is looked for in OMIUM_BASE_URL and OMIUM_API_KEY, then in the configuration file, then at `omium dev` on this machine.
 * Errors are OmiumError; their text is one line that says what to do. Requests that create carry an Idempotency-Key and are sent again while nothing answers.
 */
export class Client {
  readonly #transport: Transport;

  constructor(connection: Connection = {}) {
    this.#transport = new Transport(connection);
  }

  /** The server's address. */
  get url(): string {
    return this.#transport.settings.url;
  }

  /** Any request: `client.request('GET', '/v1/me')`. */
  async request<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    return await this.#transport.request<T>(method, path, body);
  }

  /** Tenant, credits and environment of the key. */
  async me(): Promise<MeView> {
    return await this.#get('/v1/me');
  }

  // ---- workflows ----------------------------------------------------------------------------------------------------

  /** Saves a workflow as its next version. */
  async saveWorkflow(spec: unknown, conditions: Conditions = {}): Promise<Tagged<WorkflowView>> {
    return tagged(await this.#create<WorkflowView>('POST', '/v1/workflows', { spec }, conditions));
  }

  /** The newest version of a workflow; undefined when it is still the one of the ETag `unlessMatch`. */
  async workflow(name: string, unlessMatch?: string): Promise<Tagged<WorkflowView> | undefined> {
    return await this.#tagged(`/v1/workflows/${encodeURIComponent(name)}`, unlessMatch);
  }

  /** Saved workflows. */
  workflows(query: Query<'list_workflows'> = {}): AsyncGenerator<WorkflowSummary> {
    return this.#pages('/v1/workflows', query);
  }

  /** Every finding of the static checks. */
  async validateWorkflow(spec: unknown): Promise<ValidateView> {
    return await this.#post('/v1/workflows/validate', { spec });
  }

  /** Checkpoints, guards and rules that are proposed for a workflow. */
  async suggest(spec: unknown): Promise<SuggestView> {
    return await this.#post('/v1/workflows/suggest', { spec });
  }

  /** Saves what an adapter exported, and says which agents were found and what would make it safer. A trial saves nothing. */
  async importWorkflow(spec: { source_framework: string }, trial = false): Promise<ImportView> {
    return await this.#post('/v1/workflows/import', { source_framework: spec.source_framework, spec, trial });
  }

  /** The tenant's recovery policy; undefined when it is still the one of the ETag `unlessMatch`. */
  async policy(unlessMatch?: string): Promise<Tagged<PolicyView> | undefined> {
    return await this.#tagged('/v1/policies', unlessMatch);
  }

  // ---- executions ---------------------------------------------------------------------------------------------------

  /** Starts a workflow. With a startKey it starts once, however often it is asked. */
  async start(workflow: string, input?: unknown, { version, startKey }: StartOptions = {}): Promise<ExecutionView> {
    return await this.#post('/v1/executions', { workflow, version, start_key: startKey, input: input === undefined ? undefined : plain(input, 'the input') });
  }

  /** Executions, newest first; at most `limit`. */
  executions(query: Query<'list_executions'> = {}): AsyncGenerator<ExecutionSummary> {
    return this.#pages('/v1/executions', query);
  }

  /** One execution. */
  async execution(id: string): Promise<ExecutionView> {
    return await this.#get(execution(id));
  }

  /** Its records, oldest first. */
  events(id: string, query: Query<'list_events'> = {}): AsyncGenerator<EventRecord> {
    return this.#pages(`${execution(id)}/events`, query);
  }

  /** What happened, in sentences. */
  timeline(id: string, query: Query<'get_timeline'> = {}): AsyncGenerator<TimelineEntry> {
    return this.#pages(`${execution(id)}/timeline`, query);
  }

  /** What happens, as it happens: records and pieces of models' answers. Goes on by itself after a break, with every record once and in order; ends with the execution, or with `signal`. */
  stream(id: string, options: StreamOptions = {}): AsyncGenerator<StreamEvent> {
    return follow(this.#transport, execution(id), options);
  }

  /** Proves the log of an execution: identical, consistent, erased or corrupt. */
  async verify(id: string): Promise<VerifyView> {
    return await this.#get(`${execution(id)}/verify`);
  }

  /** Begins nothing new. */
  async pause(id: string, reason?: string): Promise<ExecutionView> {
    return await this.#post(`${execution(id)}/pause`, { reason });
  }

  /** Goes on. */
  async resume(id: string): Promise<ExecutionView> {
    return await this.#post(`${execution(id)}/resume`);
  }

  /** Ends an execution; what was done stays done. */
  async cancel(id: string): Promise<ExecutionView> {
    return await this.#post(`${execution(id)}/cancel`);
  }

  /** Takes back what came after a checkpoint or step. A preview says what that would be. */
  async rollback(id: string, to: string, options: { scope?: 'failure' | 'all'; preview?: boolean } = {}): Promise<RollbackView> {
    return await this.#post(`${execution(id)}/rollback`, { to, scope: options.scope ?? 'failure', preview: options.preview ?? false });
  }

  /** Runs again what failed, from its last checkpoint or the one named. */
  async retry(id: string, from?: string): Promise<ExecutionView> {
    return await this.#post(`${execution(id)}/retry`, { from });
  }

  /** The execution, once it has ended or waits for a person. Throws TimedOut; it goes on. */
  async wait(id: string, options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<ExecutionView> {
    const until = performance.now() + (options.timeoutMs ?? Infinity);
    for (let waitMs = WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, WAIT_MS_MAX)) {
      const found = await this.execution(id);
      if (['succeeded', 'failed', 'cancelled', 'paused'].includes(found.status) || found.waiting_for === 'review') return found;
      if (performance.now() >= until) throw new TimedOut(`${id} is ${found.status} after ${options.timeoutMs} ms; it goes on, look at it with 'omium show ${id}'`);
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }

  /** Starts a workflow and waits for its output. Throws ExecutionFailed, or NeedsPerson when somebody has to decide first. */
  async runWorkflow(workflow: string, input?: unknown, options: StartOptions & { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Json | undefined> {
    const found = await this.wait((await this.start(workflow, input, options)).id, options);
    if (found.status === 'succeeded') return found.output;
    if (found.status === 'failed' || found.status === 'cancelled') {
      throw new ExecutionFailed(`${workflow} (${found.id}) ${found.status}: ${found.failure?.message ?? found.status}`, found);
    }
    throw new NeedsPerson(`${workflow} (${found.id}) waits for a person: decide it with 'omium approve ${found.id}'`, found.open_reviews[0]);
  }

  // ---- people -------------------------------------------------------------------------------------------------------

  /** What waits for a person. */
  reviews(query: Query<'list_reviews'> = { status: 'open' }): AsyncGenerator<ReviewView> {
    return this.#pages('/v1/reviews', query);
  }

  /** Decides a review as it was read: approve, reject, done, redo, ... A rollback leaves what nothing can undo only with `accept_residue: true`. */
  async decide(review: Pick<ReviewView, 'id' | 'digest'>, decision: string, options: { note?: string; output?: unknown; edits?: unknown; accept_residue?: boolean } = {}): Promise<ReviewView> {
    return await this.#post(`/v1/reviews/${encodeURIComponent(review.id)}/decide`, { decision, digest: review.digest, ...options });
  }

  /** Failures, newest first. */
  failures(query: Query<'list_failures'> = {}): AsyncGenerator<FailureSummary> {
    return this.#pages('/v1/failures', query);
  }

  /** A failure with its checkpoints, dependency chain, root cause and suggested fixes. */
  async failure(id: string): Promise<FailureView> {
    return await this.#get(`/v1/failures/${encodeURIComponent(id)}`);
  }

  // ---- requests -----------------------------------------------------------------------------------------------------

  async #get<T>(path: string): Promise<T> {
    return await this.#transport.request<T>('GET', path, undefined, { patienceMs: READ_PATIENCE_MS });
  }

  async #post<T>(path: string, body?: unknown): Promise<T> {
    return (await this.#create<T>('POST', path, body)).value;
  }

  /** Sent again while nothing answers: the key makes of it one request. */
  async #create<T>(method: string, path: string, body?: unknown, conditions: Conditions = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = { 'Idempotency-Key': randomUUID() };
    if (conditions.ifMatch !== undefined) headers['If-Match'] = conditions.ifMatch;
    if (conditions.ifNoneMatch !== undefined) headers['If-None-Match'] = conditions.ifNoneMatch;
    return await this.#transport.exchange<T>(method, path, body, { headers, patienceMs: READ_PATIENCE_MS });
  }

  async #tagged<T>(path: string, unlessMatch: string | undefined): Promise<Tagged<T> | undefined> {
    const headers: Record<string, string> = unlessMatch === undefined ? {} : { 'If-None-Match': unlessMatch };
    const answer = await this.#transport.exchange<T>('GET', path, undefined, { headers, patienceMs: READ_PATIENCE_MS });
    return answer.status === 304 ? undefined : tagged(answer);
  }

  async *#pages<Item>(path: string, query: Record<string, unknown>): AsyncGenerator<Item> {
    let left = query.limit === undefined ? Infinity : Number(query.limit);
    let cursor: string | undefined;
    while (left > 0) {
      const asked = Object.entries({ ...query, limit: Math.min(PAGE, left), cursor }).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
      const page: Page<Item> = await this.#get(`${path}?${new URLSearchParams(asked as [string, string][])}`);
      yield* page.items;
      left -= page.items.length;
      cursor = page.next_cursor;
      if (cursor === undefined) return;
    }
  }
}

/** Starts a saved workflow and waits for its output, with a client made for the call. */
export async function runWorkflow(workflow: string, input?: unknown, options: StartOptions & Connection & { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<Json | undefined> {
  const { url, apiKey, fetch, ...rest } = options;
  return await new Client({ url, apiKey, fetch }).runWorkflow(workflow, input, rest);
}

const execution = (id: string): string => `/v1/executions/${encodeURIComponent(id)}`;

function tagged<T>(answer: Answer<T>): Tagged<T> {
  return { value: answer.value, etag: answer.etag ?? '' };
}
