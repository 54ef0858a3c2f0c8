"""What can go wrong, as exceptions whose text is one readable line that says what to do."""

from __future__ import annotations

from typing import Any


class OmiumError(Exception):
    """Base of all errors of this package.

    code: the stable code of the error, as in the documentation of the API (docs/errors).
    """

    code = "omium_error"

    def __init__(self, message: str, code: str | None = None):
        super().__init__(message)
        if code is not None:
            self.code = code


class ServerUnreachable(OmiumError):
    """Nothing answers at the address."""

    code = "server_unreachable"


class NotAllowed(OmiumError):
    """The key is missing, wrong, or may not do this."""

    code = "unauthenticated"


class CreditsExhausted(OmiumError):
    """The balance is used up; what runs goes on after a top-up."""

    code = "CREDITS_EXHAUSTED"


class ApiError(OmiumError):
    """The server refused a request.

    status: the HTTP status. problem: the problem document (RFC 9457), whole.
    """

    def __init__(self, message: str, code: str, status: int, problem: dict[str, Any]):
        super().__init__(message, code)
        self.status = status
        self.problem = problem


class ReplayMismatch(ApiError):
    """The program, started again, asks for a step with another input than was recorded: it is not deterministic."""


class LeaseLost(ApiError):
    """Another process does the step now, or it was taken back: what this process did of it does not count."""


class NotSerializable(OmiumError, TypeError):
    """A value cannot be recorded: it is not JSON, no dataclass and no pydantic model."""

    code = "not_serializable"


class NotRewritable(OmiumError, TypeError):
    """A function cannot be an agent: its `with Checkpoint(...)` blocks could not be skipped when it is played again."""

    code = "not_rewritable"


class StepFailed(OmiumError):
    """A step failed: its output does not meet its checks, a person rejected it, or it failed when it was recorded.

    step: its name. failure: class, code, message, expected and actual, as recorded.
    """

    def __init__(self, step: str, failure: dict[str, Any]):
        expected = f" (expected {failure['expected']}; actual {failure.get('actual')})" if failure.get("expected") else ""
        super().__init__(f"{step}: {failure.get('message', 'failed')}{expected}", failure.get("code", "step_failed"))
        self.step = step
        self.failure = failure


class SchemaMismatch(StepFailed):
    """An output or a message does not fit its schema."""


class ConstraintViolated(StepFailed):
    """An output or a message breaks a constraint."""


class HandoffDisputed(StepFailed):
    """Sender and receiver do not agree on what was handed over."""


class NeedsPerson(OmiumError):
    """A person has to decide before the program may go on.

    review: the review; decide it with `omium approve` or in the console.
    """

    code = "needs_person"

    def __init__(self, message: str, review: str | None):
        super().__init__(message)
        self.review = review


class ExecutionFailed(OmiumError):
    """A workflow that was waited for has failed or was cancelled.

    execution: its last state.
    """

    code = "execution_failed"

    def __init__(self, message: str, execution: dict[str, Any]):
        super().__init__(message)
        self.execution = execution


class RolledBack(OmiumError):
    """What the program has done was taken back to an earlier step: start it again with the same execution id."""

    code = "rolled_back"


def step_failed(step: str, failure: dict[str, Any]) -> StepFailed:
    """The exception of a failure, by its class."""
    kinds = {"schema_violation": SchemaMismatch, "guard_failed": ConstraintViolated, "handoff_disputed": HandoffDisputed}
    return kinds.get(failure.get("class", ""), StepFailed)(step, failure)
