import type { AgentEdits, AgentView, ExecutionView, FailureView, GuardResult, Json, JsonObject, ReviewView, StepFailure, TestFixView } from '~/api/types';
import { fakeHash, MockRun } from './run';

export const termsAgent: AgentView = {
  id: 'terms',
  role: 'Terms writer',
  goal: 'Loan terms that follow the pricing policy',
  model: 'scripted-demo',
  prompt: 'Generate customer terms based on the credit score and the risk level.\n\nCredit score: ${{ steps.score.output.credit_score }}\nRisk level: ${{ steps.score.output.risk_level }}\n\nAnswer as JSON with apr and term_months.',
  constraints: ['Write the terms in plain English.'],
  tools: [],
};

const mended = 'APR must be between 2.5 % and 8.5 %.\nIf the risk level is low, use 2.5 % to 5.5 %.\nNever use 0 % APR.';
const check = 'output.apr >= 2.5 && output.apr <= 8.5';
const guardMessage = 'APR must be between 2.5 % and 8.5 %.';

const aprGuard = (apr: number): GuardResult => ({ phase: 'post', check, code: 'hallucination', message: guardMessage, passed: apr >= 2.5 && apr <= 8.5, actual: { 'output.apr': apr } });
const termGuard: GuardResult = { phase: 'post', check: 'output.term_months in [12, 24, 36, 48]', code: 'policy_violation', message: 'The term is one that is offered.', passed: true, actual: { 'output.term_months': 36 } };

/** Company X onboards a customer: the terms agent answers 0 % APR, which the mock server catches as the real one would. */
export class Onboarding {
  readonly run: MockRun;
  failure: FailureView | undefined;
  review: ReviewView | undefined;

  constructor(id: string, input: Json, startedAt: number) {
    this.run = new MockRun(id, 'customer-onboarding', 3, startedAt, input);
  }

  /** Each call appends the next records; false when the run waits for a person or has ended. */
  readonly toFailure = [
    () => this.#begin(),
    () => this.#commit('kyc', { kyc_verified: true, customer_name: 'Jane Smith', documents: 2 }, 'kyc_doc_validated', ['score', 'score', { kyc_verified: true, amount: 12000 }, ['kyc']]),
    () => this.#commit('score', { credit_score: 750, risk_level: 'low' }, 'credit_scored', ['terms', 'terms', { credit_score: 750, risk_level: 'low' }, ['score', 'kyc']]),
    () => this.#fail(),
    () => this.#rollBack(),
    () => this.#pause(),
  ];
  readonly toEnd = [
    () => this.#commitTerms(),
    () => this.#intent(),
    () => this.#finish(),
  ];

