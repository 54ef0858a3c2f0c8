"""The wire as it is frozen in tests/golden/wire: what this SDK sends is what stands there, and what stands there is what it reads. The suites of TypeScript and C# read the same lines."""

from __future__ import annotations

import http.server
import json
import os
import threading
import unittest
from pathlib import Path

import omium
from omium import Consensus, Worker, start_execution
from omium._http import Transport

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden" / "wire"
OWNER = "wire/1/00000000"
SCORE = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]}


class NoLetter(Exception):
    pass


def canonical(value) -> str:
    """Canonical JSON (RFC 8785) of what the files hold: whole numbers, and names of ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def lines_of(name: str) -> list[str]:
    return (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()


class WireTests(unittest.TestCase):
    def setUp(self) -> None:
        kept = {name: os.environ.pop(name, None) for name in ("OMIUM_BASE_URL", "OMIUM_API_KEY", "OMIUM_EXECUTION_ID")}
        self.addCleanup(lambda: os.environ.update({name: value for name, value in kept.items() if value is not None}))

    def serve(self, exchanges: list[dict]) -> tuple[str, list[str]]:
        """A server that answers what is written, in order; and what it was asked, as it would be written."""
        asked: list[str] = []

        class Played(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                exchange = exchanges[len(asked)]
                told = {"method": self.command, "path": self.path, "status": exchange["status"]}
                told.update({"request": json.loads(body)} if body else {}, **({"answer": exchange["answer"]} if "answer" in exchange else {}))
                asked.append(canonical(told))
                answer = canonical(exchange["answer"]).encode() if "answer" in exchange else b""
                self.send_response(exchange["status"])
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Played)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}", asked

    def test_Lines_ReadAndWrittenAgain_AreTheSameBytes(self):
        for name in ("traced", "workers", "errors"):
            for line in lines_of(name):
                self.assertEqual(line, canonical(json.loads(line)))

    def test_TracedExecution_IsAskedAsItIsFrozen(self):
        written = lines_of("traced")
        url, asked = self.serve([json.loads(line) for line in written])
        execution = start_execution("wire", key="wire", url=url, api_key="k")
        execution.session.owner = OWNER
        with execution:
            consensus = Consensus()
            self.assertEqual({"usd": 12}, omium.checkpoint("quote", lambda: {"usd": 12}))
            self.assertEqual({"receipt": "r-1"}, omium.transaction("pay", lambda: {"receipt": "r-1"}, effect="idempotent", compensate="refund"))
            consensus.broadcast_now("scorer", output={"score": 750}, schema=SCORE, constraints={"min": 300, "max": 850})
            self.assertEqual({"score": 750}, consensus.receive_now("scorer", schema=SCORE))
            with self.assertRaises(NoLetter):
                omium.checkpoint("risky", self.fails)
            execution.output = {"done": True}
        self.assertEqual(written, asked)
        self.assertEqual("succeeded", execution.status)

    def test_Worker_AsksAsItIsFrozen(self):
        written = lines_of("workers")
        url, asked = self.serve([json.loads(line) for line in written])
        worker = Worker(name="wire", url=url, api_key="k")

        @worker.task("wire_queue")
        def double(n):
            if n > 21:
                raise omium.Failed(f"no doubling of {n}", failure_class="policy_violation", permanent=True)
            return {"doubled": n * 2}

        self.assertEqual([True, True, False], [worker.run_once(wait_ms=10_000), worker.run_once(wait_ms=10_000), worker.run_once()])
        self.assertEqual(written, asked)

    def test_Errors_AreTheLinesThatAreFrozen(self):
        transport = Transport("http://omium.test", "k")
        for line in map(json.loads, lines_of("errors")):
            with self.subTest(error=line["error"]["code"]), self.assertRaises(omium.OmiumError) as caught:
                transport._read(line["status"], canonical(line["answer"]).encode() if "answer" in line else b"")
            error = caught.exception
            self.assertEqual(line["error"], {"name": type(error).__name__, "code": error.code, "message": str(error)})

    @staticmethod
    def fails():
        raise NoLetter("no letter")
