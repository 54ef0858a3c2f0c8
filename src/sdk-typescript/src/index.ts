/** Omium: checkpoints, guarded effects and agreed handoffs for agents that run in your own process. */
export { guarded, type GuardOptions } from './adapters/guard.js';
export { Agent, agent, Execution, startExecution, type AgentFunction, type ExecutionOptions } from './agents.js';
export {
  captureFailure, Checkpoint, checkpoint, idempotencyKey, NotDone, Transaction, transaction, type CheckpointOptions, type Constraints, type Running, type TransactionOptions, type Verdict,
} from './blocks.js';
export { Client, runWorkflow, type Conditions, type StartOptions, type Tagged } from './client.js';
export { compensation, type Compensation, type Undoing } from './compensations.js';
export { Consensus, Handoff, type Asked, type Told } from './consensus.js';
export {
  ApiError, Changed, ConstraintViolated, CreditsExhausted, ExecutionFailed, HandoffDisputed, LeaseLost, NeedsPerson, NotAllowed, NotSerializable, OmiumError, ReplayMismatch, SchemaMismatch,
  ServerUnreachable, StepFailed, TimedOut, type RecordedFailure,
} from './errors.js';
export type * as Wire from './generated.js';
export type { Json } from './generated.js';
export { schemaOf, type Schema, type StandardSchema } from './schemas.js';
export type { Options } from './session.js';
export type { StreamEvent, StreamOptions } from './stream.js';
export type { Connection } from './transport.js';
export { Failed, Worker, type AcknowledgeFunction, type Task, type TaskFunction, type WorkerOptions } from './worker.js';
