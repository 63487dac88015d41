"""An honest caller's view of a server."""

import asyncio
import os
import ssl
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

_PAUSE_SECONDS: Final = 0.005
_ANSWER_SECONDS: Final = 30.0


class Answer(NamedTuple):
    """One answer to the caller."""

    latency_ms: float
    status: int


@dataclass(frozen=True)
class Seen:
    """Latencies in ms, and the count of each status."""

    p50: float
    p99: float
    statuses: dict[int, int]

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Self:
        latencies = sorted(answer.latency_ms for answer in answers)
        statuses = Counter(answer.status for answer in answers)
        return cls(statistics.median(latencies), latencies[int(0.99 * (len(latencies) - 1))], dict(statuses))


async def ask(port: int, request: bytes, *, seconds: float, trust: ssl.SSLContext | None) -> list[Answer]:
    """Send one request after the other on one connection, with a short pause between."""
    name = None if trust is None else "127.0.0.1"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=name)
    answers: list[Answer] = []
    until = time.perf_counter() + seconds
    while not answers or time.perf_counter() < until:
        begun = time.perf_counter()
        writer.write(request)
        async with asyncio.timeout(_ANSWER_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            await reader.readexactly(length)
        answers.append(Answer(1000 * (time.perf_counter() - begun), int(head[9:12])))
        await asyncio.sleep(_PAUSE_SECONDS)
    writer.close()
    return answers


def resident_mib(pid: int) -> float:
    """Return a process's current memory (``VmRSS``)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def processor_seconds(pid: int) -> float:
    """Return a process's processor time, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