  #begin(): void {
    this.run.append('start', [{ type: 'execution.started', workflow: 'customer-onboarding', version: 3 }, { type: 'step.scheduled', step: 'kyc', visit: 1, attempt: 1 }],
      [{ kind: 'execution.started', severity: 'info', title: 'Started by an API key' }, { kind: 'step.scheduled', severity: 'info', title: 'kyc begins', step: 'kyc' }],
      this.run.schedule('kyc', 'agent_task', 'kyc', this.run.view.input ?? {}));
  }

  #commit(step: string, output: JsonObject, checkpoint: string, next: [string, string, Json, string[]]): void {
    this.run.append('step_result', [{ type: 'model.answered', step, visit: 1, attempt: 1, turn: 1, input_tokens: 412, output_tokens: 38 }, { type: 'step.committed', step, visit: 1 }, { type: 'checkpoint.committed', name: checkpoint, step, visit: 1 }, { type: 'step.scheduled', step: next[0], visit: 1, attempt: 1 }],
      [{ kind: 'checkpoint.committed', severity: 'success', title: `${step} committed, checkpoint ${checkpoint}`, step }, { kind: 'step.scheduled', severity: 'info', title: `${next[0]} begins`, step: next[0] }],
      (view) => {
        this.run.settle(step, 'committed', output, checkpoint);
        this.run.schedule(next[0], 'agent_task', next[1], next[2], next[3])(view);
      });
  }

  #fail(): void {
    const failure: StepFailure = {
      step: 'terms', visit: 1, attempt: 1, class: 'hallucination', code: 'hallucination', message: 'The terms agent answered an APR of 0 %.',
      fingerprint: fakeHash('onboarding/terms/hallucination').slice(0, 16), at: this.run.now, expected: check, actual: { 'output.apr': 0 },
    };
    this.run.append('step_result', [{ type: 'model.answered', step: 'terms', visit: 1, attempt: 1, turn: 1, input_tokens: 388, output_tokens: 41 }, { type: 'guard.failed', step: 'terms', visit: 1, phase: 'post', check, code: 'hallucination' }, { type: 'step.failed', step: 'terms', visit: 1, class: 'hallucination' }, { type: 'rollback.planned', to: 'credit_scored' }],
      [{ kind: 'guard.failed', severity: 'error', title: 'terms failed its check: APR 0, expected 2.5 to 8.5', step: 'terms', detail: check }],
      (view) => {
        const step = this.run.step('terms');
        step.failures.push(failure);
        this.run.settle('terms', 'failed', { apr: 0, term_months: 36 });
        view.status = 'rolling_back';
        view.failure = failure;
        view.failure_id = `${view.id}.terms.1.1`;
      });
    this.run.wait(18);
  }

  #rollBack(): void {
    this.run.append('rollback_settled', [{ type: 'rollback.completed', rollback: 1, compensated: 0, residue: 0 }],
      [{ kind: 'rollback.completed', severity: 'success', title: 'Rolled back to checkpoint credit_scored', step: 'terms', detail: 'Only terms was undone; kyc and score keep their checkpoints.' }], () => undefined);
    this.run.wait(24);
  }

  #pause(): void {
    const { run } = this;
    const id = `rev_${run.view.id.slice(4)}`;
    run.append('policy', [{ type: 'execution.paused', reason: 'review', by: 'policy' }, { type: 'review.requested', review: id, kind: 'failure', step: 'terms' }, { type: 'notification.requested', channel: 'engineering', kind: 'paused', step: 'terms' }],
      [{ kind: 'execution.paused', severity: 'warning', title: 'Paused for a person to decide' }, { kind: 'notification.requested', severity: 'info', title: 'Engineering was told' }],
      (view) => {
        view.status = 'paused';
        view.waiting_for = 'review';
        view.open_reviews = [id];
        view.undelivered_notifications = [{ channel: 'engineering', kind: 'failure', message: 'customer-onboarding has paused at terms.', attempts: 6, problem: 'The address answered 503.', at: run.now }];
      });
    this.review = {
      id, execution: run.view.id, workflow: run.view.workflow, kind: 'failure', status: 'open', step: 'terms', visit: 1, decisions: ['approve', 'edit', 'override', 'rollback', 'skip', 'reject'],
      allowed_edits: ['prompt', 'constraints', 'tool_selection'], forbidden_edits: ['core_logic', 'agent_count'], digest: fakeHash(id), shown: { message: 'The terms agent answered an APR of 0 %.' },
      failure_id: run.view.failure_id!, requested_at: run.now,
      proposals: [{ id: 'p1', by: 'key_assistant', at: run.now, edits: { constraints: [...termsAgent.constraints, 'APR must be between 2.5 % and 8.5 %.'] }, note: 'The check names the limits, the constraints do not. Tested: 5.2 %.' }],
    };
    this.failure = failureOf(run, this.review);
  }

  test(edits: AgentEdits): TestFixView {
    const text = [edits.prompt ?? '', ...(edits.constraints ?? [])].join('\n');
    const apr = /2\.5/.test(text) && /8\.5/.test(text) ? 5.2 : 0;
    const guards = [aprGuard(apr), termGuard];
    return { outcome: apr === 0 ? 'failed' : 'passed', output: { apr, term_months: 36 }, guards, unrecorded_calls: [], duration_ms: 640, ...(apr === 0 ? { problem: `It answered an APR of 0 % again.` } : {}) };
  }

  decideRetry(edits: AgentEdits | undefined, by: string): void {
    this.run.catchUp().append('decide_review', [{ type: 'review.decided', review: this.review!.id, decision: edits ? 'edit' : 'approve', by }, ...(edits ? [{ type: 'edits.applied', agent: 'terms' }] : []), { type: 'execution.resumed', by }, { type: 'step.scheduled', step: 'terms', visit: 2, attempt: 1 }],
      [{ kind: 'review.decided', severity: 'info', title: edits ? 'A person edited the terms agent and retried' : 'A person retried unchanged' }, { kind: 'step.scheduled', severity: 'info', title: 'terms begins again, from checkpoint credit_scored', step: 'terms' }],
      (view) => {
        this.#closeReview(view);
        this.run.step('terms').status = 'rolled_back';
        this.run.schedule('terms', 'agent_task', 'terms', { credit_score: 750, risk_level: 'low' }, ['score', 'kyc'], 2)(view);
      });
  }

  decideOther(decision: string, by: string): void {
    this.run.catchUp().append('decide_review', [{ type: 'review.decided', review: this.review!.id, decision, by }],
      [{ kind: 'review.decided', severity: 'info', title: `A person decided: ${decision}` }],
      (view) => {
        this.#closeReview(view);
        view.status = decision === 'reject' ? 'failed' : 'cancelled';
        view.ended_at = this.run.now;
      });
  }

  #closeReview(view: ExecutionView): void {
    view.open_reviews = [];
    delete view.waiting_for;
    delete view.failure;
    delete view.failure_id;
    if (this.failure) this.failure = { ...this.failure, status: 'resolved' };
  }

  #commitTerms(): void {
    this.run.append('step_result', [{ type: 'step.committed', step: 'terms', visit: 2 }, { type: 'checkpoint.committed', name: 'terms_generated', step: 'terms', visit: 2 }, { type: 'step.scheduled', step: 'send_offer', visit: 1, attempt: 1 }],
      [{ kind: 'checkpoint.committed', severity: 'success', title: 'terms committed with an APR of 5.2 %', step: 'terms' }],
      (view) => {
        this.run.settle('terms', 'committed', { apr: 5.2, term_months: 36 }, 'terms_generated', 2);
        this.run.schedule('send_offer', 'tool_call', 'send_offer', { email: 'jane@example.com', apr: 5.2, term_months: 36 }, ['terms', 'kyc'])(view);
      });
  }

  #intent(): void {
    const effect = `${this.run.view.id}/send_offer~1~1`;
    this.run.append('record_intent', [{ type: 'intent.recorded', effect, owner: 'runner-1' }], [{ kind: 'intent.recorded', severity: 'info', title: 'send_offer is about to be sent, once', step: 'send_offer' }], () => {
      this.run.step('send_offer').calls.push({ effect_id: effect, tool: 'send_offer', status: 'intent', effect_kind: 'idempotent', idempotency_key: fakeHash(effect).slice(0, 24), arguments: { email: 'jane@example.com', apr: 5.2, term_months: 36 } });
    });
  }

  #finish(): void {
    this.run.append('intent_result', [{ type: 'intent.settled', effect: `${this.run.view.id}/send_offer~1~1`, done: true, via: 'call' }, { type: 'step.committed', step: 'send_offer', visit: 1 }, { type: 'execution.succeeded' }],
      [{ kind: 'step.committed', severity: 'success', title: 'The offer was sent', step: 'send_offer' }, { kind: 'execution.succeeded', severity: 'success', title: 'Finished' }],
      (view) => {
        const step = this.run.step('send_offer');
        step.calls[0]!.status = 'settled';
        step.calls[0]!.result = { message_id: 'msg_81f2', accepted: true };
        this.run.settle('send_offer', 'committed', { message_id: 'msg_81f2', accepted: true }, 'offer_sent');
        view.status = 'succeeded';
        view.ended_at = this.run.now;
        view.output = { send_offer: { message_id: 'msg_81f2', accepted: true } };
      });
  }
}

