"""Sends streams until the time is over. The first fault ends it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import hypothesis
import structlog
from hypothesis import HealthCheck, Phase, given, seed

from tests.fuzz_http.grammar import streams
from tests.fuzz_http.memory import resident_megabytes
from tests.fuzz_http.readings import Reading, differ, read
from tests.testkit.http_edges import Edge, running_edges
from tests.testkit.http_reading.answers import read_answers
from tests.testkit.http_reading.exchange import Received, exchange
from tests.testkit.http_reading.ours import KINDS, serving
from tests.testkit.http_reading.references import running_references
from tests.testkit.http_reading.stream import LAST
from tests.testkit.http_reading.verdict import addressed
from tests.testkit.processes import Processes
from tests.testkit.tls import ServerTls

_EXAMPLES: Final = 100
"""Examples with one seed; then the next seed is used."""
_QUIET_SECONDS: Final = 0.3
"""After this long without an end a stream is half closed: most servers wait for the rest of a message."""
_GROWTH_MEGABYTES: Final = 64.0
_NOT_IMPLEMENTED: Final = frozenset({501, 505})
_COMPLAINTS: Final = ("Traceback", "Exception", "Fatal error", "Task was destroyed")


@dataclass
class Tally:
    """``read`` and ``refused``: streams, by server of keyturn. ``memory``: before and after, in megabytes."""

    streams: int = 0
    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)


@dataclass
class Scene:
    """All servers that get a stream."""

    runner: asyncio.Runner
    ours: dict[str, int]
    references: dict[str, int]
    edges: dict[str, Edge]
    tally: Tally
    complaints: list[str] = field(default_factory=list)

    def send(self, octets: bytes) -> None:
        """Send a stream. Raises AssertionError for a fault."""
        self.runner.run(self._send(octets + LAST))

    async def _send(self, wire: bytes) -> None:
        ports = self.ours | self.references
        received, answered = await asyncio.gather(
            asyncio.gather(*(exchange(port, [wire], quiet=_QUIET_SECONDS) for port in ports.values())),
            asyncio.gather(*(self._answers(edge, wire) for edge in self.edges.values())),
        )
        readings = dict(zip(ports, map(read, received), strict=True))
        for name in self.ours:
            self._judge(name, readings)
        for name, statuses in zip(self.edges, answered, strict=True):
            self.tally.statuses.update(statuses)
            bad = [status for status in statuses if status >= 500 and status not in _NOT_IMPLEMENTED]
            assert not bad, (name, statuses)
        assert not self.complaints, self.complaints
        self.tally.streams += 1

    def _judge(self, name: str, readings: dict[str, Reading]) -> None:
        ours = readings[name]
        assert ours.closed, (name, str(ours))
        assert all(400 <= status < 500 or status in _NOT_IMPLEMENTED for status in ours.statuses), str(ours)
        for reference in self.references:
            assert not differ(ours, readings[reference]), (
                name,
                str(ours),
                reference,
                str(readings[reference]),
            )
        (self.tally.read if ours.reached_the_end else self.tally.refused)[name] += 1

    async def _answers(self, edge: Edge, wire: bytes) -> list[int]:
        received: Received = await exchange(
            edge.port, [addressed(wire, edge.path)], quiet=_QUIET_SECONDS, tls=edge.tls
        )
        return [answer.status for answer in read_answers(received.octets, [])]

    def check_processes(self) -> None:
        """Check that the processes run, and that none logged an unexpected error."""
        for name, edge in self.edges.items():
            if edge.process is not None:
                assert edge.process.alive, name
                lines = edge.process.output().splitlines()
                assert not [line for line in lines if any(word in line for word in _COMPLAINTS)], name

    def memory(self) -> dict[str, float]:
        pids = {name: edge.process.pid for name, edge in self.edges.items() if edge.process is not None}
        return {name: resident_megabytes(pid) for name, pid in pids.items()}


def fuzz(directory: Path, *, seconds: float, first_seed: int = 0) -> Tally:
    """Raises a fault, with the smallest stream that causes it."""
    tally = Tally()
    with running_edges(directory) as edges, asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        scene = runner.run(stack.enter_async_context(_scene(runner, directory, edges, tally)))
        try:
            number, until = first_seed, time.monotonic() + seconds
            _examples(scene, number)  # one-time allocations do not count
            before = scene.memory()
            while time.monotonic() < until:
                number += 1
                _examples(scene, number)
                scene.check_processes()
            after = scene.memory()
        finally:
            runner.run(stack.aclose())
    tally.memory = {name: (before[name], after[name]) for name in before}
    grown = {name: sizes for name, sizes in tally.memory.items() if sizes[1] - sizes[0] > _GROWTH_MEGABYTES}
    assert not grown, grown
    return tally


def _examples(scene: Scene, number: int) -> None:
    @seed(number)
    @hypothesis.settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(streams)
    def run(octets: bytes) -> None:
        scene.send(octets)

    try:
        run()
    except AssertionError as error:
        error.add_note(f"seed {number}")
        raise


@asynccontextmanager
async def _scene(
    runner: asyncio.Runner, directory: Path, edges: dict[str, Edge], tally: Tally
) -> AsyncIterator[Scene]:
    tls = ServerTls.make(directory)
    (directory / "references").mkdir()
    processes = Processes(directory / "references")
    try:
        async with contextlib.AsyncExitStack() as stack:
            references = await stack.enter_async_context(
                running_references(processes, directory / "references")
            )
            ours = {}
            for kind in KINDS:
                if not kind.endswith("TLS"):
                    ours[kind] = (await stack.enter_async_context(serving(kind, tls))).port
            scene = Scene(runner, ours, references, edges, tally)
            asyncio.get_running_loop().set_exception_handler(_noting(scene.complaints))
            structlog.configure(processors=[_Noting(scene.complaints)])
            yield scene
    finally:
        structlog.reset_defaults()
        processes.end_all()


def _noting(complaints: list[str]) -> Any:
    return lambda _, context: complaints.append(repr(context))


class _Noting:
    """Notes errors that a server did not expect. Invalid HTTP is none."""

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints

    def __call__(self, _: Any, level: str, event: Any) -> Any:
        if level == "error":
            self._complaints.append(repr(event))
        raise structlog.DropEvent
