"""HTTP servers on the loopback interface that record what they receive and answer by their own rules."""

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as received. ``headers``: by name in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def url(self) -> SplitResult:
        return urlsplit(self.target)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response with this status and JSON, or octets."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Receiver:
    """Answers each request by ``rules``, unless ``first`` still has answers, which are given before.
    ``requests``: all so far. ``stalled``: as long as it is set, requests are not answered."""

    def __init__(self, rules: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.first: list[Answer] = []
        self.stalled = False
        self.rules = rules
        self._go_on = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ssl.SSLError):
                    self.close_connection = True

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                receiver.requests.append(request)
                if receiver.stalled:
                    receiver._go_on.wait(60)
                answer = receiver.first.pop(0) if receiver.first else receiver.rules(request)
                text = answer.body
                if not isinstance(text, bytes):
                    text = b"" if text is None else json.dumps(text).encode()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def do_PATCH(self) -> None:
                self._serve()

            def log_message(self, *arguments: Any) -> None:
                """Log nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: a client that does not trust the certificate breaks off."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
