"""Set-up of a process's server: the classes of its connections, its socket and its file limit."""

import resource
import socket
from typing import Any, Final, TypeVar, cast

import structlog

from keyturn_shared.errors import ConfigurationError

_Connection = TypeVar("_Connection", bound=type)

BACKLOG: Final = 2048
_OTHER_FILES: Final = 256
"""Other files of the process: the database, Redis, listeners and logs."""

_log = structlog.get_logger(__name__)


def configured(connection: _Connection, **attributes: Any) -> _Connection:
    """Return a subclass with these attributes, which all connections of one server share."""
    return cast("_Connection", type(f"Configured{connection.__name__}", (connection,), attributes))


def family_of(host: str) -> socket.AddressFamily:
    """Return the family of the socket that listens at this address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def listen(host: str, port: int) -> socket.socket:
    """Listen on a socket. Raises ConfigurationError."""
    try:
        return socket.create_server((host, port), family=family_of(host), backlog=BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"{host} port {port} cannot be opened for listening: {error.strerror}"
        ) from error


def make_room(connections: int) -> None:
    """Raise the limit on open files to fit the connections, where the system allows it. The usual soft limit
    of 1,024 is below the limit of connections, and a process out of files accepts none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < needed:
        _log.warning("file_limit_is_low", files=most, connections=connections)
