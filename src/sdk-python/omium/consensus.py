"""Agents that hand something over and agree on it: `Consensus` and `Handoff`."""

from __future__ import annotations

from typing import Any

from . import _values
from ._session import Session, in_thread, running
from .schemas import read_as, schema_of


class Consensus:
    """What the agents of an execution tell each other. Messages are recorded, held to schema and constraints, and the same when they are received again.

        score = ...
        await consensus.broadcast("credit_score_agent", output=score, schema=CreditScore, constraints={"min": 300, "max": 850})
        kyc = await consensus.receive("kyc_verification_agent", schema=KYCData)
    """

    async def broadcast(
        self, producer: str, *, output: Any, schema: Any = None, constraints: Any = None, to: str | None = None, claims: dict[str, Any] | None = None, key: str | None = None
    ) -> Any:
        """Hands `output` of the agent `producer` over to whoever receives it; returns it.

        constraints: {"min", "max"} bound the output if it is a number, else its single numeric field; or a list of expressions over `output`.
        Raises SchemaMismatch or ConstraintViolated, and then nobody receives it.
        """
        return await in_thread(_send, running(), producer, output, schema, constraints, to, claims, key)

    async def receive(self, producer: str, *, schema: Any = None, constraints: Any = None, seen: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """The newest output of the agent `producer`, as `schema` says (a dataclass or model is made); waits for one.

        seen: what the receiver holds of each claim; other than the sender claims raises HandoffDisputed after a person was asked.
        """
        return await in_thread(_receive, running(), producer, schema, constraints, seen, key)

    def broadcast_now(self, producer: str, *, output: Any, schema: Any = None, constraints: Any = None, to: str | None = None, claims: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """`broadcast` without an event loop."""
        return _send(running(), producer, output, schema, constraints, to, claims, key)

    def receive_now(self, producer: str, *, schema: Any = None, constraints: Any = None, seen: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """`receive` without an event loop."""
        return _receive(running(), producer, schema, constraints, seen, key)


class Handoff:
    """What one agent hands to another.

        handoff = Handoff("extractor", to="loader", schema=Batch)
        await handoff.send(batch, claims={"records": 100})
        batch = await handoff.receive(seen={"records": len(rows)})
    """

    def __init__(self, sender: str, to: str | None = None, *, schema: Any = None, constraints: Any = None):
        self.sender = sender
        self.to = to
        self.schema = schema
        self.constraints = constraints

    async def send(self, output: Any, *, claims: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """Hands it over; returns it. Raises SchemaMismatch or ConstraintViolated."""
        return await in_thread(_send, running(), self.sender, output, self.schema, self.constraints, self.to, claims, key)

    async def receive(self, *, seen: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """What was handed over; waits for it."""
        return await in_thread(_receive, running(), self.sender, self.schema, None, seen, key)

    def send_now(self, output: Any, *, claims: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """`send` without an event loop."""
        return _send(running(), self.sender, output, self.schema, self.constraints, self.to, claims, key)

    def receive_now(self, *, seen: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """`receive` without an event loop."""
        return _receive(running(), self.sender, self.schema, None, seen, key)


def _send(session: Session, producer: str, output: Any, schema: Any, constraints: Any, to: str | None, claims: dict[str, Any] | None, key: str | None) -> Any:
    told = _values.plain(output, f"the output of {producer}")
    sent = session.handoff(producer, output=told, schema=schema_of(schema), constraints=constraints, to=to, claims=claims, key=key)
    return output if sent == told else read_as(schema, sent)


def _receive(session: Session, producer: str, schema: Any, constraints: Any, seen: dict[str, Any] | None, key: str | None) -> Any:
    return read_as(schema, session.receive(producer, schema=schema_of(schema), constraints=constraints, seen=seen, key=key))
