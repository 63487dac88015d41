"""The agent's listening sockets."""

import os
import socket
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from keyturn.agent.settings import AgentSettings, AgentSettingsError

LOOPBACK: Final = "127.0.0.1"
_PRIVATE: Final = 0o177
_BACKLOG: Final = 128


def listen(settings: AgentSettings) -> socket.socket:
    """Open the socket. One in the file system is for this user only, and takes the place of one that nobody
    listens on any more. Raises AgentSettingsError."""
    if settings.socket is None:
        address = (LOOPBACK, settings.port or 0)
        try:
            return socket.create_server(address, backlog=_BACKLOG)
        except OSError as error:
            raise AgentSettingsError(f"port {settings.port}: {error.strerror or error}") from error
    path = Path(settings.socket)
    try:
        _remove_if_dead(path)
        return _bind(path)
    except OSError as error:
        raise AgentSettingsError(f"socket {path}: {error.strerror or error}") from error


def listen_for_keys(settings: AgentSettings) -> socket.socket | None:
    """Open the socket on which the key set is published; None without one. Raises AgentSettingsError."""
    if settings.jwks_port is None:
        return None
    host = settings.jwks_host or LOOPBACK
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.jwks_port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason = error.strerror or error
        raise AgentSettingsError(f"jwks_port {settings.jwks_port} of {host}: {reason}") from error


def remove(settings: AgentSettings, own: tuple[int, int] | None) -> None:
    """Remove the socket from the file system, unless another agent has put its own there. ``own``: as
    ``identity`` has returned it."""
    if settings.socket is not None and own is not None and identity(settings) == own:
        with suppress(OSError):
            Path(settings.socket).unlink()


def identity(settings: AgentSettings) -> tuple[int, int] | None:
    """Return device and inode of the socket in the file system; None if there is none."""
    if settings.socket is None:
        return None
    try:
        found = Path(settings.socket).lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _bind(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_PRIVATE)  # permissions from the first moment on
    try:
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening


def _remove_if_dead(path: Path) -> None:
    """Remove a socket that an agent has left behind. Raises OSError if it is in use, or is something else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise OSError(None, "there is another file of this name")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(1)
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise OSError(None, "another program is listening on it")
