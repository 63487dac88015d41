"""Ports for processes that must be given theirs, and that keep it over restarts.

A port that the system chose and that was released is free until the process has it: another test may get it,
and any connection may use it. These come from below the system's range, and every process of a test run has
its own part.
"""

import os
import random
import socket
from collections.abc import Iterator

_FIRST, _PARTS, _SIZE = 10_000, 16, 1_400
"""Up to 32,400: Linux chooses from 32,768 on, others from 49,152 on."""


def _candidates() -> Iterator[int]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    part = int(worker) % _PARTS if worker else random.randrange(_PARTS)
    number = random.randrange(_SIZE)  # another run may be in progress on this machine
    while True:
        yield _FIRST + part * _SIZE + number % _SIZE
        number += 1


_CANDIDATES = _candidates()


def find_free_port() -> int:
    """Return an unused loopback port that no other test will get soon. Raises OSError."""
    for _ in range(_SIZE):
        port = next(_CANDIDATES)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no free port")


def find_free_ports(count: int) -> list[int]:
    """Return several ports, all different."""
    return [find_free_port() for _ in range(count)]
