"""What ``keyturn up`` was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read. Without ``redis_url`` the stack has a Redis of its own, without
    ``database_url`` an SQLite file.
    """

    nodes: int
    port: int
    data_dir: Path
    demo: bool
    redis_url: str | None
    database_url: str | None
