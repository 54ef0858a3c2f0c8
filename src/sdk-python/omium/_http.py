"""Requests over connections that are kept, with errors as exceptions. Safe to use from many threads."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from . import _config
from .errors import ApiError, CreditsExhausted, LeaseLost, NotAllowed, ReplayMismatch, ServerUnreachable

_KEPT_MAX = 8
_LIMITED_SECONDS = 60.0  # How long a request waits in all when the server takes no more for now.


class Transport:
    """Sends JSON and gives JSON back.

    timeout_seconds: how long an answer may take; default 90, more than the longest wait that the server grants.
    """

    def __init__(self, url: str | None = None, key: str | None = None, timeout_seconds: float = 90.0):
        self.settings = _config.settings(url, key)
        self._address = urlsplit(self.settings.url)
        if self._address.scheme not in ("http", "https") or not self._address.hostname:
            raise ServerUnreachable(f"'{self.settings.url}' is no address of a server: it begins with http:// or https://")
        self._timeout_seconds = timeout_seconds
        self._kept: list[http.client.HTTPConnection] = []
        self._is_closed = False
        self._lock = threading.Lock()

    def request(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, patience_seconds: float = 0.0) -> Any:
        """The answer's JSON; None when it has no body.

        patience_seconds: how long to try again while nothing answers. For requests that do no harm when they are sent twice.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        sent = {"Authorization": f"Bearer {self.settings.key}", "Accept": "application/json", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        until, wait = time.monotonic() + patience_seconds, 0.05
        limited_until = time.monotonic() + _LIMITED_SECONDS
        while True:
            try:
                status, answer, retry_after = self._send(method, self._address.path.rstrip("/") + path, content, sent)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() >= until:
                    raise ServerUnreachable(
                        f"no Omium server answers at {self.settings.url} ({error or type(error).__name__}): start one with 'omium dev', or set OMIUM_BASE_URL"
                    ) from None
            else:
                if status == 429 and time.monotonic() + retry_after < limited_until:
                    time.sleep(retry_after)  # Nothing was done: the server says when it will take more.
                    continue
                if status not in (429, 503) or time.monotonic() >= until:
                    return self._read(status, answer)
            time.sleep(wait)
            wait = min(wait * 2, 1.0)

    def close(self) -> None:
        """Closes the connections that are kept; later requests keep none."""
        with self._lock:
            kept, self._kept, self._is_closed = self._kept, [], True
        for connection in kept:
            connection.close()

    def _send(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> tuple[int, bytes, float]:
        with self._lock:
            connection = self._kept.pop() if self._kept else None
        if connection is not None:
            try:
                return self._exchange(connection, method, path, content, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                connection.close()  # Closed by the server while nobody used it: this says nothing about the server.
        return self._exchange(self._connect(), method, path, content, headers)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        return kind(self._address.hostname or "", self._address.port, timeout=self._timeout_seconds)

    def _exchange(self, connection: http.client.HTTPConnection, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> tuple[int, bytes, float]:
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answer = response.read()
            told = response.getheader("Retry-After") or ""
            after = float(told) if told.isdigit() else 1.0
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not response.will_close and not self._is_closed and len(self._kept) < _KEPT_MAX:
                self._kept.append(connection)
                return response.status, answer, after
        connection.close()
        return response.status, answer, after

    def _read(self, status: int, answer: bytes) -> Any:
        if status < 400:
            return json.loads(answer) if answer else None
        try:
            problem = json.loads(answer)
        except ValueError:
            problem = {}
        if not isinstance(problem, dict):
            problem = {}
        code = str(problem.get("code", f"http_{status}"))
        text = str(problem.get("detail") or problem.get("title") or f"{self.settings.url} answered {status}")
        places = [f"{entry.get('pointer') or '(whole)'}: {entry.get('message')}" for entry in problem.get("errors") or [] if entry.get("message") not in text]
        text = "; ".join([text, *places[:5]])
        if status == 402:
            raise CreditsExhausted(f"out of credits: top up, and it goes on ({text})")
        if status in (401, 403) and code in ("unauthenticated", "forbidden", f"http_{status}"):
            raise NotAllowed(f"the key is not accepted by {self.settings.url}: run 'omium init' with a key that has not been revoked, or set OMIUM_API_KEY", code)
        kinds = {"replay_mismatch": ReplayMismatch, "task_fenced": LeaseLost}
        raise kinds.get(code, ApiError)(text, code, status, problem)
