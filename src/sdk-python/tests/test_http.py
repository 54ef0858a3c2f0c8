"""The transport against servers that misbehave, each a few lines in this process."""

from __future__ import annotations

import http.server
import threading
import unittest

import omium
from omium._http import Transport


class Played(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: list = []
    asked: list = []

    def do_GET(self):
        self.asked.append(self.path)
        status, headers, body, closes = self.answers.pop(0)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = closes

    def log_message(self, *_):
        pass


class TransportTests(unittest.TestCase):
    def setUp(self) -> None:
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Played,), {"answers": [], "asked": []}))
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.transport = Transport(f"http://127.0.0.1:{self.server.server_address[1]}", "k")
        self.addCleanup(self.transport.close)

    def play(self, *answers) -> None:
        self.server.RequestHandlerClass.answers.extend(answers)

    @property
    def asked(self) -> list:
        return self.server.RequestHandlerClass.asked

    def test_Limited_IsAskedAgainWhenTheServerSays(self):
        self.play((429, {"Retry-After": "0"}, b"{}", False), (200, {}, b'{"a":1}', False))
        self.assertEqual({"a": 1}, self.transport.request("GET", "/x"))
        self.assertEqual(2, len(self.asked))

    def test_KeptConnection_ThatTheServerClosed_IsOpenedAnew(self):
        self.play((200, {}, b"1", True), (200, {}, b"2", False))
        self.assertEqual([1, 2], [self.transport.request("GET", "/x"), self.transport.request("GET", "/x")])

    def test_OutOfCredits_IsItsOwnError(self):
        self.play((402, {}, b'{"code":"CREDITS_EXHAUSTED","detail":"The balance is 0."}', False))
        with self.assertRaises(omium.CreditsExhausted) as caught:
            self.transport.request("GET", "/x")
        self.assertIn("top up", str(caught.exception))

    def test_AnswerThatIsNoProblemDocument_IsOneLineAllTheSame(self):
        self.play((502, {}, b"<html>bad gateway</html>", False))
        with self.assertRaises(omium.ApiError) as caught:
            self.transport.request("GET", "/x")
        self.assertEqual(("http_502", 1), (caught.exception.code, len(str(caught.exception).splitlines())))

    def test_Unavailable_IsAskedAgainWithPatience(self):
        self.play((503, {}, b"{}", False), (200, {}, b"1", False))
        self.assertEqual(1, self.transport.request("GET", "/x", patience_seconds=5))
