"""An event stream that was open when its caller's permission ended."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import httpx

from tests.integration.revocation.deployment import Server
from tests.integration.revocation.probes import stream_request
from tests.integration.revocation.subjects import Subject

_SECONDS = 120


class OpenStream:
    """Reads until the stream ends. ``newest``: the latest part of the log it reported."""

    def __init__(self, server: Server, subject: Subject) -> None:
        self.subject = subject
        self.newest = -1
        self._begun = asyncio.Event()
        self._task = asyncio.create_task(self._read(server))

    async def begun(self) -> None:
        """Wait until it has reported something."""
        begun = asyncio.create_task(self._begun.wait())
        await asyncio.wait([begun, self._task], timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        assert self._begun.is_set(), f"no stream: {self.subject.cell}"

    async def ended(self) -> bool:
        """Return whether the service ends it, within more time than a busy machine needs."""
        done, _ = await asyncio.wait([self._task], timeout=_SECONDS)
        return bool(done)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _read(self, server: Server) -> None:
        with suppress(httpx.TransportError):  # an aborted stream has ended too
            await self._read_lines(server)

    async def _read_lines(self, server: Server) -> None:
        path, headers = stream_request(self.subject)
        timeout = httpx.Timeout(_SECONDS, pool=None)
        async with server.http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            assert answer.status_code == 200, answer.status_code
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    told: dict[str, Any] = json.loads(line.removeprefix("data: "))
                    self.newest = max(self.newest, told.get("head", -1))
                    self._begun.set()
