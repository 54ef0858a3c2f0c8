import { HttpResponse, type HttpHandler } from 'msw';
import type { AgentEdits, DecideReviewRequest, EventRecord, ForkRequest, JsonObject, RollbackRequest, StartExecutionRequest, WorkflowView } from '~/api/types';
import { accountHandlers } from './account-handlers';
import { missing, ok, on, paged, problem, type Request } from './answers';
import { changesBetween } from './diff';
import { checkSpec, readSpec } from './spec-check';
import { suggest } from './suggest';
import type { World } from './world';

const overview: HttpHandler[] = [
  on('get', '/analytics', (world, _, request) => {
    const search = new URL(request.url).searchParams;
    const byFailure = search.get('group_by') === 'failure_class';
    const rows: { key: string; status: string; at: string }[] = byFailure ? world.failureSummaries().map(({ class: key, status, at }) => ({ key, status, at })) : world.summaries().map(({ workflow, status, created_at }) => ({ key: search.get('group_by') === 'api_key' ? 'key_onboarding' : workflow, status, at: created_at }));
    const keys = [...new Set(rows.map(({ key }) => key))];
    const counted = (some: typeof rows) => ({ count: some.length, by_status: Object.fromEntries([...new Set(some.map(({ status }) => status))].map((status) => [status, some.filter((row) => row.status === status).length])) });
    const days = (some: typeof rows) => [...new Set(some.map(({ at }) => at.slice(0, 10)))].sort().map((day) => ({ at: `${day}T00:00:00Z`, ...counted(some.filter(({ at }) => at.startsWith(day))) }));
    const groups = keys.map((key) => { const own = rows.filter((row) => row.key === key); return { key, ...counted(own), mean_duration_ms: 2400, points: days(own) }; });
    return ok({ from: search.get('from'), to: new Date().toISOString(), group_by: search.get('group_by'), bucket: search.get('bucket'), groups });
  }),
  on('get', '/analytics/recovery', (world, _, request) => {
    const groupBy = new URL(request.url).searchParams.get('group_by') === 'failure_class' ? 'failure_class' : 'workflow';
    const keys = [...new Set(groupBy === 'workflow' ? world.summaries().map(({ workflow }) => workflow) : world.failureSummaries().map((failure) => failure.class))];
    const groups = keys.map((key) => ({ key, figures: world.recovery((group) => group[groupBy] === key, groupBy === 'workflow') })).toSorted((left, right) => right.figures.failures - left.figures.failures);
    return ok({ from: new URL(request.url).searchParams.get('from'), to: new Date().toISOString(), group_by: groupBy, total: world.recovery(() => true, groupBy === 'workflow'), groups });
  }),
  on('get', '/health-summary', (world) => ok(world.health()))];

async function specOf(request: Request): Promise<string> {
  const text = await request.text();
  return (request.headers.get('content-type') ?? '').includes('json') ? JSON.stringify((JSON.parse(text) as { spec: unknown }).spec) : text;
}

const workflows: HttpHandler[] = [
  on('get', '/workflows', (world, _, request) => paged([...world.workflows.values()].map((versions) => summaryOf(versions.at(-1)!)), request)),
  on('post', '/workflows/validate', async (_, __, request) => {
    const problems = checkSpec(await specOf(request));
    return ok({ valid: problems.every(({ severity }) => severity !== 'error'), problems });
  }),
  on('post', '/workflows/suggest', async (_, __, request) => {
    const { spec } = JSON.parse(await request.text()) as { spec: JsonObject };
    const { left, accepted } = suggest(spec, new URL(request.url).searchParams.get('accept')?.split(',') ?? []);
    return ok({ valid: true, suggestions: left, spec: accepted });
  }),
  on('post', '/workflows', async (world, _, request) => {
    const text = await specOf(request);
    const problems = checkSpec(text);
    if (problems.some(({ severity }) => severity === 'error')) return problem(422, 'SPEC_INVALID', 'The workflow has errors.', problems);
    return ok({ ...world.save(readSpec(text)), warnings: problems }, 201);
  }),
  on('get', '/workflows/:name/versions/:version', (world, { name, version }) => {
    const found = world.workflows.get(String(name))?.[Number(version) - 1];
    return found ? ok(found) : missing('version');
  }),
  on('get', '/workflows/:name', (world, { name }) => {
    const found = world.workflows.get(String(name))?.at(-1);
    return found ? ok(found) : missing('workflow');
  }),
];

function summaryOf({ name, version, description, saved_at, spec }: WorkflowView) {
  return { name, version, description, saved_at, steps: (spec.steps as unknown[]).length, agents: Object.keys((spec.agents ?? {}) as object).length };
}

