"""What an agent does once: `Checkpoint` and `Transaction` blocks, and `checkpoint`, `transaction` and `capture_failure` for functions."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, Awaitable, Callable, Literal, TypeVar

from . import _values
from ._session import Session, Step, agent_name, compensations, decoded, in_thread, name_of_code, running
from .errors import NotRewritable, OmiumError
from .schemas import schema_of

F = TypeVar("F", bound=Callable[..., Any])
Effect = Literal["idempotent", "verifiable", "irreversible"]


class _Block:
    """A block of an agent that is done once: skipped when it is recorded, the names it assigned restored."""

    kind = "checkpoint"

    def __init__(self, name: str, *, key: str | None = None, input: Any = None, schema: Any = None, constraints: Any = None):
        self.name = name
        self._key = key
        declared: dict[str, Any] = {"schema": schema_of(schema), "constraints": constraints}
        if input is not None:
            declared["input"] = _values.encode(input, f"the input of {name}")
        self._declared = declared
        self._step: Step | None = None
        self._is_told = False
        self._recorded: Any = None

    def __enter__(self) -> Any:
        raise NotRewritable(
            f"'with {type(self).__name__}({self.name!r})' stands in a function that is not marked with @agent: mark it, or use omium.checkpoint({self.name!r}, function)"
        )

    def __exit__(self, *_: Any) -> None:
        return None

    __aenter__ = __enter__
    __aexit__ = __exit__

    @property
    def session(self) -> Session:
        """The session that it runs in."""
        return running()

    # What the rewritten function calls.

    is_function = False  # Of a function: what it gives is recorded as it is, as any other language reads it.

    def _enters(self) -> bool:
        self._step = step = self.session.begin(self.name, kind=self.kind, key=self._key, **self._declared)
        if step.state == "verify":
            step = self._look_up(step)
        if step.state == "run":
            return True
        self._recorded = _values.decode(step.output) if step.state == "replay" else None
        if self.is_function:
            self._recorded = {"names": {}, "result": decoded(step.output) if step.state == "replay" else None}
        if step.state == "replay" and not (isinstance(self._recorded, dict) and "names" in self._recorded):
            self._recorded = {"names": {"result": self._recorded}} if self._recorded is not None else {"names": {}}  # Given by a person.
        return False

    def _look_up(self, step: Step) -> Step:
        raise OmiumError(f"{self.name} is no transaction")

    def _finishes(self, names: dict[str, Any], assigned: tuple[str, ...]) -> None:
        try:
            output = self._output(names, assigned)
        except OmiumError as error:
            self._fails(error)
            raise
        self._record(output)

    def _returns(self, names: dict[str, Any], assigned: tuple[str, ...], result: Any) -> None:
        self._record({**self._output(names, assigned), "result": _values.encode(result, f"what {self.name} returns")})

    def _gives(self, result: Any) -> None:
        self._record(_values.encode(result, f"what {self.name} returns"))

    def _fails(self, error: BaseException) -> None:
        if not self._is_told and self._step is not None:
            self._is_told = True
            if isinstance(error, (Exception, asyncio.CancelledError)):
                self.session.fail(self._step, error, self._may_have_happened(error))

    def _may_have_happened(self, error: BaseException) -> bool | None:
        return None

    def _output(self, names: dict[str, Any], assigned: tuple[str, ...]) -> dict[str, Any]:
        kept = {name: _values.encode(names[name], f"'{name}' in {type(self).__name__}({self.name!r})") for name in assigned if name in names}
        return {"names": kept}

    def _record(self, output: Any) -> None:
        assert self._step is not None
        self._is_told = True
        self.session.finish(self._step, output)

    def _has(self, name: str) -> bool:
        return self._recorded is not None and name in self._recorded["names"]

    def _get(self, name: str) -> Any:
        return self._recorded["names"][name]

    def _has_returned(self) -> bool:
        return self._recorded is not None and "result" in self._recorded

    def _result(self) -> Any:
        return self._recorded["result"]

    async def _enters_async(self) -> bool:
        return bool(await in_thread(self._enters))

    async def _finishes_async(self, names: dict[str, Any], assigned: tuple[str, ...]) -> None:
        await in_thread(self._finishes, names, assigned)

    async def _returns_async(self, names: dict[str, Any], assigned: tuple[str, ...], result: Any) -> None:
        await in_thread(self._returns, names, assigned, result)

    async def _fails_async(self, error: BaseException) -> None:
        await asyncio.shield(asyncio.ensure_future(in_thread(self._fails, error)))


class Checkpoint(_Block):
    """A block that is done at least once until it is recorded, and skipped from then on.

        with Checkpoint("payment_initiated"):
            payment = await prepare(order)

    Names that it assigns come back as they were: JSON values, tuples, dataclasses, pydantic models. What it changes in objects that exist already does
    not. Keep what changes the world in a Transaction.

    key: tells calls of one name apart that run at the same time; by default the n-th call of the name.
    schema, constraints: what the names it assigns, as an object `names`, are held to.
    """


class Transaction(_Block):
    """A block that changes the world outside: its intent is on record before it runs.

    effect: irreversible (default): when nobody knows whether it happened, a person says; idempotent: it runs again with the same `idempotency_key`;
    verifiable: `verify` is asked.
    compensate: undoes it when it is taken back; a function of a module, or one registered with @compensation. Called with what it asks for by name:
    output (the names that the block assigned), input, idempotency_key. Must do no harm when it runs twice.
    verify: tells whether it happened: True, False, None for unknown, or `("done", output)`. Called like compensate.
    approval: True = a person approves it before it runs. amount_usd: above the tenant's limit a person does as well.
    """

    kind = "transaction"

    def __init__(
        self, name: str, *, effect: Effect | None = None, compensate: Callable[..., Any] | str | None = None, verify: Callable[..., Any] | None = None,
        idempotency_key: str | None = None, approval: bool = False, amount_usd: float | None = None, key: str | None = None, input: Any = None,
        schema: Any = None, constraints: Any = None,
    ):
        super().__init__(name, key=key, input=input, schema=schema, constraints=constraints)
        self._verify = verify
        self._declared.update(
            effect=effect or ("verifiable" if verify else "irreversible"), compensate=_registered(compensate, name), idempotency_key=idempotency_key,
            approval=approval or None, amount_usd=amount_usd,
        )
        if self._declared["effect"] == "verifiable" and verify is None:
            raise OmiumError(f"Transaction({name!r}) is verifiable: give 'verify', which tells whether it happened", "verify_needed")

    @property
    def idempotency_key(self) -> str:
        """The key to send along: the same each time this transaction runs, until it is undone."""
        if self._step is None or self._step.idempotency_key is None:
            raise OmiumError(f"{self.name} has no key before it runs")
        return self._step.idempotency_key

    def _look_up(self, step: Step) -> Step:
        assert self._verify is not None
        told = _asked(self._verify, {"idempotency_key": step.idempotency_key, "input": _values.decode(self._declared.get("input")), "output": None})
        status, output = told if isinstance(told, tuple) else ({True: "done", False: "not_done", None: "unknown"}[told], None)
        recorded = output if self.is_function else {"names": output if isinstance(output, dict) else {} if output is None else {"result": output}}
        self.session.verified(step, status, _values.encode(recorded, f"what verify of {self.name} gives") if status == "done" else None)
        self._step = again = self.session.begin(self.name, kind=self.kind, key=step.key, **self._declared)
        return self._look_up(again) if again.state == "verify" else again

    def _may_have_happened(self, error: BaseException) -> bool | None:
        return False if isinstance(error, NotDone) else None


class NotDone(Exception):
    """Raised within a Transaction: it certainly did not happen. Any other exception leaves that open."""


def compensation(name: str) -> Callable[[F], F]:
    """Registers what undoes transactions under a name that a program which is started anew knows as well."""

    def register(function: F) -> F:
        compensations[name] = function
        return function

    return register


def _registered(compensate: Callable[..., Any] | str | None, name: str) -> str | None:
    if compensate is None or isinstance(compensate, str):
        return compensate
    known = name_of_code(compensate) or f"transaction:{name}"
    compensations.setdefault(known, compensate)
    return known


def _asked(function: Callable[..., Any], offered: dict[str, Any]) -> Any:
    names = [name for name in inspect.signature(function).parameters if name in offered]
    result = function(**{name: offered[name] for name in names})
    if inspect.isawaitable(result):
        async def wait() -> Any:
            return await result

        return asyncio.run(wait())
    return result


def is_block(found: Any) -> bool:
    """True for the classes whose blocks are rewritten."""
    return isinstance(found, type) and issubclass(found, _Block)


def checkpoint(name: str, function: Callable[..., Any], *given: Any, key: str | None = None, schema: Any = None, constraints: Any = None, **named: Any) -> Any:
    """Calls a function once: from then on its recorded result answers. Awaitable when the function is (`await omium.checkpoint(name, fn)`).

    The arguments are its input: asked for again with others, it raises ReplayMismatch.
    """
    declared: dict[str, Any] = {"schema": schema_of(schema), "constraints": constraints}
    if given or named:
        declared["input"] = _values.encode({"args": list(given), "kwargs": named}, f"the input of {name}")
    if inspect.iscoroutinefunction(function):
        return _checkpoint_async(name, function, given, named, key, declared, agent_name.get())
    step = running().begin(name, key=key, **declared)
    if step.state != "run":
        return decoded(step.output)
    try:
        result = function(*given, **named)
    except BaseException as error:
        _tell_failure(step, error)
        raise
    if inspect.isawaitable(result):
        return _checkpoint_result(step, result, schema)
    return _record(step, result, schema)


async def _checkpoint_async(
    name: str, function: Callable[..., Awaitable[Any]], given: tuple[Any, ...], named: dict[str, Any], key: str | None, declared: dict[str, Any], called: str | None
) -> Any:
    token = agent_name.set(called)
    try:
        step = await in_thread(running().begin, name, key=key, **declared)
    finally:
        agent_name.reset(token)
    if step.state != "run":
        return decoded(step.output)
    try:
        result = await function(*given, **named)
    except BaseException as error:
        await asyncio.shield(asyncio.ensure_future(in_thread(_tell_failure, step, error)))
        raise
    return await in_thread(_record, step, result, declared["schema"])


async def _checkpoint_result(step: Step, result: Awaitable[Any], schema: Any) -> Any:
    try:
        value = await result
    except BaseException as error:
        await asyncio.shield(asyncio.ensure_future(in_thread(_tell_failure, step, error)))
        raise
    return await in_thread(_record, step, value, schema)


def transaction(
    name: str, function: Callable[..., Any], *given: Any, effect: Effect | None = None, compensate: Callable[..., Any] | str | None = None, verify: Callable[..., Any] | None = None,
    idempotency_key: str | None = None, approval: bool = False, amount_usd: float | None = None, key: str | None = None, **named: Any,
) -> Any:
    """Calls a function that changes the world outside: as `with Transaction(...)`, without rewriting. Awaitable when the function is.

    A parameter of the function called `idempotency_key` is given the key to send along.
    """
    block = Transaction(name, effect=effect, compensate=compensate, verify=verify, idempotency_key=idempotency_key, approval=approval, amount_usd=amount_usd, key=key)
    block.is_function = True
    if given or named:
        block._declared["input"] = _values.encode({"args": list(given), "kwargs": named}, f"the input of {name}")
    if inspect.iscoroutinefunction(function):
        return _transaction_async(block, function, given, named)
    if not block._enters():
        return block._result()
    try:
        result = function(*given, **_with_key(block, function, named))
        block._gives(result)
    except BaseException as error:
        block._fails(error)
        raise
    return result


async def _transaction_async(block: Transaction, function: Callable[..., Awaitable[Any]], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    if not await block._enters_async():
        return block._result()
    try:
        result = await function(*given, **_with_key(block, function, named))
        await in_thread(block._gives, result)
    except BaseException as error:
        await block._fails_async(error)
        raise
    return result


def _with_key(block: Transaction, function: Callable[..., Any], named: dict[str, Any]) -> dict[str, Any]:
    try:
        takes = "idempotency_key" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        takes = False
    return {**named, "idempotency_key": block.idempotency_key} if takes and "idempotency_key" not in named else named


def _tell_failure(step: Step, error: BaseException) -> None:
    if isinstance(error, (Exception, asyncio.CancelledError)):
        running().fail(step, error)


def _record(step: Step, result: Any, schema: Any) -> Any:
    try:
        output = _values.plain(result, f"the result of {step.name}") if schema is not None else _values.encode(result, f"the result of {step.name}")
    except OmiumError as error:
        _tell_failure(step, error)
        raise
    running().finish(step, output)
    return result


class capture_failure:  # noqa: N801: used as a function.
    """Records what fails: `with capture_failure("scoring"):`, or `capture_failure("scoring", error)`. The exception goes on its way."""

    def __init__(self, name: str, error: BaseException | None = None):
        self._name = name
        if error is not None:
            self._tell(error)

    def __enter__(self) -> "capture_failure":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, Exception):
            self._tell(error)

    async def __aenter__(self) -> "capture_failure":
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, Exception):
            await in_thread(self._tell, error)

    def _tell(self, error: BaseException) -> None:
        session = running()
        step = session.begin(self._name)
        if step.state == "run":
            session.fail(step, error)
