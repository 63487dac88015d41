"""Memory, descriptors and threads of a process with its children (Linux)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_KIB_PER_MIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """``rss_mib``: resident memory without that which processes share by System V or ``mmap``."""

    rss_mib: float
    descriptors: int
    threads: int


def usage_of(pid: int) -> Usage:
    """Return the usage of a process and all its descendants; one that ends meanwhile counts as nothing."""
    rss, descriptors, threads = 0, 0, 0
    for each in _with_descendants(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{each}/status").read_text().splitlines()
            fields = dict(line.split(":", 1) for line in lines)
            if "VmRSS" in fields:  # else it has ended, and its parent has not asked yet
                descriptors += len(os.listdir(f"/proc/{each}/fd"))
                rss += _kib(fields["VmRSS"]) - _kib(fields["RssShmem"])
                threads += int(fields["Threads"])
    return Usage(rss / _KIB_PER_MIB, descriptors, threads)


def _with_descendants(pid: int) -> Iterator[int]:
    yield pid
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _with_descendants(int(child))


def _kib(field: str) -> int:
    return int(field.split()[0])
