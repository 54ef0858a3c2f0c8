import type { AgentEdits, AgentView, CheckpointView, Decision, ExecutionView, FailureView, ReviewView, SuggestedFix } from '~/api/types';

/** What the person has in the editor. */
export interface Draft {
  prompt: string;
  constraints: string[];
  tools: string[];
}

export function draftOf(agent: AgentView | undefined): Draft {
  return { prompt: agent?.prompt ?? '', constraints: agent?.constraints ?? [], tools: agent?.tools ?? [] };
}

/** A suggested or proposed edit laid over the agent as it is; what it does not name stays. */
export function applyFix(agent: AgentView, fix: Pick<SuggestedFix, 'edits'>): Draft {
  const base = draftOf(agent);
  return {
    prompt: fix.edits?.prompt ?? base.prompt,
    constraints: fix.edits?.constraints ?? base.constraints,
    tools: fix.edits?.tools ?? base.tools,
  };
}

/** Only what differs, or undefined when nothing does. Empty constraints are lines not yet written. */
export function editsOf(agent: AgentView | undefined, draft: Draft): AgentEdits | undefined {
  if (!agent) return undefined;
  const edits: AgentEdits = {};
  const constraints = draft.constraints.map((text) => text.trim()).filter((text) => text !== '');
  if (draft.prompt !== agent.prompt) edits.prompt = draft.prompt;
  if (!sameList(constraints, agent.constraints)) edits.constraints = constraints;
  if (!sameList(draft.tools, agent.tools)) edits.tools = draft.tools;
  return Object.keys(edits).length === 0 ? undefined : edits;
}

export function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

export function mayEdit(review: ReviewView | undefined, what: 'prompt' | 'constraints' | 'tool_selection'): boolean {
  return review?.status === 'open' && review.decisions.includes('edit') && review.allowed_edits.includes(what) && !review.forbidden_edits.includes(what);
}

/** The decision that the one big button makes: the edit if there is one, else the plain retry. */
export function retryDecision(review: ReviewView | undefined, edits: AgentEdits | undefined): Decision | undefined {
  if (review?.status !== 'open') return undefined;
  const wanted: Decision = edits ? 'edit' : 'approve';
  return review.decisions.includes(wanted) ? wanted : undefined;
}

/** Everything else the review accepts. */
export function otherDecisions(review: ReviewView | undefined): Decision[] {
  if (review?.status !== 'open') return [];
  return review.decisions.filter((decision) => decision !== 'edit' && decision !== 'approve');
}

/** The checkpoint a retry begins from: the newest one that stands and was not made by the failed visit itself. */
export function retryPoint(failure: FailureView): CheckpointView | undefined {
  const standing = failure.checkpoints.filter(({ step, visit }) => step !== failure.failure.step || visit < failure.failure.visit);
  return standing.reduce<CheckpointView | undefined>((newest, next) => (!newest || next.at >= newest.at ? next : newest), undefined);
}

export type RecoveryStage = 'detected' | 'deciding' | 'going_on' | 'mended' | 'failed_again' | 'ended';

/** Where the recovery stands. A later open failure of the same run counts as failed again. */
export function recoveryStage(failure: FailureView, execution: ExecutionView | undefined): RecoveryStage {
  const status = execution?.status ?? failure.execution_status;
  if (execution?.failure_id && execution.failure_id !== failure.id && (status === 'paused' || status === 'failed')) return 'failed_again';
  if (failure.status === 'open') {
    if (failure.review?.status === 'open') return 'deciding';
    return status === 'failed' || status === 'cancelled' ? 'ended' : 'detected';
  }
  if (status === 'succeeded') return 'mended';
  return status === 'failed' || status === 'cancelled' ? 'ended' : 'going_on';
}

export interface Mark {
  text: string;
  change: 'same' | 'added' | 'removed';
}

/** Lines of a list with what was added and what was taken away, in reading order. */
export function listChanges(before: readonly string[], after: readonly string[]): Mark[] {
  const kept = new Set(after);
  const had = new Set(before);
  return [
    ...before.filter((text) => !kept.has(text)).map((text): Mark => ({ text, change: 'removed' })),
    ...after.map((text): Mark => ({ text, change: had.has(text) ? 'same' : 'added' })),
  ];
}