const executions: HttpHandler[] = [
  on('get', '/executions', (world, _, request) => {
    const search = new URL(request.url).searchParams;
    const matches = (name: string, value: string) => !search.get(name) || search.get(name) === value;
    const words = (search.get('q') ?? '').toLowerCase().split(/\s+/).filter((word) => word !== '');
    const found = (run: { id: string; workflow: string; failure_class?: string }) => words.every((word) => `${run.id} ${run.workflow.replaceAll('-', ' ')} ${run.failure_class ?? ''}`.toLowerCase().includes(word));
    return paged(world.summaries().filter((run) => matches('status', run.status) && matches('workflow', run.workflow) && matches('failure_class', run.failure_class ?? '') && found(run)), request);
  }),
  on('post', '/executions', async (world, _, request) => {
    const { workflow, input } = (await request.json()) as StartExecutionRequest;
    if (workflow !== 'customer-onboarding') return problem(422, 'MOCK_ONLY', 'The mock server can run only customer-onboarding.');
    return ok(world.start(workflow, input ?? {}).view, 201);
  }),
  on('get', '/executions/:id', (world, { id }) => ok1(world.runs.get(String(id))?.view)),
  on('get', '/executions/:id/state', (world, { id }, request) => ok1(world.runs.get(String(id))?.states[Number(new URL(request.url).searchParams.get('at')) - 1])),
  on('get', '/executions/:id/timeline', (world, { id }, request) => {
    const run = world.runs.get(String(id));
    return run ? paged(run.timeline, request) : missing('execution');
  }),
  on('get', '/executions/:id/graph', (world, { id }) => {
    const run = world.runs.get(String(id));
    return run ? ok(world.graph(run)) : missing('execution');
  }),
  on('get', '/executions/:id/events', (world, { id }, request) => {
    const run = world.runs.get(String(id));
    return run ? paged(run.records, request) : missing('execution');
  }),
  on('get', '/executions/:id/steps', (world, { id }, request) => paged(world.runs.get(String(id))?.view.steps ?? [], request)),
  on('get', '/executions/:id/diff', (world, { id }, request) => {
    const search = new URL(request.url).searchParams;
    const state = (name: string) => world.runs.get(String(id))?.states[Number(search.get(name)) - 1];
    return ok({ from: Number(search.get('from')), to: Number(search.get('to')), changes: changesBetween(state('from') as never, state('to') as never) });
  }),
  on('post', '/executions/:id/fork', async (world, { id }, request) => {
    const { at, mode, edits, preview } = (await request.json()) as ForkRequest;
    const source = world.runs.get(String(id));
    if (!source) return missing('execution');
    const edited = Object.keys(edits?.steps ?? {})[0];
    const first = source.view.steps.findIndex(({ step }) => step === edited);
    const again = edited === undefined ? [] : source.view.steps.slice(first).map(({ step, visit }) => ({ step, visit }));
    if (preview) return ok({ from: id, at: at ?? source.view.seq, runs_again: again, repeats: [], writes: [], digest: 'mock' });
    const fork = world.start(source.view.workflow, source.view.input ?? {});
    fork.view.fork = { from: String(id), at: at ?? source.view.seq, mode: mode === 'live' ? 'live' : 'sandbox' };
    return ok(fork.view, 201);
  }),
  on('get', '/executions/:id/verify', (world, { id }) => ok({ verdict: 'identical', records: world.runs.get(String(id))?.records.length ?? 0 })),
  on('get', '/executions/:id/stream', (world, { id }, request) => stream(world, String(id), request)),
  on('post', '/executions/:id/rollback', async (world, { id }, request) => {
    const { to, scope, preview } = (await request.json()) as RollbackRequest;
    const run = world.runs.get(String(id))!;
    const from = run.view.steps.findIndex((step) => step.checkpoint === to || step.step === to);
    const after = run.view.steps.slice(from + 1);
    const affected = (scope === 'all' ? after : after.filter((step) => step.status !== 'committed')).map(({ step, visit }) => ({ step, visit }));
    const irreversible = after.flatMap((step) => step.calls).filter((call) => call.effect_kind === 'irreversible' && call.status !== 'awaiting_approval').map((call) => call.tool);
    return ok({ to, affected, compensations: [], irreversible, orphans: [], applied: !preview });
  }),
  on('post', '/executions/:id/:action', (world, { id, action }) => {
    const run = world.runs.get(String(id));
    if (!run) return missing('execution');
    if (action === 'release') {
      delete run.view.set_aside;
      world.alarms.length = 0;
      return ok(run.view);
    }
    const status = { pause: 'paused', resume: 'running', cancel: 'cancelled' }[String(action)] as 'paused' | undefined;
    if (!status) return missing('action');
    run.catchUp().append(String(action), [{ type: `execution.${status}` }], [{ kind: `execution.${status}`, severity: 'info', title: `A person chose to ${String(action)}` }], (view) => {
      view.status = status;
      if (action === 'cancel') Object.assign(view, { ended_at: run.now, open_reviews: [] });
    });
    return ok(run.view);
  }),
];

