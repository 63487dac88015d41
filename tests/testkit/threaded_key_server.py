"""Clients' JWKS URLs: a real HTTP server on the loopback interface, in its own thread."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a fetcher may be killed at any time."""


class KeyServer:
    """``pages``: path to status and body; other paths answer 404."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, body = pages.get(self.path, (404, b"nothing here"))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Log nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def serve(self, path: str, *keys: dict[str, object]) -> str:
        """Serve these keys at a path; return its URL."""
        self.pages[path] = (200, json.dumps({"keys": keys}).encode())
        return self.url(path)

    def fail(self, path: str) -> str:
        """Answer 503 at a path; return its URL."""
        self.pages[path] = (503, b"later")
        return self.url(path)
