/**
 * The wire records of the API, written by hand after `src/Omium.Contracts`: snake_case, nulls left out,
 * times ISO 8601 UTC, enums as the strings that the docs name.
 */

import type { DiffView, ForkPreviewView, ForkRequest, GraphDataEdge, ProposalView, RetryRequest, VerificationView } from './generated';

export type { DiffView, ForkPreviewView, ForkRequest, ProposalView, RetryRequest, VerificationView };

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  next_cursor?: string;
}

export interface SpecProblem {
  code: string;
  severity: 'error' | 'warning';
  /** JSON pointer (RFC 6901) into the spec. */
  pointer: string;
  message: string;
  mend: string;
}

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  errors?: SpecProblem[];
}

// Executions

export type ExecutionStatus =
  | 'queued' | 'running' | 'waiting' | 'paused' | 'rolling_back' | 'succeeded' | 'failed' | 'cancelled';

export type StepStatus =
  | 'scheduled' | 'running' | 'waiting' | 'committed' | 'failed' | 'skipped' | 'rolled_back' | 'in_doubt';

export type CallStatus =
  | 'requested' | 'awaiting_approval' | 'intent' | 'running' | 'settled' | 'failed' | 'in_doubt' | 'refused' | 'compensated';

export type StepType = 'agent_task' | 'tool_call' | 'decision' | 'human_approval' | 'workflow' | 'worker';

export interface StartExecutionRequest {
  workflow: string;
  version?: number;
  input?: Json;
  start_key?: string;
}

export interface ExecutionView {
  id: string;
  workflow: string;
  workflow_version: number;
  status: ExecutionStatus;
  /** timer, lock, credits, worker, child or review. */
  waiting_for?: string;
  /** Where it was forked from. */
  fork?: { from: string; at: number; mode: 'sandbox' | 'live' };
  /** Whose child it is. */
  parent?: { execution: string; step: string; visit: number };
  /** Sequence number of the last record this view contains. */
  seq: number;
  created_at: string;
  updated_at: string;
  ended_at?: string;
  input?: Json;
  /** By step id, the outputs of the last steps; when it has succeeded. */
  output?: Json;
  steps: StepView[];
  failure?: StepFailure;
  failure_id?: string;
  open_reviews: string[];
  /** How many older visits are left out of `steps`: it holds the newest 1,000. */
  steps_omitted?: number;
  handoffs?: HandoffView[];
  /** While paused: failure, in_doubt, rolled_back, or what the person said. */
  pause_reason?: string;
}

export interface StepView {
  tokens?: { input: number; output: number };
  verifications?: VerificationView[];
  child?: string;
  inherited?: boolean;
  step: string;
  visit: number;
  attempt: number;
  type: StepType;
  actor?: string;
  status: StepStatus;
  scheduled_at: string;
  settled_at?: string;
  retry_due_at?: string;
  input?: Json;
  output?: Json;
  checkpoint?: string;
  reads: StepReference[];
  calls: CallView[];
  failures: StepFailure[];
  /** Of a for_each step: how far its items are. */
  items?: ItemCounts;
  /** Of an item: its index, from 0. */
  item?: number;
}

/** Items of a for_each step; they are listed apart (`/steps/{step}/items`). */
export interface ItemCounts {
  total: number;
  succeeded: number;
  failed: number;
  /** Of the failed ones: those whose effects were undone. */
  rolled_back: number;
  skipped: number;
  running: number;
  /** Of the running ones: those that wait for a person. */
  waiting: number;
  not_begun: number;
}

export interface StepReference {
  step: string;
  visit: number;
}

export interface CallView {
  effect_id: string;
  tool: string;
  status: CallStatus;
  effect_kind: 'none' | 'idempotent' | 'verifiable' | 'irreversible';
  arguments?: Json;
  result?: Json;
  idempotency_key?: string;
}

