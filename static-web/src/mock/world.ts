import type { ExecutionSummary, FailureSummary, FailureView, GraphView, HealthAlarm, HealthSummary, ResidueView, ReviewView, WorkflowView } from '~/api/types';
import type { RecoveryFigures } from '~/api/generated';
import { graphOfSpec } from '~/model/graph';
import { groupSteps } from '~/model/trace';
import { Account } from './account';
import { Onboarding } from './onboarding';
import { fakeHash, MockRun } from './run';
import { disputed, inDoubt, timedOut, wrongTool } from './scenarios';
import { inboxSpec, migrationSpec, onboardingSpec, payoutSpec } from './specs';

const hourMs = 3_600_000;

/** All that one mock installation holds, in memory, gone on reload. */
export class World {
  readonly runs = new Map<string, MockRun>();
  readonly onboardings = new Map<string, Onboarding>();
  readonly failures = new Map<string, FailureView>();
  readonly reviews = new Map<string, ReviewView>();
  readonly workflows = new Map<string, WorkflowView[]>();
  readonly account: Account;
  readonly residue: ResidueView[] = [];
  readonly alarms: HealthAlarm[] = [];

  constructor(filled: boolean) {
    const now = Date.now();
    this.account = new Account(filled);
    this.#save(onboardingSpec, 3, now - 30 * 24 * hourMs);
    if (!filled) return;
    this.#save(inboxSpec, 1, now - 9 * 24 * hourMs);
    this.#save(payoutSpec, 2, now - 12 * 24 * hourMs);
    this.#save(migrationSpec, 5, now - 3 * 24 * hourMs);
    for (let index = 0; index < 34; index++) this.#finished(index, now - (2 + index * 3.4) * hourMs);
    for (const { run, failure, review } of [timedOut(now), disputed(now), inDoubt(now), wrongTool(now)]) {
      this.runs.set(run.view.id, run);
      if (failure) this.failures.set(failure.id, failure);
      if (review) this.reviews.set(review.id, review);
    }
    this.#paused(now - 3 * 60_000);
    this.#setAside(now - 2 * hourMs);
    const payout = [...this.runs.values()].find(({ view }) => view.workflow === 'supplier-payout')!.view;
    this.residue.push({
      id: 'res_1', status: 'open', at: new Date(now - 5 * hourMs).toISOString(), execution: payout.id, workflow: payout.workflow, effect_id: `${payout.id}/pay~1~1`, step: 'pay', visit: 1, tool: 'bank_transfer',
      arguments: { to: 'Northwind GmbH', amount: 1840, currency: 'EUR' }, idempotency_key: 'pay-1840', reason: 'compensation_failed', message: 'The bank refused to recall the transfer: the account was closed.',
    });
  }

  start(workflow: string, input: unknown): MockRun {
    const id = `exe_${fakeHash(String(Math.random())).slice(0, 20).toUpperCase()}`;
    const onboarding = new Onboarding(id, input as never, Date.now());
    this.runs.set(id, onboarding.run);
    this.onboardings.set(id, onboarding);
    this.advance(onboarding, onboarding.toFailure);
    void workflow;
    return onboarding.run;
  }

  /** Lets the run go on by itself, a little slower than the real server so that the steps can be seen. */
  advance(onboarding: Onboarding, actions: (() => void)[]): void {
    const [first, ...rest] = actions;
    if (!first) return;
    onboarding.run.catchUp();
    first();
    this.#note(onboarding);
    if (rest.length > 0) setTimeout(() => this.advance(onboarding, rest), 700);
  }

  summaries(): ExecutionSummary[] {
    return [...this.runs.values()].map(({ view }): ExecutionSummary => {
      const failure = view.failure ?? view.steps.flatMap((step) => step.failures).at(-1);
      return {
        id: view.id, workflow: view.workflow, workflow_version: view.workflow_version, status: view.status, created_at: view.created_at, updated_at: view.updated_at,
        ...(view.ended_at ? { ended_at: view.ended_at } : {}), ...(failure ? { failure_class: failure.class } : {}),
      };
    }).toSorted((left, right) => right.created_at.localeCompare(left.created_at));
  }

