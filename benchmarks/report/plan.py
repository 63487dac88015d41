"""The benchmarks of a report, in the order in which they run."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Planned:
    """A benchmark, with the arguments of a full and of a quick run, and the longest time that a run may take,
    in seconds. ``name``: as in its results, and in the markers of its table."""

    name: str
    module: str
    full: str
    quick: str
    longest: float = 300.0


PLAN: Final = (
    Planned("jose_verify", "jose_verify", "--rounds 31", "--rounds 15"),
    Planned(
        "verification", "verifier.verification", "--rounds 3 --seconds 3", "--rounds 3 --seconds 2", 600.0
    ),
    Planned("library", "verifier.library", "--rounds 5 --seconds 2", "--rounds 5 --seconds 1"),
    Planned("revocations", "verifier.revocations", "--rounds 3 --seconds 3", "--rounds 1 --seconds 2"),
    Planned("batches", "verifier.batches", "--rounds 3 --seconds 3", "--rounds 1 --seconds 2"),
    Planned("token_endpoint", "verifier.token_endpoint", "--rounds 5 --seconds 3", "--rounds 5 --seconds 2"),
    Planned(
        "offered_load", "verifier.offered_load", "--rounds 2 --seconds 2", "--rounds 1 --seconds 1", 600.0
    ),
    Planned("workers", "verifier.workers", "--rounds 3 --seconds 3", "--rounds 1 --seconds 2"),
    Planned(
        "clients", "verifier.clients", "--rounds 3 --seconds 2", "--clients 1 1000 --rounds 1 --seconds 1"
    ),
    Planned("memory", "verifier.memory", "--clients 100000", "--clients 2000"),
    Planned("propagation", "propagation", "--nodes 1 3 10 --changes 200", "--nodes 1 3 --changes 30"),
    Planned("partitions", "partitions", "--rounds 3", "--rounds 1 --assertions 6000"),
    Planned("admin_sqlite", "credentials.admin", "--database sqlite", "--database sqlite --seconds 1"),
    Planned(
        "admin_postgresql", "credentials.admin", "--database postgresql", "--database postgresql --seconds 1"
    ),
)

BY_NAME: Final = {planned.name: planned for planned in PLAN}