function ok1(body: unknown): Response {
  return body === undefined ? missing('execution') : ok(body);
}

/** Records after `Last-Event-ID`, then each new one as it is appended. */
function stream(world: World, id: string, request: Request): Response {
  const run = world.runs.get(id);
  if (!run) return missing('execution');
  const after = Number(request.headers.get('last-event-id') ?? 0);
  const encoder = new TextEncoder();
  let stop = () => {};
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (record: EventRecord) => controller.enqueue(encoder.encode(`event: record\nid: ${record.seq}\ndata: ${JSON.stringify(record)}\n\n`));
      controller.enqueue(encoder.encode(': open\n\n'));
      for (const record of run.records) if (record.seq > after) write(record);
      stop = run.follow(write);
    },
    cancel: () => stop(),
  });
  return new HttpResponse(body, { headers: { 'Content-Type': 'text/event-stream' } });
}

const recovery: HttpHandler[] = [
  on('get', '/failures', (world, _, request) => {
    const status = new URL(request.url).searchParams.get('status');
    return paged(world.failureSummaries().filter((failure) => !status || failure.status === status), request);
  }),
  on('get', '/failures/:id', (world, { id }) => ok1(world.failure(String(id)))),
  on('post', '/failures/:id/ignore', (world, { id }) => {
    const failure = world.failures.get(String(id));
    if (!failure) return missing('failure');
    world.failures.set(failure.id, { ...failure, status: 'ignored' });
    return new Response(null, { status: 204 });
  }),
  on('get', '/residue', (world, _, request) => {
    const search = new URL(request.url).searchParams;
    return paged(world.residue.filter((left) => (!search.get('status') || left.status === search.get('status')) && (!search.get('execution') || left.execution === search.get('execution'))), request);
  }),
  on('post', '/residue/:id/resolve', async (world, { id }, request) => {
    const { note } = (await request.json()) as { note?: string };
    const left = world.residue.find((one) => one.id === id);
    if (!left) return missing('residue');
    return ok(Object.assign(left, { status: 'resolved', resolved: { by: 'key_first', at: new Date().toISOString(), ...(note ? { note } : {}) } }));
  }),
  on('get', '/reviews', (world, _, request) => {
    const status = new URL(request.url).searchParams.get('status');
    return paged([...world.reviews.values()].filter((review) => !status || review.status === status).toSorted((left, right) => right.requested_at.localeCompare(left.requested_at)), request);
  }),
  on('post', '/reviews/:id/test', async (world, { id }, request) => {
    const review = world.reviews.get(String(id));
    const onboarding = review && world.onboardings.get(review.execution);
    if (!onboarding) return problem(409, 'NOT_TESTABLE', 'This step has no agent, so there is no edit to test.');
    const { edits } = (await request.json()) as { edits: AgentEdits };
    await new Promise((resolve) => setTimeout(resolve, 640));
    return ok(onboarding.test(edits));
  }),
  on('post', '/reviews/:id/decide', async (world, { id }, request) => {
    const review = world.reviews.get(String(id));
    if (!review) return missing('review');
    const body = (await request.json()) as DecideReviewRequest;
    if (review.status !== 'open') return problem(409, 'REVIEW_CLOSED', 'This review was already decided.');
    if (body.digest !== review.digest) return problem(409, 'DIGEST_MISMATCH', 'What was shown has changed since. Load it again.');
    const decided = { ...review, status: 'decided' as const, decided: { decision: body.decision, by: 'first key of this installation', at: new Date().toISOString(), ...(body.edits ? { edits: body.edits } : {}), ...(body.note ? { note: body.note } : {}) } };
    world.reviews.set(review.id, decided);
    settle(world, review.execution, body);
    return ok(decided);
  }),
];

function settle(world: World, execution: string, { decision, edits }: DecideReviewRequest): void {
  const onboarding = world.onboardings.get(execution);
  if (onboarding) {
    if (decision === 'edit' || decision === 'approve') {
      onboarding.decideRetry(edits, 'a person');
      setTimeout(() => world.advance(onboarding, onboarding.toEnd), 900);
    } else onboarding.decideOther(decision, 'a person');
    world.failures.set(onboarding.failure!.id, onboarding.failure!);
    return;
  }
  const run = world.runs.get(execution)!;
  run.catchUp().append('decide_review', [{ type: 'review.decided', decision }], [{ kind: 'review.decided', severity: 'info', title: `A person decided: ${decision}` }], (view) => {
    view.status = decision === 'reject' ? 'failed' : 'running';
    view.open_reviews = [];
    delete view.waiting_for;
    for (const step of view.steps) for (const call of step.calls) if (call.status === 'awaiting_approval' || call.status === 'in_doubt') call.status = decision === 'reject' ? 'refused' : 'settled';
  });
}

export const handlers: HttpHandler[] = [...accountHandlers, ...overview, ...workflows, ...executions, ...recovery];
