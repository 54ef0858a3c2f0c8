"""The API as calls: `Client`, and `AsyncClient` with the same calls to be awaited."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Iterator
from urllib.parse import quote, urlencode

from ._http import Transport
from .errors import ExecutionFailed, NeedsPerson

Json = dict[str, Any]


class Client:
    """The API of a server. Safe to use from several threads.

    url, api_key: default OMIUM_BASE_URL and OMIUM_API_KEY, then the configuration file, then `omium dev` on this machine.
    Errors are OmiumError; their text is one line that says what to do.
    """

    def __init__(self, url: str | None = None, api_key: str | None = None, timeout_seconds: float = 90.0):
        self._transport = Transport(url, api_key, timeout_seconds)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.settings.url

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Any request: `client.request("GET", "/v1/me")`."""
        return self._transport.request(method, path, body)

    def me(self) -> Json:
        """Tenant, credits and environment of the key."""
        return self._get("/v1/me")

    def save_workflow(self, spec: Json) -> Json:
        """Saves a workflow as its next version."""
        return self._post("/v1/workflows", {"spec": spec})

    def validate_workflow(self, spec: Json) -> Json:
        """Every finding of the static checks."""
        return self._post("/v1/workflows/validate", {"spec": spec})

    def import_workflow(self, spec: Json, *, trial: bool = False) -> Json:
        """Saves what an adapter exported, and says which agents were found and what would make it safer. A trial saves nothing."""
        return self._post("/v1/workflows/import", {"source_framework": spec["source_framework"], "spec": spec, "trial": trial})

    def suggest(self, spec: Json) -> Json:
        """Checkpoints, guards and rules that are proposed for a workflow."""
        return self._post("/v1/workflows/suggest", {"spec": spec})

    def workflows(self) -> Iterator[Json]:
        """Saved workflows."""
        return self._pages("/v1/workflows", {})

    def start(self, workflow: str, input: Any = None, *, version: int | None = None, start_key: str | None = None) -> Json:
        """Starts a workflow. With a start_key it starts once, however often it is asked."""
        body = {"workflow": workflow, "input": input, "version": version, "start_key": start_key}
        return self._post("/v1/executions", {name: value for name, value in body.items() if value is not None})

    def executions(self, *, status: str | None = None, workflow: str | None = None, limit: int | None = None) -> Iterator[Json]:
        """Executions, newest first; at most `limit`."""
        return self._pages("/v1/executions", {"status": status, "workflow": workflow}, limit)

    def execution(self, id: str) -> Json:
        """One execution."""
        return self._get(f"/v1/executions/{quote(id)}")

    def timeline(self, id: str) -> Iterator[Json]:
        """What happened, in sentences."""
        return self._pages(f"/v1/executions/{quote(id)}/timeline", {}, page=1_000)

    def verify(self, id: str) -> Json:
        """Proves the log of an execution: identical, consistent, erased or corrupt."""
        return self._get(f"/v1/executions/{quote(id)}/verify")

    def pause(self, id: str, reason: str | None = None) -> Json:
        """Begins nothing new."""
        return self._post(f"/v1/executions/{quote(id)}/pause", {"reason": reason} if reason else {})

    def resume(self, id: str) -> Json:
        """Goes on."""
        return self._post(f"/v1/executions/{quote(id)}/resume", None)

    def cancel(self, id: str) -> Json:
        """Ends an execution; what was done stays done."""
        return self._post(f"/v1/executions/{quote(id)}/cancel", None)

    def rollback(self, id: str, to: str, *, scope: str = "failure", preview: bool = False) -> Json:
        """Takes back what came after a checkpoint or step."""
        return self._post(f"/v1/executions/{quote(id)}/rollback", {"to": to, "scope": scope, "preview": preview})

    def retry(self, id: str, from_: str | None = None) -> Json:
        """Runs again what failed, from its last checkpoint or the one named."""
        return self._post(f"/v1/executions/{quote(id)}/retry", {"from": from_} if from_ else {})

    def reviews(self, *, status: str | None = "open") -> Iterator[Json]:
        """What waits for a person."""
        return self._pages("/v1/reviews", {"status": status})

    def decide(self, review: Json, decision: str, *, note: str | None = None, output: Any = None, accept_residue: bool | None = None) -> Json:
        """Decides a review as it was read. A rollback leaves what nothing can undo only when accept_residue is True."""
        body = {"decision": decision, "digest": review["digest"], "note": note, "output": output, "accept_residue": accept_residue}
        return self._post(f"/v1/reviews/{quote(review['id'])}/decide", {name: value for name, value in body.items() if value is not None})

    def failures(self, *, status: str | None = None) -> Iterator[Json]:
        """Failures, newest first."""
        return self._pages("/v1/failures", {"status": status})

    def wait(self, id: str, *, timeout_seconds: float | None = None) -> Json:
        """The execution, once it has ended or waits for a person."""
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        pause = 0.02
        while True:
            execution = self.execution(id)
            if execution["status"] in ("succeeded", "failed", "cancelled", "paused") or execution.get("waiting_for") == "review":
                return execution
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{id} is {execution['status']} after {timeout_seconds} s; it goes on, look at it with 'omium show {id}'")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)

    def run_workflow(self, workflow: str, input: Any = None, *, start_key: str | None = None, timeout_seconds: float | None = None) -> Any:
        """Starts a workflow and waits for its output. Raises ExecutionFailed, or NeedsPerson when somebody has to decide first."""
        execution = self.wait(self.start(workflow, input, start_key=start_key)["id"], timeout_seconds=timeout_seconds)
        if execution["status"] == "succeeded":
            return execution.get("output")
        if execution["status"] in ("failed", "cancelled"):
            why = (execution.get("failure") or {}).get("message") or execution["status"]
            raise ExecutionFailed(f"{workflow} ({execution['id']}) {execution['status']}: {why}", execution)
        reviews = execution.get("open_reviews") or [None]
        raise NeedsPerson(f"{workflow} ({execution['id']}) waits for a person: decide it with 'omium approve {execution['id']}'", reviews[0])

    def _get(self, path: str) -> Any:
        return self._transport.request("GET", path, patience_seconds=2.0)

    def _post(self, path: str, body: Any) -> Any:
        headers = {"Idempotency-Key": os.urandom(16).hex()} if body is None or "start_key" not in body else None
        return self._transport.request("POST", path, body, headers=headers)

    def _pages(self, path: str, query: dict[str, Any], limit: int | None = None, page: int = 50) -> Iterator[Json]:
        left, cursor = limit, None
        while left is None or left > 0:
            asked = {**query, "limit": page if left is None else min(page, left), "cursor": cursor}
            answer = self._get(f"{path}?{urlencode({name: value for name, value in asked.items() if value is not None})}")
            yield from answer["items"]
            left = None if left is None else left - len(answer["items"])
            cursor = answer.get("next_cursor")
            if cursor is None:
                return


