"""Omium: checkpoints, guarded effects and agreed handoffs for agents that run in your own process.

    from omium import agent, Agent, Checkpoint, Transaction, Handoff, Consensus

    @agent
    async def payment_processor(order):
        with Checkpoint("payment_initiated"):
            payment = await prepare(order)
        with Transaction("payment_committed", effect="idempotent", compensate=refund) as transaction:
            receipt = await pay(payment, key=transaction.idempotency_key)
        return receipt

Killed and started again with the same execution id, finished blocks are skipped and what they assigned comes back.
"""

from . import adapters
from ._session import Options
from .agents import Agent, Execution, agent, start_execution
from .blocks import Checkpoint, NotDone, Transaction, capture_failure, checkpoint, compensation, transaction
from .client import AsyncClient, Client, run_workflow
from .consensus import Consensus, Handoff
from .errors import (
    ApiError,
    ConstraintViolated,
    CreditsExhausted,
    ExecutionFailed,
    HandoffDisputed,
    LeaseLost,
    NeedsPerson,
    NotAllowed,
    NotRewritable,
    NotSerializable,
    OmiumError,
    ReplayMismatch,
    RolledBack,
    SchemaMismatch,
    ServerUnreachable,
    StepFailed,
)
from .schemas import schema_of
from .worker import Failed, Task, Worker

__version__ = "0.1.0"

__all__ = [
    "Agent", "ApiError", "AsyncClient", "Checkpoint", "Client", "Consensus", "ConstraintViolated", "CreditsExhausted", "Execution", "ExecutionFailed", "Failed", "Handoff",
    "HandoffDisputed", "LeaseLost", "NeedsPerson", "NotAllowed", "NotDone", "NotRewritable", "NotSerializable", "OmiumError", "Options", "ReplayMismatch", "RolledBack",
    "SchemaMismatch", "ServerUnreachable", "StepFailed", "Task", "Transaction", "Worker", "adapters", "agent", "capture_failure", "checkpoint", "compensation", "run_workflow",
    "schema_of", "start_execution", "transaction",
]
