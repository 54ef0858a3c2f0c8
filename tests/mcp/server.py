"""A small server of the Model Context Protocol for tests (revision 2025-06-18), over standard input and output or over streamable HTTP.

    server.py --ledger FILE [--http] [--token TOKEN]

Every booking is one line of the ledger, written and synced before it is answered: what happened is counted there, outside Omium. With --http it prints
the port that it listens on. Standard library only.
"""
import argparse
import http.server
import json
import os
import sys
import time


def booked(ledger, key):
    with open(ledger, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if json.loads(line)["key"] == key]


def note(ledger, **entry):
    with open(ledger, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(entry) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def text(value, **more):
    return {"content": [{"type": "text", "text": value}], **more}


def book(ledger, arguments, meta):
    key = meta.get("io.omium/idempotency-key")
    if not (arguments.get("once") and booked(ledger, key)):
        note(ledger, do="book", key=key, effect=meta.get("io.omium/effect"), seat=arguments.get("seat"))
    while os.path.exists(arguments.get("while_exists", "")):
        time.sleep(0.02)  # Holds the answer back until the test lets go.
    return {"content": [], "structuredContent": {"seat": arguments.get("seat"), "key": key}}


def call(ledger, name, arguments, meta):
    if name == "echo":
        return {"content": [], "structuredContent": {"arguments": arguments, "meta": meta, "environment": sorted(os.environ)}}
    if name == "book":
        return book(ledger, arguments, meta)
    if name == "find":
        entries = booked(ledger, arguments["key"])
        return text(json.dumps({"status": "done", "output": {"seat": entries[0]["seat"], "key": arguments["key"]}} if entries else {"status": "not_done"}))
    if name == "cancel":
        note(ledger, do="cancel", key=arguments["key"], effect=meta.get("io.omium/effect"), seat=None)
        return text("cancelled")
    if name == "say":
        return text(arguments["text"])
    if name == "blocks":
        return {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    if name == "refuse":
        return text("no seat is left", isError=True, _meta={"io.omium/happened": arguments["happened"]})
    if name == "large":
        return text("x" * arguments["size"])
    if name == "die":
        sys.stderr.write("out of paper\n")
        sys.stderr.flush()
        os._exit(3)
    if name == "hang":
        time.sleep(600)
    return None


def answer(ledger, message):
    """The response to a request; None to a notification."""
    if "id" not in message:
        return None
    reply = {"jsonrpc": "2.0", "id": message["id"]}
    parameters = message.get("params") or {}
    if message["method"] == "initialize":
        return {**reply, "result": {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "seats", "version": "1"}}}
    if message["method"] == "tools/call":
        result = call(ledger, parameters["name"], parameters.get("arguments") or {}, parameters.get("_meta") or {})
        if result is None:
            return {**reply, "error": {"code": -32602, "message": f"Unknown tool: {parameters['name']}"}}
        return {**reply, "result": result}
    return {**reply, "error": {"code": -32601, "message": "Method not found"}}


def serve_stdio(options):
    for line in sys.stdin:
        response = answer(options.ledger, json.loads(line))
        if response is not None:
            sys.stdout.write(json.dumps(response) + "\n")
            sys.stdout.flush()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.options.token and self.headers.get("Authorization") != f"Bearer {self.server.options.token}":
            return self.reply(401, b"")
        if self.path == "/moved":
            return self.reply(307, b"", Location="/mcp")
        if self.path == "/busy" and body.get("method") == "tools/call":
            return self.reply(503, b"")
        response = answer(self.server.options.ledger, body)
        return self.reply(202, b"") if response is None else self.reply(200, json.dumps(response).encode())

    def do_GET(self):
        self.reply(405, b"")

    def do_DELETE(self):
        self.reply(200, b"")

    def reply(self, status, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), "Mcp-Session-Id": "one", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ledger", required=True)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--token")
    options = parser.parse_args()
    open(options.ledger, "a", encoding="utf-8").close()
    if not options.http:
        return serve_stdio(options)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.options = options
    print(server.server_address[1], flush=True)
    return server.serve_forever()


main()