class AsyncClient:
    """The calls of Client, awaited; lists come whole. Each runs beside the event loop."""

    def __init__(self, url: str | None = None, api_key: str | None = None, timeout_seconds: float = 90.0):
        self.client = Client(url, api_key, timeout_seconds)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.client.close()

    async def request(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self.client.request, method, path, body)

    async def me(self) -> Json:
        return await asyncio.to_thread(self.client.me)

    async def save_workflow(self, spec: Json) -> Json:
        return await asyncio.to_thread(self.client.save_workflow, spec)

    async def start(self, workflow: str, input: Any = None, *, version: int | None = None, start_key: str | None = None) -> Json:
        return await asyncio.to_thread(self.client.start, workflow, input, version=version, start_key=start_key)

    async def execution(self, id: str) -> Json:
        return await asyncio.to_thread(self.client.execution, id)

    async def executions(self, *, status: str | None = None, workflow: str | None = None, limit: int = 50) -> list[Json]:
        return await asyncio.to_thread(lambda: list(self.client.executions(status=status, workflow=workflow, limit=limit)))

    async def reviews(self) -> list[Json]:
        return await asyncio.to_thread(lambda: list(self.client.reviews()))

    async def decide(self, review: Json, decision: str, *, note: str | None = None, output: Any = None) -> Json:
        return await asyncio.to_thread(self.client.decide, review, decision, note=note, output=output)

    async def rollback(self, id: str, to: str, *, scope: str = "failure", preview: bool = False) -> Json:
        return await asyncio.to_thread(self.client.rollback, id, to, scope=scope, preview=preview)

    async def retry(self, id: str, from_: str | None = None) -> Json:
        return await asyncio.to_thread(self.client.retry, id, from_)

    async def wait(self, id: str, *, timeout_seconds: float | None = None) -> Json:
        return await asyncio.to_thread(self.client.wait, id, timeout_seconds=timeout_seconds)

    async def run_workflow(self, workflow: str, input: Any = None, *, start_key: str | None = None, timeout_seconds: float | None = None) -> Any:
        return await asyncio.to_thread(self.client.run_workflow, workflow, input, start_key=start_key, timeout_seconds=timeout_seconds)


def run_workflow(workflow: str, input: Any = None, *, start_key: str | None = None, timeout_seconds: float | None = None) -> Any:
    """Starts a saved workflow and waits for its output, with a client made for the call."""
    with Client() as client:
        return client.run_workflow(workflow, input, start_key=start_key, timeout_seconds=timeout_seconds)