export interface StepFailure {
  step: string;
  visit: number;
  attempt: number;
  class: string;
  code: string;
  message: string;
  fingerprint: string;
  at: string;
  /** The check that was not met, as written. */
  expected?: string;
  /** Every path the check reads, with the value it had. */
  actual?: Json;
}

export interface ExecutionSummary {
  id: string;
  workflow: string;
  workflow_version: number;
  status: ExecutionStatus;
  failure_class?: string;
  created_at: string;
  updated_at: string;
  ended_at?: string;
}

export interface EventRecord {
  seq: number;
  at: string;
  command: string;
  kernel: number;
  events: LoggedEvent[];
  hash: string;
}

export type LoggedEvent = { type: string } & JsonObject;

export type Severity = 'info' | 'success' | 'warning' | 'error';

export interface TimelineEntry {
  seq: number;
  at: string;
  kind: string;
  severity: Severity;
  title: string;
  step?: string;
  visit?: number;
  detail?: string;
  /** The item of a for_each step that the line is about. */
  item?: number;
}

export interface GraphView {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** Which visits' inputs were made from which outputs; absent of a spec that has not run. */
  data?: GraphDataEdge[];
  root_cause?: RootCause;
}

export interface GraphNode {
  step: string;
  type: StepType;
  actor?: string;
  status: StepStatus;
  visit: number;
  checkpoint?: string;
  external_effect: boolean;
  items?: ItemCounts;
}

export interface GraphEdge {
  from: string;
  to: string;
  on: 'success' | 'failure' | 'always';
  when?: string;
  /** Absent: not settled. */
  taken?: boolean;
  max_visits?: number;
}

export interface VerifyView {
  verdict: 'identical' | 'consistent' | 'erased' | 'corrupt';
  records: number;
  detail?: string;
}

export interface RollbackRequest {
  /** A checkpoint name or a step id. */
  to: string;
  scope?: 'failure' | 'all';
  preview?: boolean;
  accept_residue?: boolean;
  /** Only these of the steps it would take back. */
  steps?: string[];
}

export interface RollbackView {
  to: string;
  affected: StepReference[];
  compensations: string[];
  irreversible: string[];
  applied: boolean;
  /** Visits made from what is taken back that would stay: any makes it refused. */
  orphans?: StepReference[];
}

/** What one step handed to another, and whether both sides agree on it. */
export interface HandoffView {
  from: string;
  visit: number;
  to: string;
  status: 'proposed' | 'agreed' | 'disputed' | 'rejected' | 'revoked';
  round: number;
  acknowledged_by?: string;
  message?: Json;
  message_digest: string;
  claims: ClaimView[];
}

export interface ClaimView {
  name: string;
  said: Json;
  /** Absent: nothing was measured. */
  seen?: Json;
  measured_by: 'expression' | 'tool' | 'receiver';
  agrees?: boolean;
  problem?: string;
}

// Failures

export type FailureStatus = 'open' | 'resolved' | 'ignored';

export interface FailureSummary {
  /** `{execution}.{step}.{visit}.{attempt}` */
  id: string;
  execution: string;
  workflow: string;
  step: string;
  class: string;
  code: string;
  status: FailureStatus;
  at: string;
}

export interface FailureView {
  id: string;
  execution: string;
  execution_status: ExecutionStatus;
  workflow: string;
  status: FailureStatus;
  failure: StepFailure;
  /** specification, inter_agent_misalignment, verification or operations. */
  group: string;
  /** The mode of MAST that the class stands for, by number and name. */
  mode?: string;
  actor?: string;
  input?: Json;
  output?: Json;
  guards: GuardResult[];
  automatic_actions: TimelineEntry[];
  dependency_chain: DependencyLink[];
  root_cause?: RootCause;
  suggested_fixes: SuggestedFix[];
  checkpoints: CheckpointView[];
  agent?: AgentView;
  review?: ReviewView;
  /** Of a disputed handoff: both views. */
  handoff?: HandoffView;
  detection_to_paused_ms?: number;
}

