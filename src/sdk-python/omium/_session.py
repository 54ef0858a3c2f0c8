"""One run of a program under an execution: what it asks and tells, its leases, and what it undoes."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import os
import re
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Callable

from . import _values
from ._http import Transport
from .errors import LeaseLost, NeedsPerson, OmiumError, step_failed

_ID = re.compile(r"exe_[0-9a-hjkmnp-tv-z]{26}")
_NAME = re.compile(r"[A-Za-z0-9_:-](?:[A-Za-z0-9_: -]{0,98}[A-Za-z0-9_:-])?")
_WAIT_MS = 20_000
_SERVER_PATIENCE_SECONDS = 60.0

current: contextvars.ContextVar["Session | None"] = contextvars.ContextVar("omium_session", default=None)
agent_name: contextvars.ContextVar[str | None] = contextvars.ContextVar("omium_agent", default=None)

task: contextvars.ContextVar[Any] = contextvars.ContextVar("omium_task", default=None)

compensations: dict[str, Callable[..., Any]] = {}

trusted: set[str] = set()
"""Packages in which agents are written: what is recorded may name functions of these."""


_own: set[str] = set()


class Restart(BaseException):
    """The program has to begin anew from its start: what is recorded answers. Passes every `except Exception`."""


@dataclass
class Step:
    """A step that was asked for."""

    name: str
    key: str
    kind: str
    state: str
    sid: str | None = None
    idempotency_key: str | None = None
    attempt: int = 1
    output: Any = None
    failure: dict[str, Any] | None = None


@dataclass
class Options:
    """How a session behaves.

    lease_seconds: how long a step stays this process's own without a sign of life; default 30.
    wait_for_person_seconds: how long a person is waited for; None (default) = as long as it takes.
    """

    lease_seconds: float = 30.0
    wait_for_person_seconds: float | None = None
    recovery: dict[str, Any] | None = None


@dataclass
class Session:
    """A process at work on an execution. Safe to use from several threads."""

    transport: Transport
    name: str
    options: Options = field(default_factory=Options)
    execution: str = ""
    status: str = ""
    output: Any = None
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}")

    def __post_init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._by: dict[str, Any] = {}
        self._asking: dict[str, Any] = {}
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._heart: threading.Thread | None = None
        self._told_review: str | None = None
        self._epoch: int | None = None
        _own.add(self.owner)

    # ---- the execution ----------------------------------------------------------------------------------------------

    def start(self, execution_id: str | None = None, key: str | None = None, given: Any = None) -> None:
        """Starts the execution, or goes on with the one that the id or key means."""
        check_name(self.name, "the execution")
        body: dict[str, Any] = {"mode": "traced", "trace": {"owner": self.owner, "lease_ms": self._lease_ms, "operations": []}}
        if execution_id is not None and _ID.fullmatch(execution_id):
            body["id"] = execution_id
        else:
            body["name"] = self.name
            if (start_key := key or execution_id) is not None:
                body["start_key"] = start_key
            if given is not None:
                body["input"] = _values.plain(given, "the input")
            if self.options.recovery is not None:
                body["recovery"] = self.options.recovery
        answer = self.transport.request("POST", "/v1/executions", body)
        self.execution = answer["id"]
        self._epoch = answer["trace"].get("epoch")
        self._take(answer["trace"])

    def ready(self) -> None:
        """Before the program runs: what is to be undone is, and a pause is waited for."""
        if self.status in ("paused", "rolling_back"):
            self.begin_anew()

    def catch_up(self) -> None:
        """Before what stands is read: whoever goes on from that has not missed what was taken back before."""
        self._epoch = self._send([{"do": "attach"}]).get("epoch")

    def complete(self, output: Any = None, error: BaseException | None = None) -> None:
        """The program has ended."""
        operation: dict[str, Any] = {"do": "complete"}
        if error is None:
            operation["output"] = output
        else:
            operation["failure"] = failure_of(error)
        while True:
            result = self._ask(operation)
            if result["state"] != "wait":
                break
            self._wait(result, self.name)
        self.close()

    def close(self) -> None:
        """Ends the heartbeats; leases that are held run out by themselves."""
        self.stop()
        self.transport.close()

    def stop(self) -> None:
        """The same for a session whose transport serves others, too."""
        self._ended.set()
        _own.discard(self.owner)

    def begin_anew(self) -> None:
        """Before the program is run again from its start."""
        self._counts.clear()
        self._by.clear()
        with self._lock:
            self._held.clear()
            self._asking.clear()
        self._epoch = None  # Until it is known what it begins with.
        while True:
            answer = self._send([{"do": "attach"}])
            if answer["status"] not in ("paused", "rolling_back"):
                self._epoch = answer.get("epoch")
                return
            if not self._undo(answer):
                self._wait({"state": "wait", "reason": answer["status"], "review": self._review()}, self.name)

    # ---- steps ------------------------------------------------------------------------------------------------------

    def key_of(self, name: str, key: str | None) -> str:
        """The caller's key, or the number of this call of the name."""
        if key is not None:
            return check_name(key, f"the key of {name}")
        who = _task()
        with self._lock:
            if self._asking.setdefault(name, who) is not who:
                raise OmiumError(f"'{name}' is called by two tasks at a time, and nothing says which is which when the program is started again: give each call a key", "key_needed")
            self._counts[name] += 1
            return str(self._counts[name])

    def begin(self, name: str, *, kind: str = "checkpoint", key: str | None = None, **declared: Any) -> Step:
        """Asks for a step until it may run or is answered; waits while another process or a person has the word."""
        check_name(name, "the step")
        step_key = self.key_of(name, key)
        operation = {"do": "begin", "name": name, "key": step_key, "kind": kind, "agent": agent_name.get(), **declared}
        operation = {member: value for member, value in operation.items() if value is not None}
        runs = False
        try:
            while (result := self._ask(operation))["state"] in ("wait", "busy"):
                self._wait(result, name)
            state = result["state"]
            if runs := state in ("run", "verify"):
                self._hold(result["sid"])
            elif state == "failed" or (state == "replay" and "failure" in result):
                raise step_failed(name, result["failure"])
            return Step(name, step_key, kind, state, result.get("sid"), result.get("idempotency_key"), result.get("attempt", 1), result.get("output"), result.get("failure"))
        finally:
            if not runs:
                self._answered(name)

    def finish(self, step: Step, output: Any) -> None:
        """Records the output of a step that ran. Raises StepFailed when it does not meet its checks."""
        self._settle(step, {"do": "finish", "sid": step.sid, "output": output})

    def fail(self, step: Step, error: BaseException, may_have_happened: bool | None = None) -> None:
        """Records that a step failed. Comes back when the exception is to go on its way; begins anew where the policy says so."""
        failure = failure_of(error)
        if may_have_happened is not None:
            failure["may_have_happened"] = may_have_happened
        self._settle(step, {"do": "fail", "sid": step.sid, "failure": failure}, error)

    def verified(self, step: Step, status: str, output: Any = None) -> dict[str, Any]:
        """Tells whether a transaction in doubt happened."""
        operation = {"do": "verified", "sid": step.sid, "status": status}
        return self._ask(operation if output is None else {**operation, "output": output})

    def record(self, name: str, key: str, output: Any) -> None:
        """Begins and finishes a step in one: what stands there already, stays. Begins anew after a pause, in which it may have been taken back."""
        operation = {"do": "record", "name": check_name(name, "the step"), "key": check_name(key, f"the key of {name}"), "output": output}
        while (result := self._ask(operation))["state"] in ("wait", "busy"):
            self._wait(result, name)
            if result.get("reason") in ("paused", "rolling_back"):
                raise Restart
        if result["state"] == "failed":
            raise step_failed(name, result["failure"])

    def handoff(self, sender: str, **told: Any) -> Any:
        """Records a message; raises when it breaks its schema or constraints."""
        check_name(sender, "the agent")
        return self._tell({"do": "handoff", "from": sender, "key": self.key_of(f"handoff:{sender}", told.pop("key", None)), **told}, sender)

    def receive(self, sender: str, **asked: Any) -> Any:
        """The newest message of an agent; waits for one."""
        check_name(sender, "the agent")
        return self._tell({"do": "receive", "from": sender, "key": self.key_of(f"receive:{sender}", asked.pop("key", None)), "agent": agent_name.get(), **asked}, sender)

    # ---- within -----------------------------------------------------------------------------------------------------

    @property
    def _lease_ms(self) -> int:
        return int(self.options.lease_seconds * 1000)

    def _tell(self, operation: dict[str, Any], name: str) -> Any:
        operation = {member: value for member, value in operation.items() if value is not None}
        while True:
            result = self._ask(operation)
            if result["state"] in ("wait", "busy"):
                self._wait(result, name)
                continue
            self._answered(f"{operation['do']}:{name}")
            if result["state"] == "failed" or "failure" in result:
                raise step_failed(name, result["failure"])
            return result.get("output")

    def _settle(self, step: Step, operation: dict[str, Any], error: BaseException | None = None) -> None:
        try:
            result = self._ask(operation)
        except LeaseLost:
            self._release(step)
            if isinstance(error, asyncio.CancelledError):
                return
            raise Restart from None
        self._release(step)
        if isinstance(error, asyncio.CancelledError):
            return  # Whoever cancelled it does not wait for a person.
        while result["state"] == "wait":
            self._wait(result, step.name)
            result = {"state": "retry"}
        if result["state"] in ("retry", "rolled_back", "skipped"):
            self._pause(result.get("retry_after_ms", 0))
            raise Restart
        if result["state"] == "failed" and error is None:
            raise step_failed(step.name, result["failure"])

    def _ask(self, operation: dict[str, Any]) -> dict[str, Any]:
        patience = self.options.wait_for_person_seconds
        wait_ms = _WAIT_MS if patience is None else int(min(_WAIT_MS, patience * 1000))
        try:
            answer = self._send([operation], wait_ms)
            while self._undo(answer):
                answer = self._send([operation], wait_ms)
        except LeaseLost:
            if operation["do"] in ("finish", "fail", "verified"):
                raise
            raise Restart from None  # Something was taken back between two requests.
        result: dict[str, Any] = answer["results"][0]
        return result

    def _send(self, operations: list[dict[str, Any]], wait_ms: int = 0) -> Any:
        body = {"owner": self.owner, "lease_ms": self._lease_ms, "wait_ms": wait_ms, "operations": operations}
        if self._epoch is not None:
            body["epoch"] = self._epoch
        answer = self.transport.request("POST", f"/v1/executions/{self.execution}/trace", body, patience_seconds=_SERVER_PATIENCE_SECONDS)
        self._take(answer)
        return answer

    def _take(self, answer: dict[str, Any]) -> None:
        self.status = answer["status"]
        if self.status == "succeeded":
            self.output = answer.get("output")

    def _wait(self, result: dict[str, Any], name: str) -> None:
        if result["state"] == "busy" and _is_gone(result.get("owner", "")):
            self._send([{"do": "lost", "gone": result["owner"]}])
            return
        review = result.get("review")
        if review is not None and review != self._told_review:
            self._told_review = review
            print(f"omium: {name} waits for a person: review {review} ({self.transport.settings.url}/reviews, or 'omium approve {review}')", file=sys.stderr, flush=True)
        if result.get("reason") == "credits" and self._told_review != "credits":
            self._told_review = "credits"
            print(f"omium: {name} waits for credits: there are none left ({self.transport.settings.url}/billing, or 'omium billing top-up'); it goes on when there are", file=sys.stderr, flush=True)
        if (limit := self.options.wait_for_person_seconds) is not None and result.get("reason") in ("review", "paused"):
            first = self._by.setdefault("waiting", time.monotonic())
            if time.monotonic() - first >= limit:
                raise NeedsPerson(f"{name} waits for a person: decide it with 'omium approve {review or self.execution}', then start the program again with {self.execution}", review)
        self._pause(min(result.get("retry_after_ms", 250), 1_000))

    def _pause(self, wait_ms: float) -> None:
        self._ended.wait(wait_ms / 1000)

    def _review(self) -> str | None:
        reviews = self.transport.request("GET", f"/v1/executions/{self.execution}").get("open_reviews") or []
        return reviews[0] if reviews else None

    def _undo(self, answer: dict[str, Any]) -> bool:
        """Runs the compensation that is due, when this process knows how. True when one ran."""
        due = answer.get("undo")
        if due is None or due.get("retry_after_ms"):
            return False
        if (compensate := self._compensation(due["compensate"])) is None:
            if self._told_review != due["effect_id"]:
                self._told_review = due["effect_id"]
                print(
                    f"omium: {due['name']} is to be undone and this program does not know '{due['compensate']}': register it with @omium.compensation({due['compensate']!r})",
                    file=sys.stderr, flush=True,
                )
            return False
        results = self._send([{"do": "undo", "effect_id": due["effect_id"]}])["results"]
        if results[0]["state"] != "run":
            return False
        told: dict[str, Any] = {"do": "undone", "effect_id": due["effect_id"], "attempt": due["attempt"]}
        try:
            _call(compensate, due)
        except Exception as error:  # noqa: BLE001: whatever it is, it is told, and tried again later or left to a person.
            told["failure"] = {**failure_of(error), "permanent": False}
        self._send([told])
        return True

    def _compensation(self, name: str) -> Callable[..., Any] | None:
        """The function that the program itself gave for the name, or would give: one of the modules that its agents are written in, and no other."""
        if name in compensations:
            return compensations[name]
        if name.partition(":")[0].partition(".")[0] not in trusted:
            return None
        try:
            found = _values.resolve(name)
        except LookupError:
            return None
        return found if inspect.isfunction(found) and _values.name_of(found) == name else None

    def _hold(self, lease: str) -> None:
        with self._lock:
            self._held.add(lease)
            if self._heart is None:
                self._heart = threading.Thread(target=self._beat, name="omium-heartbeat", daemon=True)
                self._heart.start()

    def _release(self, step: Step) -> None:
        with self._lock:
            self._held.discard(step.sid or "")
        self._answered(step.name)

    def _answered(self, name: str) -> None:
        """The call of this name is over: the next one may come from another task."""
        with self._lock:
            self._asking.pop(name, None)

    def _beat(self) -> None:
        while not self._ended.wait(self.options.lease_seconds / 3):
            with self._lock:
                if not self._held:
                    continue
            try:
                self._send([{"do": "renew"}])
            except OmiumError:
                continue  # Whoever works hears of it: the lease runs out, and what is told is refused.


