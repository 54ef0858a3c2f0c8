"""Agents and the executions they work on: `@agent`, `Agent`, `start_execution`."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from typing import Any, Callable, TypeVar, overload

from . import _values
from ._http import Transport
from ._rewrite import rewrite
from ._session import Options, Restart, Session, agent_name, current, in_thread, trusted
from .blocks import checkpoint, is_block
from .errors import OmiumError, RolledBack

F = TypeVar("F", bound=Callable[..., Any])


class Execution:
    """A traced execution that this process works on: `with start_execution("checkout", key="order-42") as execution:`.

    id: its id. status: as last told. output: what it ended with; set it to what the block gives.
    """

    def __init__(self, name: str, id: str | None, key: str | None, input: Any, options: Options, url: str | None, api_key: str | None):
        self._given = (id or os.environ.get("OMIUM_EXECUTION_ID"), key, input)
        self._session = Session(Transport(url, api_key), name, options)
        self.output: Any = None
        self._token: Any = None

    @property
    def id(self) -> str:
        return self._session.execution

    @property
    def status(self) -> str:
        return self._session.status

    @property
    def session(self) -> Session:
        return self._session

    def __enter__(self) -> "Execution":
        self._start()
        self._token = current.set(self._session)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        current.reset(self._token)
        self._end(error)

    async def __aenter__(self) -> "Execution":
        await in_thread(self._start)
        self._token = current.set(self._session)
        return self

    async def __aexit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        current.reset(self._token)
        await in_thread(self._end, error)

    def _start(self) -> None:
        try:
            self._session.start(*self._given)
        except BaseException:
            self._session.close()
            raise

    def _end(self, error: BaseException | None) -> None:
        if isinstance(error, Restart) or not self._tell(error):
            self._session.close()
            raise RolledBack(f"what this program did was taken back to an earlier step: start it again with OMIUM_EXECUTION_ID={self.id}") from None
        self._session.close()

    def _tell(self, error: BaseException | None) -> bool:
        """Tells how the program ended. False when what it did was taken back meanwhile, and it begins anew."""
        if error is None or (isinstance(error, Exception) and not _leaves_open(error)):
            try:
                self._session.complete(None if error else _values.encode(self.output, "the output"), error)
            except Restart:
                return False
        return True


def _leaves_open(error: BaseException) -> bool:
    """Errors of the way to the server, not of the program: the execution stays as it is, to be gone on with."""
    return isinstance(error, OmiumError) and error.code in ("server_unreachable", "unauthenticated", "CREDITS_EXHAUSTED", "needs_person", "replay_mismatch", "task_fenced", "execution_ended")


def start_execution(
    name: str, *, id: str | None = None, key: str | None = None, input: Any = None, lease_seconds: float = 30.0, wait_for_person_seconds: float | None = None,
    recovery: dict[str, Any] | None = None, url: str | None = None, api_key: str | None = None,
) -> Execution:
    """A traced execution to work on, for `with` and `async with`.

    id: an execution to go on with (or any text of yours that means one); default OMIUM_EXECUTION_ID.
    key: any text; the same key is always the same execution.
    """
    trusted.add(sys._getframe(1).f_globals.get("__name__", "").partition(".")[0])
    return Execution(name, id, key, input, Options(lease_seconds, wait_for_person_seconds, recovery), url, api_key)


@overload
def agent(function: F, /) -> F: ...


@overload
def agent(*, name: str | None = None, lease_seconds: float = 30.0, wait_for_person_seconds: float | None = None, recovery: dict[str, Any] | None = None) -> Callable[[F], F]: ...


def agent(
    function: Any = None, /, *, name: str | None = None, lease_seconds: float = 30.0, wait_for_person_seconds: float | None = None, recovery: dict[str, Any] | None = None
) -> Any:
    """Marks a function as an agent: its `with Checkpoint(...)` and `with Transaction(...)` blocks are recorded, and skipped when it is played again.

    Called outside of an execution it starts one; `execution_id=` (or OMIUM_EXECUTION_ID) names one to go on with. Called within one it takes part in it.
    When a person takes back what it did, it is played again from its start.

    name: default the function's name.
    """
    if function is None:
        return functools.partial(agent, name=name, lease_seconds=lease_seconds, wait_for_person_seconds=wait_for_person_seconds, recovery=recovery)
    trusted.add((function.__module__ or "").partition(".")[0])
    called = name or function.__name__
    body = rewrite(function, is_block)
    takes_id = "execution_id" in inspect.signature(function).parameters
    options = Options(lease_seconds, wait_for_person_seconds, recovery)

    def session_of(given: dict[str, Any]) -> Execution:
        id = given.get("execution_id") if takes_id else given.pop("execution_id", None)
        return Execution(called, id, None, None, options, None, None)

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*given: Any, **named: Any) -> Any:
            if current.get() is not None:
                return await _as_async(called, body, given, named)
            execution = session_of(named)
            await in_thread(execution._start)
            if execution.status == "succeeded":
                execution.session.close()
                return _values.decode(execution.session.output)
            token = current.set(execution.session)
            try:
                while True:
                    try:
                        execution.output = await _as_async(called, body, given, named)
                        if await in_thread(execution._tell, None):
                            return execution.output
                    except Restart:
                        pass
                    except Exception as error:
                        if await in_thread(execution._tell, error):
                            raise
                    await in_thread(execution.session.begin_anew)
            finally:
                current.reset(token)
                execution.session.close()

        run_async._omium_agent = called  # type: ignore[attr-defined]
        return run_async

    @functools.wraps(function)
    def run(*given: Any, **named: Any) -> Any:
        if current.get() is not None:
            return _as(called, body, given, named)
        execution = session_of(named)
        execution._start()
        if execution.status == "succeeded":
            execution.session.close()
            return _values.decode(execution.session.output)
        token = current.set(execution.session)
        try:
            while True:
                try:
                    execution.output = _as(called, body, given, named)
                    if execution._tell(None):
                        return execution.output
                except Restart:
                    pass
                except Exception as error:
                    if execution._tell(error):
                        raise
                execution.session.begin_anew()
        finally:
            current.reset(token)
            execution.session.close()

    run._omium_agent = called  # type: ignore[attr-defined]
    return run


agent._omium_agent = True  # type: ignore[attr-defined]


def _as(called: str, body: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    token = agent_name.set(called)
    try:
        return body(*given, **named)
    finally:
        agent_name.reset(token)


async def _as_async(called: str, body: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]) -> Any:
    token = agent_name.set(called)
    try:
        return await body(*given, **named)
    finally:
        agent_name.reset(token)


class Agent:
    """An agent as a class: write `run`, and call the instance.

        class Scoring(Agent):
            async def run(self, customer):
                with Checkpoint("scored"):
                    score = await ask(customer)
                return score

    name: default the name of the class. The functions it marks with `agent` act in its name.
    """

    name: str = ""

    def __init__(self, name: str | None = None, *, role: str | None = None, goal: str | None = None):
        self.name = name or self.name or type(self).__name__
        self.role = role
        self.goal = goal

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        if "run" in cls.__dict__:
            setattr(cls, "run", agent(name=cls.name or cls.__name__)(cls.__dict__["run"]))

    def __call__(self, *given: Any, **named: Any) -> Any:
        run = getattr(self, "run", None)
        if run is None:
            raise OmiumError(f"{self.name} has no 'run': write one in a subclass, or mark functions with 'agent'")
        return run(*given, **named)

    def agent(self, function: F) -> F:
        """Marks a function as what this agent does."""
        return agent(name=self.name)(function)

    def checkpoint(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """As `omium.checkpoint`, in this agent's name."""
        token = agent_name.set(self.name)
        try:
            return checkpoint(name, function, *given, **named)
        finally:
            agent_name.reset(token)
