/**
 * The wire records of the API as the console uses them: those of the OpenAPI document (generated.ts), with words in place of `string` where the document's
 * text names them. Nothing is described twice: what the API adds or takes away is a type error here or where it is read.
 */

import type * as wire from './generated';

export type {
  AgentEdits, AgentView, CallView, CheckpointView, DiffView, ExecutionSummary, ExecutionView, FailureSummary, FailureView, ForkPreviewView, ForkRequest, GuardResult, HandoffView, HealthAlarm, HealthSummary, ItemCounts, Json, Problem, ProposalView,
  ResidueView, RetryRequest, RollbackView, RootCause, SpecProblem, StepFailure, StepReference, StepView, TestFixView, TimelineEntry, UndeliveredNotificationView, ValidateView, VerificationView, VerifyView, WorkflowSummary,
} from './generated';

type Json = wire.Json;
export type JsonObject = { [key: string]: Json };

/** A record with some members said more closely. */
type Closer<T, M> = Omit<T, keyof M> & M;

export interface Page<T> {
  items: T[];
  /** Absent on the last page. */
  next_cursor?: string;
}

// Executions

export type ExecutionStatus = wire.ExecutionView['status'];
export type StepStatus = wire.StepView['status'];
export type StepType = wire.StepView['type'];
export type CallStatus = wire.CallView['status'];
export type Severity = wire.TimelineEntry['severity'];
export type LoggedEvent = { type: string } & JsonObject;
export type EventRecord = Closer<wire.EventRecord, { events: LoggedEvent[] }>;
export type StartExecutionRequest = Closer<wire.StartExecutionRequest, { workflow: string }>;
export type RollbackRequest = Closer<wire.RollbackRequest, { scope?: 'failure' | 'all' }>;

export type GraphNode = Closer<wire.GraphNode, { status: StepStatus; type: StepType }>;
export type GraphEdge = Closer<wire.GraphEdge, { on: 'success' | 'failure' | 'always' }>;
/** `data` and root cause are absent of a spec that has not run. */
export type GraphView = Closer<wire.GraphView, { nodes: GraphNode[]; edges: GraphEdge[]; data?: wire.GraphDataEdge[] }>;

// Failures and reviews

export type FailureStatus = wire.FailureView['status'];
export type DependencyLink = wire.DependencyLink;
export type SuggestedFix = wire.SuggestedFix;
export type ClaimView = wire.ClaimView;

export type ReviewKind = wire.ReviewView['kind'];
/** A word of the server: what the console does not know is shown as it came. */
export type Decision = wire.ReviewView['decisions'][number];
export type ReviewDecision = wire.ReviewDecision;
export type ReviewView = wire.ReviewView;
export type DecideReviewRequest = Closer<wire.DecideReviewRequest, { edits?: wire.AgentEdits }>;

// Workflows

export type WorkflowView = Closer<wire.WorkflowView, { spec: JsonObject }>;

// Tenants

export type { MeView, KeyView, CreateKeyRequest } from './generated';
