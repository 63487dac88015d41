"""A worker's part in the metrics of its node: it writes its own page, and merges those of all."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest

from keyturn_shared.runtime.single_flight import Flight, SingleFlight
from keyturn_verifier.workers.exposition import END_OF_PAGE, merged_page
from keyturn_verifier.workers.records import Kind, Record, close_descriptor

PAGE_SECONDS: Final = 2.0
"""Seconds that the others have for their pages. Who does not answer is left out."""
_READ: Final = 65_536

_log = structlog.get_logger(__name__)


@dataclass
class _Question:
    """The pages that were promised. ``complete``: True when the last one was; ``unasked``: workers
    without."""

    complete: asyncio.Event = field(default_factory=asyncio.Event)
    promised: list[tuple[str | None, int]] = field(default_factory=list)
    unasked: int = 0


class Pages:
    """The metrics of a node, for one of its workers. ``ask``: asks the parent for the pages of all."""

    def __init__(self, slot: int, registry: CollectorRegistry, ask: Callable[[int], None]) -> None:
        self._slot = slot
        self._registry = registry
        self._ask = ask
        self._number = 0
        self._questions: dict[int, _Question] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._flights: SingleFlight[None, bytes] = SingleFlight()

    async def page(self) -> bytes:
        """Return the metrics of all workers and of the parent as one page."""
        return await self._flights.run(None, self._gather)

    def received(self, record: Record) -> None:
        """Handle a record about pages."""
        if record.kind is Kind.WRITE_PAGE:
            task = asyncio.create_task(self._write(record))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)
            return
        question = self._questions.get(record.number)
        if question is None:
            close_descriptor(record)  # it came too late
        elif record.kind is Kind.PAGES_END:
            question.unasked = record.slot
            question.complete.set()
        elif record.descriptor is not None:
            name = str(record.slot) if record.kind is Kind.PAGE else None
            question.promised.append((name, record.descriptor))

    async def _gather(self, _: Flight) -> bytes:
        self._number += 1
        question = self._questions[self._number] = _Question()
        self._ask(self._number)
        with suppress(TimeoutError):
            async with asyncio.timeout(PAGE_SECONDS):
                await question.complete.wait()
        del self._questions[self._number]
        names = [name for name, _ in question.promised]
        texts = await asyncio.gather(*(_read_page(descriptor) for _, descriptor in question.promised))
        by_name = dict(zip(names, texts, strict=True))
        own = by_name.pop(None, None) or ""
        pages = {name: text for name, text in by_name.items() if name is not None and text is not None}
        missing = question.unasked + len(by_name) - len(pages)
        if not pages:
            pages = {str(self._slot): generate_latest(self._registry).decode()}
        if missing:
            _log.warning("pages_missing", workers=missing)
        return merged_page(pages, own, missing=missing)

    async def _write(self, record: Record) -> None:
        if record.descriptor is None:
            return
        with socket.socket(fileno=record.descriptor) as out, suppress(OSError, TimeoutError):
            out.setblocking(False)
            async with asyncio.timeout(PAGE_SECONDS):
                page = generate_latest(self._registry) + END_OF_PAGE
                await asyncio.get_running_loop().sock_sendall(out, page)


async def _read_page(descriptor: int) -> str | None:
    """Read a page to its end. Return None if it does not come in time, or only in part."""
    octets = bytearray()
    with socket.socket(fileno=descriptor) as source, suppress(OSError, TimeoutError):
        source.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PAGE_SECONDS):
            while received := await loop.sock_recv(source, _READ):
                octets += received
    return octets.removesuffix(END_OF_PAGE).decode() if octets.endswith(END_OF_PAGE) else None
