/** What can go wrong, as errors whose text is one readable line that says what to do. */

/** A failure as it is recorded. */
export interface RecordedFailure {
  message?: string;
  class?: string;
  code?: string;
  expected?: unknown;
  actual?: unknown;
}

/** Base of all errors of this package. `code` is the stable code of the error, as in the documentation of the API (docs/errors). */
export class OmiumError extends Error {
  readonly code: string;

  constructor(message: string, code = 'omium_error') {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Nothing answers at the address. */
export class ServerUnreachable extends OmiumError {
  constructor(message: string) {
    super(message, 'server_unreachable');
  }
}

/** The key is missing, wrong, or may not do this. */
export class NotAllowed extends OmiumError {
  constructor(message: string, code = 'unauthenticated') {
    super(message, code);
  }
}

/** The balance is used up; what runs goes on after a top-up. */
export class CreditsExhausted extends OmiumError {
  constructor(message: string) {
    super(message, 'CREDITS_EXHAUSTED');
  }
}

/** The server refused a request. `problem` is the problem document (RFC 9457), whole. */
export class ApiError extends OmiumError {
  readonly status: number;
  readonly problem: Record<string, unknown>;

  constructor(message: string, code: string, status: number, problem: Record<string, unknown>) {
    super(message, code);
    this.status = status;
    this.problem = problem;
  }
}

/** The program, started again, asks for a step with another input than was recorded: it is not deterministic. */
export class ReplayMismatch extends ApiError {}

/** Another process does the step now, or it was taken back: what this process did of it does not count. */
export class LeaseLost extends ApiError {}

/** What was to be changed has changed meanwhile: read it again, and change that. */
export class Changed extends ApiError {}

/** A value cannot be recorded: it is not JSON. */
export class NotSerializable extends OmiumError {
  constructor(message: string) {
    super(message, 'not_serializable');
  }
}

/** What is waited for did not come in time. It goes on; wait again. */
export class TimedOut extends OmiumError {
  constructor(message: string) {
    super(message, 'timed_out');
  }
}

/** A step failed: its output does not meet its checks, a person rejected it, or it failed when it was recorded. `failure` is class, code, message, expected and actual, as recorded. */
export class StepFailed extends OmiumError {
  readonly step: string;
  readonly failure: RecordedFailure;

  constructor(step: string, failure: RecordedFailure) {
    const expected = failure.expected ? ` (expected ${shown(failure.expected)}; actual ${shown(failure.actual)})` : '';
    super(`${step}: ${failure.message ?? 'failed'}${expected}`, failure.code ?? 'step_failed');
    this.step = step;
    this.failure = failure;
  }
}

/** An output or a message does not fit its schema. */
export class SchemaMismatch extends StepFailed {}

/** An output or a message breaks a constraint. */
export class ConstraintViolated extends StepFailed {}

/** Sender and receiver do not agree on what was handed over. */
export class HandoffDisputed extends StepFailed {}

/** A person has to decide before the program may go on: decide `review` with `omium approve` or in the console. */
export class NeedsPerson extends OmiumError {
  readonly review: string | undefined;

  constructor(message: string, review?: string) {
    super(message, 'needs_person');
    this.review = review;
  }
}

/** A workflow that was waited for has failed or was cancelled. `execution` is its last state. */
export class ExecutionFailed<Execution = unknown> extends OmiumError {
  readonly execution: Execution;

  constructor(message: string, execution: Execution) {
    super(message, 'execution_failed');
    this.execution = execution;
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));

/** The error of a failure, by its class. */
export function stepFailed(step: string, failure: RecordedFailure): StepFailed {
  switch (failure.class) {
    case 'schema_violation': return new SchemaMismatch(step, failure);
    case 'guard_failed': return new ConstraintViolated(step, failure);
    case 'handoff_disputed': return new HandoffDisputed(step, failure);
    default: return new StepFailed(step, failure);
  }
}

/** An error as it is recorded. */
export function failureOf(error: unknown): { class: string; code: string; message: string } {
  if (error instanceof StepFailed && error.failure.class !== undefined) {
    const { class: kind, code, message } = error.failure;
    return { class: kind, code: (code ?? kind).slice(0, 100), message: message ?? error.message };
  }
  const name = error instanceof Error ? error.name : typeof error;
  const message = (error instanceof Error ? error.message : String(error)) || name;
  const code = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toLowerCase() || 'error';
  return { class: name === 'TimeoutError' || error instanceof TimedOut ? 'timeout' : 'tool_error', code: code.slice(0, 100), message: message.slice(0, 4_000) };
}
