"""``/metrics`` and ``/health`` of a prober, served by a thread of their own while rounds are running."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn_shared.asgi import Message, Receive, Send
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.connections import ConnectionLimits, ConnectionTable
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.http_server.serving import configured, listen

_CONNECTIONS: Final = ConnectionLimits(total=64, per_address=64)
_JSON: Final = "application/json"


class Health:
    """Tells whether rounds are completed. ``longest``: seconds that may pass without one."""

    def __init__(self, longest: float, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._longest = longest
        self._elapsed = elapsed
        self._completed_at = elapsed()
        self._result: str | None = None

    def completed(self, result: str) -> None:
        """Note a round."""
        self._result = result
        self._completed_at = self._elapsed()

    def answer(self) -> tuple[int, dict[str, object]]:
        """Return status and body: 200 while rounds are completed, whatever their result, or else 503."""
        silent = self._elapsed() - self._completed_at
        is_well = silent <= self._longest
        body: dict[str, object] = {
            "status": "ok" if is_well else "stuck",
            "last_result": self._result,
            "seconds_since_last_round": round(silent, 1),
        }
        return (200 if is_well else 503), body


class MonitoringPages:
    """The pages, as an ASGI application."""

    def __init__(self, registry: CollectorRegistry, health: Health) -> None:
        self._registry = registry
        self._health = health

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        status, kind, body = self._answer(scope["method"], scope["path"])
        headers = [
            (b"content-type", kind.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        if path not in ("/metrics", "/health"):
            return 404, _JSON, json.dumps({"error": "Not Found"}).encode()
        if method not in ("GET", "HEAD"):
            return 405, _JSON, json.dumps({"error": "Method Not Allowed"}).encode()
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest(self._registry)
        status, body = self._health.answer()
        return status, _JSON, json.dumps(body).encode()


def parse_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT; an IPv6 address is in brackets. Raises CommandError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port[:6]) <= 65535:
        raise CommandError(f"--metrics-address is HOST:PORT, not {text}", ExitCode.USAGE)
    return host.removeprefix("[").removesuffix("]"), int(port)


def serve(address: tuple[str, int], pages: MonitoringPages) -> None:
    """Serve the pages until the process ends. Raises CommandError if the address cannot be used."""
    try:
        listening = listen(*address)
    except (ConfigurationError, OSError) as error:
        detail = error.detail if isinstance(error, ConfigurationError) else str(error)
        raise CommandError(detail, ExitCode.USAGE) from error
    threading.Thread(target=_serve, args=(listening, pages), name="monitoring", daemon=True).start()


def _serve(listening: socket.socket, pages: MonitoringPages) -> None:
    connection = configured(AsgiConnection, table=ConnectionTable(_CONNECTIONS))

    async def run() -> None:
        await HttpServer(pages, connection, drain_seconds=0.0).serve(listening)

    asyncio.run(run())
