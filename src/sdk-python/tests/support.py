"""A real server for the tests: the built `omium dev`, started once, on a data directory of its own."""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).resolve().parent / "programs"
START_SECONDS = 60


class Server:
    """One `omium dev`."""

    def __init__(self, binary: str, variables: dict[str, str] | None = None):
        self.folder = tempfile.mkdtemp(prefix="omium-sdk-")
        self.process = subprocess.Popen(
            [binary, "dev", "--data", os.path.join(self.folder, "data"), "--port", "0", "--no-console", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True, cwd=self.folder,
            env={**os.environ, **(variables or {})},
        )
        assert self.process.stdout is not None
        killer = threading.Timer(START_SECONDS, self.process.kill)
        killer.start()
        line = self.process.stdout.readline()
        killer.cancel()
        if not line:
            raise RuntimeError("omium dev did not start")
        told = json.loads(line)
        self.url, self.key = told["url"].rstrip("/"), told["key"]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_server: Server | None = None


def server() -> Server:
    """The server of this run; skips the test when no binary was built."""
    global _server
    if _server is None:
        binary = os.environ.get("OMIUM_BINARY")
        if not binary or not os.access(binary, os.X_OK):
            raise unittest.SkipTest("OMIUM_BINARY names no built omium")
        _server = Server(binary)
        atexit.register(_server.stop)
    return _server


class ServerTest(unittest.TestCase):
    """A test against the server: the environment points at it, and no configuration of this machine is read."""

    def setUp(self) -> None:
        self.server = server()
        self.folder = tempfile.mkdtemp(prefix="omium-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        kept = {name: os.environ.get(name) for name in ("OMIUM_BASE_URL", "OMIUM_API_KEY", "XDG_CONFIG_HOME", "OMIUM_EXECUTION_ID")}
        self.addCleanup(_restore, kept)
        os.environ.update(OMIUM_BASE_URL=self.server.url, OMIUM_API_KEY=self.server.key, XDG_CONFIG_HOME=self.folder)
        os.environ.pop("OMIUM_EXECUTION_ID", None)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a program that uses the package from its source."""
        return {**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONUNBUFFERED": "1", **more}

    def program(self, name: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs a program of tests/programs to its end."""
        return subprocess.run(
            [sys.executable, str(PROGRAMS / name), *arguments], env=self.environment(**more), capture_output=True, text=True, timeout=120, cwd=self.folder, check=False
        )


def fresh(prefix: str = "run") -> str:
    """An execution key that nothing else uses."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def until(condition, seconds: float = 20.0):
    """The condition's answer once there is one; polled, because what is waited for happens in another process."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"did not come within {seconds} s")
        time.sleep(0.01)
    return found


@contextlib.contextmanager
def told():
    """What is written to standard error meanwhile."""
    kept, sys.stderr = sys.stderr, io.StringIO()
    try:
        yield sys.stderr
    finally:
        sys.stderr = kept


def _restore(kept: dict[str, str | None]) -> None:
    for name, value in kept.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