export interface DependencyLink {
  step: string;
  visit: number;
  actor?: string;
  status: StepStatus;
  output?: Json;
  reads: StepReference[];
}

export interface RootCause {
  step: string;
  visit: number;
  explanation: string;
  path?: string;
  value?: Json;
  trail?: { step: string; visit: number; path: string; value: Json }[];
}

export interface SuggestedFix {
  kind: 'prompt' | 'constraint' | 'guard' | 'tool' | 'retry' | 'repeat' | 'rollback' | 'edit';
  title: string;
  detail: string;
  edits?: AgentEdits;
}

export interface CheckpointView {
  name: string;
  step: string;
  visit: number;
  at: string;
}

export interface AgentView {
  id: string;
  role?: string;
  goal?: string;
  prompt: string;
  model?: string;
  constraints: string[];
  tools: string[];
}

// What rollbacks left behind

export interface ResidueView {
  id: string;
  status: 'open' | 'resolved';
  at: string;
  accepted_by?: string;
  resolved?: { by: string; at: string; note?: string };
  execution: string;
  workflow: string;
  effect_id: string;
  step: string;
  visit: number;
  tool: string;
  arguments?: Json;
  result?: Json;
  idempotency_key?: string;
  /** compensation_failed, compensation_in_doubt or irreversible. */
  reason: string;
  message: string;
}

// Reviews

export type ReviewKind = 'failure' | 'approval' | 'call_approval' | 'in_doubt' | 'handoff' | 'verification' | 'sandbox_call';
export type Decision = 'accept_residue' | 'approve' | 'edit' | 'override' | 'rollback' | 'skip' | 'reject' | 'done' | 'redo' | 'repeat' | 'answer';

export interface ReviewView {
  id: string;
  execution: string;
  workflow: string;
  kind: ReviewKind;
  status: 'open' | 'decided' | 'expired';
  step: string;
  visit: number;
  decisions: Decision[];
  allowed_edits: string[];
  forbidden_edits: string[];
  /** Digest of what is shown; a decision must carry it. */
  digest: string;
  /** Role that the policy escalated it to. */
  role?: string;
  shown?: Json;
  failure_id?: string;
  requested_at: string;
  expires_at?: string;
  decided?: ReviewDecision;
  /** Edits that were laid before whoever decides; none is applied unless somebody decides so. */
  proposals: ProposalView[];
}

/** How a question was closed that nobody answered: by a rollback of its step, or with its run. */
export type Closing = 'rolled_back' | 'cancelled';

export interface ReviewDecision {
  decision: Decision | Closing;
  by: string;
  at: string;
  edits?: AgentEdits;
  note?: string;
}

/** For this execution only. Absent fields stay as they are. */
export interface AgentEdits {
  prompt?: string;
  constraints?: string[];
  tools?: string[];
}

export interface DecideReviewRequest {
  decision: Decision;
  digest: string;
  edits?: AgentEdits;
  output?: Json;
  note?: string;
}

export interface TestFixView {
  outcome: 'passed' | 'failed' | 'inconclusive';
  output?: Json;
  guards: GuardResult[];
  problem?: string;
  unrecorded_calls: Json[];
  duration_ms: number;
}

export interface GuardResult {
  phase: string;
  check: string;
  code: string;
  message: string;
  passed: boolean;
  actual?: Json;
}

// Workflows

export interface WorkflowView {
  name: string;
  version: number;
  description?: string;
  digest: string;
  saved_at: string;
  spec: JsonObject;
  warnings: SpecProblem[];
}

export interface WorkflowSummary {
  name: string;
  version: number;
  description?: string;
  steps: number;
  agents: number;
  saved_at: string;
}

export interface ValidateView {
  valid: boolean;
  problems: SpecProblem[];
}

// Tenants

export type { MeView, KeyView, CreateKeyRequest } from './generated';

export interface HealthSummary {
  executions_by_status: Record<string, number>;
  open_failures: number;
  open_reviews: number;
  workflows: number;
}