function failureOf(run: MockRun, review: ReviewView): FailureView {
  const failure = run.view.failure!;
  const after = (ms: number) => new Date(Date.parse(failure.at) + ms).toISOString();
  return {
    id: run.view.failure_id!, execution: run.view.id, execution_status: 'paused', workflow: run.view.workflow, status: 'open', failure, group: 'verification', actor: 'terms',
    input: run.step('terms').input ?? null, output: { apr: 0, term_months: 36 }, guards: [aprGuard(0), termGuard],
    automatic_actions: [
      { seq: 4, at: failure.at, kind: 'guard.failed', severity: 'error', title: 'Found the wrong answer before anything was sent' },
      { seq: 5, at: after(18), kind: 'rollback.completed', severity: 'success', title: 'Rolled back to checkpoint credit_scored', detail: 'kyc and score keep theirs.' },
      { seq: 5, at: after(18), kind: 'consistency', severity: 'success', title: 'All agents agree on the state' },
      { seq: 6, at: after(42), kind: 'execution.paused', severity: 'warning', title: 'Paused the run and asked for a person' },
      { seq: 6, at: after(42), kind: 'notification.requested', severity: 'success', title: 'Told engineering' },
    ],
    dependency_chain: [
      { step: 'kyc', visit: 1, actor: 'kyc', status: 'committed', output: { kyc_verified: true, customer_name: 'Jane Smith' }, reads: [] },
      { step: 'score', visit: 1, actor: 'score', status: 'committed', output: { credit_score: 750, risk_level: 'low' }, reads: [{ step: 'kyc', visit: 1 }] },
      { step: 'terms', visit: 1, actor: 'terms', status: 'failed', output: { apr: 0, term_months: 36 }, reads: [{ step: 'score', visit: 1 }, { step: 'kyc', visit: 1 }] },
    ],
    root_cause: { step: 'terms', visit: 1, explanation: 'What terms was given is right: score 750, risk low. Its prompt names no limits for the APR, so nothing kept the answer within 2.5 % and 8.5 %.', trail: [] },
    suggested_fixes: [
      { kind: 'prompt', title: 'Say the APR limits in the prompt', detail: 'The check names them; the prompt does not.', edits: { prompt: `${termsAgent.prompt}\n\n${mended}` } },
      { kind: 'constraint', title: 'Add a constraint', detail: 'Kept apart from the prompt, so that it is not lost when the prompt is rewritten.', edits: { constraints: [...termsAgent.constraints, 'APR must be between 2.5 % and 8.5 %, never 0 %.'] } },
      { kind: 'guard', title: 'Tie the limits to the risk level', detail: 'A check per risk level would catch a low-risk price for a high-risk customer too.' },
    ],
    checkpoints: [{ name: 'kyc_doc_validated', step: 'kyc', visit: 1, at: run.step('kyc').settled_at! }, { name: 'credit_scored', step: 'score', visit: 1, at: run.step('score').settled_at! }],
    agent: termsAgent, review, detection_to_paused_ms: 42,
  };
}
