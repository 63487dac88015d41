"""Loopback ports."""

import errno
import socket
from typing import Final, Self

from keyturn.local.errors import StackError

LOOPBACK: Final = "127.0.0.1"


class ReservedPort:
    """A free loopback port, reserved for one child.

    The socket is bound but does not listen: Linux then gives the port to no process that requests any free
    one, and lets a server with SO_REUSEADDR (asyncio sets it) bind and listen on it, again after a restart.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self.number}"

    def release(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def listen(port: int) -> socket.socket:
    """Open a listening loopback socket. Raises StackError when the port is taken or not permitted."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            reason = "another program is listening on it"
        else:
            reason = getattr(error, "strerror", None) or str(error)
        message = f"port {port} of {LOOPBACK} cannot be used: {reason} (choose one with --port)"
        raise StackError(message) from error
    listener.setblocking(False)
    return listener
