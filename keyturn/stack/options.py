"""Options of ``keyturn up``."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed command line. Without ``redis_url`` the stack runs its own Redis, without ``database_url``
    it uses SQLite."""

    nodes: int
    port: int
    data_dir: Path
    demo: bool
    redis_url: str | None
    database_url: str | None
