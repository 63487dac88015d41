"""A name of a PostgreSQL server that leads elsewhere after a failover."""

from pathlib import Path

from tests.testkit.postgres import PostgresServer


class DatabaseName:
    """Target of the database's address: a link to a server's directory, moved like a DNS name."""

    def __init__(self, directory: Path) -> None:
        self.link = directory / "name"

    def lead_to(self, server: PostgresServer) -> None:
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(server.directory)

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://keyturn@/{database}?host={self.link}"
