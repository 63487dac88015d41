"""Options of ``keyturn up``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_PORT: Final = 8080


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed command line. Without ``port`` it is that of the last start in the data directory, without
    ``redis_url`` the stack runs its own Redis, without ``database_url`` it uses SQLite."""

    nodes: int
    port: int | None
    data_dir: Path
    demo: bool
    redis_url: str | None
    database_url: str | None