def name_of_code(function: Callable[..., Any]) -> str | None:
    """The name under which a program that is started anew finds the function; None when there is none."""
    return _values.name_of(function)


def check_name(name: str, what: str) -> str:
    """Names are those that every language, address and file name can carry."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OmiumError(f"{what} cannot be called {name!r}: a name has 1 to 100 letters, digits, '_', ':', '-' and inner spaces", "invalid_name")
    return name


def failure_of(error: BaseException) -> dict[str, Any]:
    """An exception as it is recorded."""
    told = getattr(error, "failure", None)
    if isinstance(told, dict) and "class" in told:
        return {"class": told["class"], "code": told.get("code", told["class"])[:100], "message": told.get("message", str(error))[:4_000]}
    kind = "timeout" if isinstance(error, (TimeoutError, asyncio.TimeoutError)) else "tool_error"
    code = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()
    return {"class": kind, "code": code[:100], "message": (str(error) or type(error).__name__)[:4_000]}


def running() -> Session:
    """The session that the caller is in."""
    session = current.get()
    if session is None:
        raise OmiumError("nothing is being executed here: call this within a function marked with @agent, or within 'with start_execution(...)'", "no_execution")
    return session


def _call(compensate: Callable[..., Any], due: dict[str, Any]) -> None:
    offered = {"output": decoded(due.get("output")), "input": _values.decode(due.get("input")), "idempotency_key": due["idempotency_key"]}
    names = list(inspect.signature(compensate).parameters)
    given = {name: offered[name] for name in names if name in offered}
    if names and not given:
        result = compensate(offered["output"])
    else:
        result = compensate(**given)
    if inspect.isawaitable(result):
        _run(result)


def decoded(output: Any) -> Any:
    """What a step gave: of a block the names that it assigned, else the value itself."""
    value = _values.decode(output)
    if isinstance(value, dict) and set(value) <= {"names", "returned", "result"} and "names" in value:
        return value["result"] if "result" in value else value["names"]
    return value


def _run(awaitable: Any) -> None:
    async def wait() -> None:
        await awaitable

    worker = threading.Thread(target=lambda: box.append(_outcome(wait)), daemon=True)
    box: list[BaseException | None] = []
    worker.start()
    worker.join()
    if box and box[0] is not None:
        raise box[0]


def _outcome(wait: Callable[[], Any]) -> BaseException | None:
    try:
        asyncio.run(wait())
    except BaseException as error:  # noqa: BLE001: carried to the thread that waits for it.
        return error
    return None


def _task() -> Any:
    return task.get() or threading.current_thread()


async def in_thread(function: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
    """Runs what waits for the server beside the event loop, in the name of the task that asks."""
    token = task.set(asyncio.current_task())
    try:
        return await asyncio.to_thread(function, *given, **named)
    finally:
        task.reset(token)


def _is_gone(owner: str) -> bool:
    """True for a process of this machine that is not there any more: its leases need not run out."""
    parts = owner.split("/")
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return int(parts[1]) == os.getpid() and owner not in _own


__all__ = ["Options", "Session", "Step"]
