"""The agent's servers, and the work that goes on beside them."""

import asyncio
import socket
from collections.abc import Coroutine, Iterable
from signal import SIGINT, SIGTERM
from typing import Any

from keyturn_shared.errors import KeyturnError
from keyturn_shared.http_server.asgi_connection import AsgiConnection
from keyturn_shared.http_server.server import HttpServer
from keyturn_shared.tasks import end_tasks


class AgentFailedError(KeyturnError):
    """A part of the agent has failed that must not; it ends, to be started again."""

    code = "agent_failed"


class Servers:
    """Servers that start and stop together. ``drain_seconds``: the time that current requests have after a
    stop."""

    def __init__(self, *, drain_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        self._servers: list[tuple[HttpServer, socket.socket]] = []
        self._stopping = False

    def add(self, application: Any, listening: socket.socket) -> None:
        """Serve an application on a socket, which the caller closes."""
        server = HttpServer(application, AsgiConnection, drain_seconds=self._drain_seconds)
        self._servers.append((server, listening))

    async def run_beside(self, works: Iterable[Coroutine[Any, Any, object]]) -> None:
        """Serve until SIGTERM or SIGINT. Raises AgentFailedError as soon as one of the works ends, which
        none should."""
        tasks = [asyncio.create_task(work) for work in works]
        serving = [asyncio.create_task(server.serve(listening)) for server, listening in self._servers]
        for task in (*tasks, *serving):
            task.add_done_callback(lambda _: self._end())
        for number in (SIGTERM, SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        try:
            await asyncio.gather(*serving)
            failed = [task.exception() for task in tasks if task.done()]
        finally:
            await end_tasks(*serving, *tasks)
        if failed:
            raise AgentFailedError(f"the agent cannot go on: {failed[0]!r:.300}")

    def _stop(self) -> None:
        """Finish the current requests; at a second call, do not."""
        self._stopping = True
        for server, _ in self._servers:
            server.stop()

    def _end(self) -> None:
        if not self._stopping:
            self._stop()
