"""Workers: code of your own that does the `worker` steps of workflows."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, TypeVar
from urllib.parse import quote

from . import _values
from ._http import Transport
from ._session import agent_name, failure_of
from .errors import CreditsExhausted, LeaseLost, NotAllowed, OmiumError

F = TypeVar("F", bound=Callable[..., Any])


class Failed(Exception):
    """Raised by a task: it failed, with a class and whether trying again can help.

    may_have_happened: whether its effect may have happened all the same; None = the server's default (yes, for a step with an external effect).
    """

    def __init__(self, message: str, *, failure_class: str = "tool_error", permanent: bool = False, may_have_happened: bool | None = None):
        super().__init__(message)
        self.failure_class = failure_class
        self.permanent = permanent
        self.may_have_happened = may_have_happened


@dataclass(frozen=True)
class Task:
    """A task as it was leased."""

    id: str
    kind: str
    queue: str
    execution: str
    workflow: str
    step: str
    input: Any
    idempotency_key: str | None
    lease_ms: int
    attempt: int
    raw: dict[str, Any]


class Worker:
    """Does tasks of queues: polls, sends heartbeats while a task runs, and tells what came of it.

        worker = Worker()

        @worker.task("mailings")
        def send(input, idempotency_key=None):
            return {"sent": mail(input["to"])}

        worker.run()

    A task's function is given what it asks for by name: the members of an input object, then input, task and idempotency_key; a parameter annotated as Task the
    whole task, a single other parameter the input. It may be `async`. concurrency: tasks at a time; default 4. What it raises fails the task.
    """

    def __init__(self, *, url: str | None = None, api_key: str | None = None, name: str | None = None, concurrency: int = 4, poll_wait_ms: int = 20_000):
        self._transport = Transport(url, api_key)
        self._name = name or f"{socket.gethostname()}/{os.getpid()}"
        self._concurrency = concurrency
        self._poll_wait_ms = poll_wait_ms
        self._tasks: dict[str, Callable[..., Any]] = {}
        self._handoffs: dict[str, Callable[..., Any]] = {}
        self._stopping = threading.Event()
        self._problem: OmiumError | None = None

    def task(self, queue: str) -> Callable[[F], F]:
        """Marks the function that does the tasks of a queue."""

        def register(function: F) -> F:
            self._tasks[queue] = function
            return function

        return register

    def acknowledges(self, queue: str) -> Callable[[F], F]:
        """Marks the function that says what it sees of each claim of a handoff: `function(message, claims) -> {claim: seen}`."""

        def register(function: F) -> F:
            self._handoffs[queue] = function
            return function

        return register

    def run(self, *, handle_signals: bool = True) -> None:
        """Works until `stop` is called, or SIGINT or SIGTERM comes; then finishes the tasks under way and returns.

        Raises OmiumError when the key is not accepted.
        """
        if not self._tasks:
            raise OmiumError("this worker has no task: mark functions with @worker.task(queue)", "no_tasks")
        if handle_signals and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stop())
        threads = [threading.Thread(target=self._work, name=f"omium-worker-{number}") for number in range(self._concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)
        self._transport.close()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """Takes no further task. Those under way are finished."""
        self._stopping.set()

    def run_once(self, *, wait_ms: int = 0) -> bool:
        """Takes one task and does it; False when there was none."""
        task = self._poll(wait_ms)
        if task is None:
            return False
        self._do(task)
        return True

    def _work(self) -> None:
        wait = 0.1
        while not self._stopping.is_set():
            try:
                task = self._poll(min(self._poll_wait_ms, 1_000 if self._stopping.is_set() else self._poll_wait_ms))
                wait = 0.1
                if task is not None:
                    self._do(task)
            except (NotAllowed, CreditsExhausted) as error:
                self._problem = error
                self.stop()
            except OmiumError as error:
                print(f"omium: {error}; trying again", file=sys.stderr, flush=True)
                self._stopping.wait(wait)
                wait = min(wait * 2, 5.0)

    def _poll(self, wait_ms: int) -> Task | None:
        answer = self._transport.request("POST", "/v1/workers/poll", {"queues": list(self._tasks), "wait_ms": wait_ms, "worker": self._name})
        if not answer:
            return None
        return Task(
            answer["id"], answer["kind"], answer["queue"], answer["execution"], answer["workflow"], answer["step"], answer.get("input"), answer.get("idempotency_key"),
            answer["lease_ms"], answer.get("attempt", 1), answer,
        )

    def _do(self, task: Task) -> None:
        done, lost = threading.Event(), threading.Event()
        heart = threading.Thread(target=self._beat, args=(task, done, lost), daemon=True)
        heart.start()
        token = agent_name.set(task.step)
        try:
            told = self._outcome(task)
        finally:
            agent_name.reset(token)
            done.set()
        heart.join(1.0)
        word, body = told
        until = time.monotonic() + task.lease_ms / 1000
        try:
            self._transport.request("POST", f"/v1/tasks/{quote(task.id, safe='')}/{word}", body, patience_seconds=max(0.0, until - time.monotonic()))
        except LeaseLost as error:
            print(f"omium: task {task.step} of {task.execution}: {error}", file=sys.stderr, flush=True)

    def _outcome(self, task: Task) -> tuple[str, dict[str, Any]]:
        try:
            if task.kind == "handoff":
                return "complete", {"output": self._acknowledge(task)}
            result = _resolved(_called(self._tasks[task.queue], task))
            return "complete", {"output": _values.plain(result, f"the result of {task.step}")}
        except Failed as failed:
            body = {"message": str(failed), "class": failed.failure_class, "permanent": failed.permanent, "may_have_happened": failed.may_have_happened}
            return "fail", {name: value for name, value in body.items() if value is not None}
        except OmiumError as error:
            return "fail", {"message": str(error), "class": "tool_error", "permanent": True}
        except Exception as error:  # noqa: BLE001: whatever a task raises is its failure.
            failure = failure_of(error)
            return "fail", {"message": f"{type(error).__name__}: {failure['message']}", "class": failure["class"]}

    def _acknowledge(self, task: Task) -> Any:
        function = self._handoffs.get(task.queue)
        if function is None:
            raise OmiumError(f"queue '{task.queue}' is handed something over and nothing here measures it: mark a function with @worker.acknowledges({task.queue!r})", "no_acknowledgement")
        return _values.plain(_resolved(function(task.raw.get("message"), task.raw.get("claims") or [])), "what was seen")

    def _beat(self, task: Task, done: threading.Event, lost: threading.Event) -> None:
        while not done.wait(task.lease_ms / 3000):
            try:
                self._transport.request("POST", f"/v1/tasks/{quote(task.id, safe='')}/heartbeat", {})
            except LeaseLost:
                lost.set()
                return
            except OmiumError:
                continue  # The next one may get through; if none does, the lease runs out, which the answer says.


def _called(function: Callable[..., Any], task: Task) -> Any:
    offered: dict[str, Any] = {"input": task.input, "task": task, "idempotency_key": task.idempotency_key}
    members = task.input if isinstance(task.input, dict) else {}
    parameters = inspect.signature(function).parameters
    given: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if parameter.annotation in (Task, "Task", "omium.Task"):
            given[name] = task
        elif name in members:
            given[name] = members[name]
        elif name in offered:
            given[name] = offered[name]
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            given.update({member: value for member, value in members.items() if member not in given})
        elif parameter.default is inspect.Parameter.empty and len(parameters) > 1:
            raise Failed(f"the task's function asks for '{name}', and its input has no such member", failure_class="schema_violation", permanent=True)
    if not given and len(parameters) == 1:
        return function(task.input)
    return function(**given)


def _resolved(result: Any) -> Any:
    if inspect.isawaitable(result):
        async def wait() -> Any:
            return await result

        return asyncio.run(wait())
    return result