  failureSummaries(): FailureSummary[] {
    return [...this.failures.values()].map((failure): FailureSummary => ({
      id: failure.id, execution: failure.execution, workflow: failure.workflow, step: failure.failure.step, class: failure.failure.class, code: failure.failure.code, status: failure.status, at: failure.failure.at,
      ...(failure.status === 'resolved' ? { recovered_by: 'rollback', recovery_ms: Date.parse(this.runs.get(failure.execution)!.view.updated_at) - Date.parse(failure.failure.at) } : {}),
    })).toSorted((left, right) => right.at.localeCompare(left.at));
  }

  failure(id: string): FailureView | undefined {
    const failure = this.failures.get(id);
    if (!failure) return undefined;
    const { review: _, ...rest } = failure;
    const open = [...this.reviews.values()].find((review) => review.failure_id === id && review.status === 'open');
    return { ...rest, execution_status: this.runs.get(failure.execution)!.view.status, ...(open ? { review: open } : {}) };
  }

  health(): HealthSummary {
    const byStatus: Record<string, number> = {};
    for (const { view } of this.runs.values()) byStatus[view.status] = (byStatus[view.status] ?? 0) + 1;
    return {
      executions_by_status: byStatus, workflows: this.workflows.size, alarms: this.alarms,
      open_failures: [...this.failures.values()].filter(({ status }) => status === 'open').length, open_reviews: [...this.reviews.values()].filter(({ status }) => status === 'open').length,
    };
  }

  /** Figures of what matches. A failure's run has been past it since the run's last change: the mock keeps no other time. */
  recovery(matches: (of: { workflow: string; failure_class?: string }) => boolean, withRuns: boolean): RecoveryFigures {
    const failures = [...this.failures.values()].filter((failure) => matches({ workflow: failure.workflow, failure_class: failure.failure.class }));
    const over = failures.filter(({ status }) => status === 'resolved');
    const times = over.map((failure) => Date.parse(this.runs.get(failure.execution)!.view.updated_at) - Date.parse(failure.failure.at)).toSorted((left, right) => left - right);
    const rank = (percent: number) => times[Math.ceil((percent * times.length) / 100) - 1];
    const runs = this.summaries().filter(({ workflow }) => matches({ workflow }));
    const ended = runs.filter(({ status }) => status === 'succeeded' || status === 'failed' || status === 'cancelled');
    const succeeded = ended.filter(({ status }) => status === 'succeeded').length;
    const [p50, p99] = [rank(50), rank(99)];
    return {
      failures: failures.length, open: failures.filter(({ status }) => status === 'open').length, ignored: failures.filter(({ status }) => status === 'ignored').length, recovered: over.length,
      recovered_by: { fallback: 0, override: 0, retry: 0, rollback: over.length, skip: 0 },
      ...(p50 === undefined || p99 === undefined ? {} : { recovery_ms_p50: p50, recovery_ms_p99: p99 }),
      ...(withRuns ? { executions: runs.length, ended: ended.length, succeeded, interventions: [...this.reviews.values()].filter((review) => review.status === 'decided' && matches({ workflow: review.workflow })).length } : {}),
      ...(withRuns && ended.length > 0 ? { success_rate: succeeded / ended.length } : {}),
    };
  }

  graph(run: MockRun): GraphView {
    const spec = this.workflows.get(run.view.workflow)?.at(-1)?.spec ?? {};
    const planned = graphOfSpec(spec);
    const steps = new Map(groupSteps(run.view.steps).map((group) => [group.step, group.latest]));
    return {
      nodes: planned.nodes.map((node) => ({ ...node, status: steps.get(node.step)?.status ?? 'scheduled', visit: steps.get(node.step)?.visit ?? 1 })),
      data: run.view.steps.flatMap((step) => step.reads.map((from) => ({ from, to: { step: step.step, visit: step.visit } }))),
      ...rootOf(run, this.failures),
      edges: planned.edges.map((edge) => (steps.has(edge.to) ? { ...edge, taken: steps.get(edge.from)?.status === 'committed' } : edge)),
    };
  }

