import type { FailureView, ReviewView, StepFailure } from '~/api/types';
import { fakeHash, MockRun } from './run';

export interface Scenario {
  run: MockRun;
  failure?: FailureView;
  review?: ReviewView;
}

const minuteMs = 60_000;

function review(run: MockRun, kind: ReviewView['kind'], step: string, decisions: ReviewView['decisions'], shown: ReviewView['shown']): ReviewView {
  const id = `rev_${run.view.id.slice(4)}`;
  return { id, execution: run.view.id, workflow: run.view.workflow, kind, status: 'open', step, visit: 1, decisions, allowed_edits: [], forbidden_edits: [], digest: fakeHash(id), shown, proposals: [], requested_at: run.now };
}

/** S06: the agent picked the destructive tool; the call waits with its arguments. */
export function wrongTool(now: number): Scenario {
  const run = new MockRun('exe_01JD6Q3M8WRONGT00L', 'inbox-cleanup', 1, now - 26 * minuteMs, { mailbox: 'support@example.com' });
  run.append('start', [{ type: 'execution.started' }, { type: 'step.scheduled', step: 'read' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule('read', 'tool_call', 'list_messages', { since: '24h' }));
  run.wait(420).append('step_result', [{ type: 'step.committed', step: 'read' }, { type: 'step.scheduled', step: 'sort' }], [{ kind: 'step.committed', severity: 'success', title: 'read committed', step: 'read' }], (view) => {
    run.settle('read', 'committed', { messages: 128, unread: 14 }, 'read');
    run.schedule('sort', 'agent_task', 'sorter', { messages: 128 }, ['read'])(view);
  });
  const asked = { tool: 'delete_email', arguments: { mailbox: 'support@example.com', folder: 'Handled', older_than: '24h', count: 114 } };
  const open = review(run.wait(2_100), 'call_approval', 'sort', ['approve', 'reject'], asked);
  run.append('step_result', [{ type: 'call.requested', tool: 'delete_email' }, { type: 'review.requested', review: open.id, kind: 'call_approval' }], [{ kind: 'call.requested', severity: 'warning', title: 'sort asks to call delete_email, which cannot be undone', step: 'sort' }], (view) => {
    const step = run.step('sort');
    step.status = 'waiting';
    step.calls.push({ effect_id: `${view.id}/sort~1~1~1`, tool: 'delete_email', status: 'awaiting_approval', effect_kind: 'irreversible', arguments: asked.arguments });
    view.status = 'waiting';
    view.waiting_for = 'review';
    view.open_reviews = [open.id];
  });
  return { run, review: open };
}

/** S05: the payment went out, and its answer was lost. */
export function inDoubt(now: number): Scenario {
  const run = new MockRun('exe_01JD6P0B7PAY1ND0UBT', 'supplier-payout', 2, now - 95 * minuteMs, { invoice: 'INV-2210', amount: 4180 });
  run.append('start', [{ type: 'execution.started' }, { type: 'step.scheduled', step: 'check' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule('check', 'agent_task', 'checker', { invoice: 'INV-2210' }));
  run.wait(1_900).append('step_result', [{ type: 'step.committed', step: 'check' }, { type: 'step.scheduled', step: 'approve' }], [{ kind: 'step.committed', severity: 'success', title: 'check committed', step: 'check' }], (view) => {
    run.settle('check', 'committed', { matches_order: true, amount: 4180 }, 'checked');
    run.schedule('approve', 'human_approval', 'finance', { amount: 4180 }, ['check'])(view);
  });
  run.wait(8 * minuteMs).append('decide_review', [{ type: 'review.decided', decision: 'approve' }, { type: 'step.scheduled', step: 'pay' }], [{ kind: 'review.decided', severity: 'success', title: 'Finance approved 4,180', step: 'approve' }], (view) => {
    run.settle('approve', 'committed', { approved_by: 'finance' }, 'approved');
    run.schedule('pay', 'tool_call', 'bank_transfer', { iban: 'DE02…7712', amount: 4180 }, ['check', 'approve'])(view);
  });
  const effect = `${run.view.id}/pay~1~1`;
  run.wait(6).append('record_intent', [{ type: 'intent.recorded', effect }], [{ kind: 'intent.recorded', severity: 'info', title: 'bank_transfer is about to be sent, once', step: 'pay' }], () => {
    run.step('pay').calls.push({ effect_id: effect, tool: 'bank_transfer', status: 'intent', effect_kind: 'irreversible', arguments: { iban: 'DE02…7712', amount: 4180, reference: 'INV-2210' } });
  });
  const open = review(run.wait(35_000), 'in_doubt', 'pay', ['done', 'redo'], { tool: 'bank_transfer', arguments: { iban: 'DE02…7712', amount: 4180, reference: 'INV-2210' } });
  run.append('in_doubt', [{ type: 'intent.in_doubt', effect, reason: 'no result was recorded' }, { type: 'review.requested', review: open.id, kind: 'in_doubt' }], [{ kind: 'intent.in_doubt', severity: 'warning', title: 'bank_transfer is in doubt: it was sent, and no answer was recorded', step: 'pay' }], (view) => {
    run.step('pay').status = 'in_doubt';
    run.step('pay').calls[0]!.status = 'in_doubt';
    view.status = 'paused';
    view.waiting_for = 'review';
    view.open_reviews = [open.id];
  });
  return { run, review: open };
}

/** S08: one says 100, the other holds 47. */
export function disputed(now: number): Scenario {
  const run = new MockRun('exe_01JD6K5R2D1SPUTED47', 'crm-migration', 5, now - 4 * 60 * minuteMs, { source: 'crm-a', target: 'crm-b' });
  run.append('start', [{ type: 'execution.started' }, { type: 'step.scheduled', step: 'export' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule('export', 'agent_task', 'exporter', { source: 'crm-a' }));
  run.wait(3_400).append('step_result', [{ type: 'step.committed', step: 'export' }, { type: 'handoff.proposed', to: 'load' }], [{ kind: 'step.committed', severity: 'success', title: 'export committed', step: 'export' }], (view) => {
    run.settle('export', 'committed', { record_count: 100, batch: 'b-7' }, 'exported');
    run.schedule('load', 'worker', 'loader', { batch: 'b-7' }, ['export'])(view);
  });
  const failure: StepFailure = {
    step: 'load', visit: 1, attempt: 1, class: 'handoff_disputed', code: 'records', message: 'export says 100 records; load holds 47.', fingerprint: fakeHash('crm/load').slice(0, 16), at: run.wait(210).now,
    expected: 'handoff.records.said == handoff.records.seen', actual: { 'records.said': 100, 'records.seen': 47 },
  };
  const open = review(run, 'failure', 'load', ['approve', 'rollback', 'reject'], { message: failure.message });
  open.failure_id = `${run.view.id}.load.1.1`;
  run.append('handoff_result', [{ type: 'handoff.disputed', claim: 'records', said: 100, seen: 47 }, { type: 'execution.paused' }, { type: 'review.requested', review: open.id }], [{ kind: 'handoff.disputed', severity: 'error', title: 'The handoff is disputed: 100 said, 47 seen', step: 'load' }, { kind: 'execution.paused', severity: 'warning', title: 'Paused for a person to decide' }], (view) => {
    run.settle('load', 'failed');
    run.step('load').failures.push(failure);
    Object.assign(view, { status: 'paused', waiting_for: 'review', open_reviews: [open.id], failure, failure_id: open.failure_id });
  });
  return {
    run, review: open,
    failure: {
      id: open.failure_id, execution: run.view.id, execution_status: 'paused', workflow: run.view.workflow, status: 'open', failure, group: 'inter_agent_misalignment', actor: 'loader', input: { batch: 'b-7' }, guards: [],
      automatic_actions: [{ seq: 3, at: failure.at, kind: 'handoff.disputed', severity: 'error', title: 'Stopped the handoff before load began' }, { seq: 3, at: new Date(Date.parse(failure.at) + 12).toISOString(), kind: 'execution.paused', severity: 'warning', title: 'Paused the run and asked for a person' }],
      dependency_chain: [{ step: 'export', visit: 1, actor: 'exporter', status: 'committed', output: { record_count: 100, batch: 'b-7' }, reads: [] }, { step: 'load', visit: 1, actor: 'loader', status: 'failed', reads: [{ step: 'export', visit: 1 }] }],
      root_cause: { step: 'export', visit: 1, explanation: 'export states 100 records; the batch it handed over holds 47. The sender counted before its filter.', trail: [] },
      suggested_fixes: [{ kind: 'retry', title: 'Mend the source, then retry', detail: 'The handoff is repeated: both must agree before load begins.' }],
      checkpoints: [{ name: 'exported', step: 'export', visit: 1, at: run.step('export').settled_at! }], review: open, detection_to_paused_ms: 12,
    },
  };
}

/** A tool that did not answer, three attempts, then the end; and short finished runs for the lists. */
export function timedOut(now: number): Scenario {
  const run = new MockRun('exe_01JD5Z9T4T1MED0VTXX', 'inbox-cleanup', 1, now - 26 * 60 * minuteMs, { mailbox: 'sales@example.com' });
  run.append('start', [{ type: 'execution.started' }, { type: 'step.scheduled', step: 'read' }], [{ kind: 'execution.started', severity: 'info', title: 'Started' }], run.schedule('read', 'tool_call', 'list_messages', { since: '24h' }));
  for (let attempt = 1; attempt <= 3; attempt++) {
    const failure: StepFailure = { step: 'read', visit: 1, attempt, class: 'timeout', code: 'timeout', message: 'list_messages did not answer within 30 s.', fingerprint: 'f1', at: run.wait(30_000).now };
    run.append('step_result', [{ type: 'step.failed', step: 'read', class: 'timeout' }, { type: attempt < 3 ? 'retry.scheduled' : 'execution.failed' }], [{ kind: 'step.failed', severity: 'error', title: `read, attempt ${attempt}: no answer within 30 s`, step: 'read' }], (view) => {
      const step = run.step('read');
      step.failures.push(failure);
      step.attempt = attempt;
      if (attempt < 3) return;
      run.settle('read', 'failed');
      Object.assign(view, { status: 'failed', ended_at: run.now, failure, failure_id: `${view.id}.read.1.3` });
    });
  }
  const failure = run.view.failure!;
  return {
    run,
    failure: { id: run.view.failure_id!, execution: run.view.id, execution_status: 'failed', workflow: run.view.workflow, status: 'open', failure, group: 'operations', actor: 'list_messages', input: { since: '24h' }, guards: [], automatic_actions: run.timeline.slice(1), dependency_chain: [], suggested_fixes: [{ kind: 'tool', title: 'Look at list_messages', detail: 'It failed the same way three times; another attempt is unlikely to help before it answers again.' }], checkpoints: [] },
  };
}
