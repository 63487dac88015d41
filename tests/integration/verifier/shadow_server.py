"""Another server's introspection, as a process on the port that it is given.

Below ``/agrees`` it describes tokens as they say, below other paths it fails in the way of their name.
"""

import base64
import json
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


def _claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {"active": True, "token_type": "Bearer", **claims, "username": claims.get("preferred_username")}


def _agrees(form: dict[str, list[str]]) -> bytes:
    assert (form["client_id"], form["client_secret"]) == (["shadow"], ["of-the-shadow"])
    described = _claims(form["token"][0])
    return json.dumps({name: value for name, value in described.items() if value is not None}).encode()


def _lies(form: dict[str, list[str]]) -> bytes:
    return json.dumps({"active": True, "client_id": "somebody-else"}).encode()


def _hangs(form: dict[str, list[str]]) -> bytes:
    time.sleep(3600)
    return b"{}"


_ANSWERS: dict[str, tuple[int, Callable[[dict[str, list[str]]], bytes]]] = {
    "agrees": (200, _agrees),
    "lies": (200, _lies),
    "refuses": (200, lambda form: b'{"active": false}'),
    "hangs": (200, _hangs),
    "fails": (503, lambda form: b"{}"),
    "babbles": (200, lambda form: b"<html>"),
    "floods": (200, lambda form: b"{" + b" " * 1_000_000),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        status, answer = _ANSWERS[self.path.split("/")[1]]
        body = answer(form)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about a caller that did not wait."""


if __name__ == "__main__":
    server = _Server(("127.0.0.1", int(sys.argv[1])), _Handler)
    server.serve_forever()