  save(spec: WorkflowView['spec']): WorkflowView {
    const name = String(spec.name);
    return this.#save(spec, (this.workflows.get(name)?.at(-1)?.version ?? 0) + 1, Date.now());
  }

  #save(spec: WorkflowView['spec'], version: number, at: number): WorkflowView {
    const name = String(spec.name);
    const make = (number: number): WorkflowView => ({ name, version: number, digest: fakeHash(name + number), saved_at: new Date(at).toISOString(), spec: { ...spec, version: number }, warnings: [], ...(typeof spec.description === 'string' ? { description: spec.description } : {}) });
    const versions = this.workflows.get(name) ?? [];
    while (versions.length < version) versions.push(make(versions.length + 1));
    this.workflows.set(name, versions);
    return versions.at(-1)!;
  }

  #note(onboarding: Onboarding): void {
    if (onboarding.failure) this.failures.set(onboarding.failure.id, onboarding.failure);
    const { review } = onboarding;
    if (review && !this.reviews.has(review.id)) this.reviews.set(review.id, review);
  }

  #paused(at: number): void {
    const onboarding = new Onboarding('exe_01JD6QK2ZC0MPANYX42', { customer_id: 'c-42', name: 'Jane Smith', email: 'jane@example.com', amount: 12000 }, at);
    for (const action of onboarding.toFailure) {
      action();
      onboarding.run.wait(action === onboarding.toFailure[3] ? 0 : 900);
    }
    this.runs.set(onboarding.run.view.id, onboarding.run);
    this.onboardings.set(onboarding.run.view.id, onboarding);
    this.#note(onboarding);
  }

  /** The host could not read a record of it: an alarm, until somebody has it read anew. */
  #setAside(at: number): void {
    const run = new MockRun('exe_01JD6SETASIDE0000001', 'crm-migration', 5, at, { batch: 'b-9' });
    run.append('start', [{ type: 'execution.started' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule('export', 'agent_task', 'exporter', { batch: 'b-9' }));
    run.view.set_aside = 'Record 2 does not hold what its hash says.';
    this.alarms.push({ code: 'execution_set_aside', detail: 'A run cannot be read: record 2 does not hold what its hash says.', execution: run.view.id, since: run.now });
    this.runs.set(run.view.id, run);
  }

  #finished(index: number, at: number): void {
    const workflow = ['inbox-cleanup', 'supplier-payout', 'crm-migration'][index % 3]!;
    const run = new MockRun(`exe_${fakeHash(`finished${index}`).slice(0, 20).toUpperCase()}`, workflow, this.workflows.get(workflow)!.at(-1)!.version, at, { batch: index });
    const names = graphOfSpec(this.workflows.get(workflow)!.at(-1)!.spec).nodes;
    run.append('start', [{ type: 'execution.started' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule(names[0]!.step, names[0]!.type, names[0]!.actor ?? '', { batch: index }));
    names.forEach((node, position) => run.wait(700 + ((index * 37) % 11) * 90).append('step_result', [{ type: 'step.committed', step: node.step }], [{ kind: 'step.committed', severity: 'success', title: `${node.step} committed`, step: node.step }], (view) => {
      run.settle(node.step, 'committed', { ok: true, batch: index }, node.checkpoint);
      const next = names[position + 1];
      if (next) return run.schedule(next.step, next.type, next.actor ?? '', { batch: index }, [node.step])(view);
      view.status = index === 7 ? 'cancelled' : 'succeeded';
      view.ended_at = run.now;
      view.output = { [node.step]: { ok: true } };
    }));
    this.runs.set(run.view.id, run);
  }
}

/** The root cause of the newest failure of a run, where its page names one. */
function rootOf(run: MockRun, failures: Map<string, FailureView>): { root_cause?: NonNullable<FailureView['root_cause']> } {
  const failure = run.view.failure_id ? failures.get(run.view.failure_id) : undefined;
  return failure?.root_cause ? { root_cause: failure.root_cause } : {};
}
