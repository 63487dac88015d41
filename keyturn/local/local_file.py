"""``local.json``: the URLs and processes of a running local stack, for people and programs on the same
machine."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keyturn.local.errors import StackError
from keyturn_shared.private_files import write_private


@dataclass(frozen=True, slots=True)
class AdminLogin:
    """The first admin: a confidential client of the realm ``master``."""

    realm: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"AdminLogin({self.realm!r}, {self.client_id!r})"


@dataclass(frozen=True, slots=True)
class RunningNode:
    """A verifier node and its own URL."""

    id: str
    pid: int
    base_url: str


@dataclass(frozen=True, slots=True)
class LocalStack:
    """The content of the file. ``processes`` maps a name to a process id."""

    base_url: str
    admin: AdminLogin
    nodes: tuple[RunningNode, ...]
    processes: dict[str, int]
    redis_url: str
    database_url: str

    def write(self, path: Path) -> None:
        """Replace the file atomically, mode 0600. Raises OSError."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")


def read(path: Path) -> LocalStack | None:
    """Return the stack described by a file; None without a file. Raises StackError for an invalid file."""
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        return LocalStack(
            base_url=str(document["base_url"]),
            admin=AdminLogin(**document["admin"]),
            nodes=tuple(
                RunningNode(str(node["id"]), int(node["pid"]), str(node["base_url"]))
                for node in document["nodes"]
            ),
            processes={str(name): int(pid) for name, pid in document["processes"].items()},
            redis_url=str(document["redis_url"]),
            database_url=str(document["database_url"]),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StackError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(f"{path} was not written by keyturn up: move it elsewhere") from error
