"""The data directory of a local stack: its paths, and the lock that one stack at a time holds."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from keyturn.local.errors import StackError
from keyturn_shared.private_files import PRIVATE_DIRECTORY, PRIVATE_FILE, write_private

LEFTOVER_SECONDS: Final = 12.0
"""Time that the processes of a killed stack may take to notice it and end."""


class DataDirectory:
    """Paths in the data directory. ``prepare`` creates it, ``lock`` reserves it for one stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @property
    def local_file(self) -> Path:
        """The file with the stack's URLs and processes, written while it is ready."""
        return self.path / "local.json"

    @property
    def secrets_file(self) -> Path:
        """The file with the stack's keys and its first admin, created once."""
        return self.path / "secrets.env"

    @property
    def database(self) -> Path:
        return self.path / "keyturn.db"

    @property
    def redis(self) -> Path:
        """The directory of the embedded Redis."""
        return self.path / "redis"

    @property
    def gateway(self) -> Path:
        """The directory of the gateway: its configuration, and request bodies in transit."""
        return self.path / "gateway"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def port(self) -> int | None:
        """The port of the last start, None before the first. Tokens and assertions name the base URL, so
        it should stay the same."""
        try:
            text = self._port_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return int(text) if text.isdigit() and 0 < int(text) < 65_536 else None

    def keep_port(self, port: int) -> None:
        """Keep the port for the next start. Raises StackError."""
        try:
            write_private(self._port_file, f"{port}\n")
        except OSError as error:
            raise StackError(f"{self._port_file} cannot be written: {error.strerror or error}") from error

    @property
    def _port_file(self) -> Path:
        return self.path / "port"

    def prepare(self) -> None:
        """Create the directory, mode 0700, and check that it is writable. Raises StackError."""
        try:
            self.path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            probe = self.path / f".probe.{os.getpid()}"
            write_private(probe, "")
            probe.unlink()
            for directory in (self.logs, self.gateway):
                directory.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"the data directory {self.path} cannot be written to: {error.strerror or error}"
            ) from error

    @contextlib.contextmanager
    def lock(
        self,
        *,
        leftover_seconds: float = LEFTOVER_SECONDS,
        pause: Callable[[float], None] = time.sleep,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> Iterator[int]:
        """Lock the directory. Yield the lock's file descriptor, for children to inherit.

        The lock belongs to the open file, so it lasts until the last process that inherited it has ended. A
        stack started after another one was killed thus waits for the other's processes. Raises StackError
        when another stack runs.
        """
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            deadline = elapsed() + leftover_seconds
            while not _try_lock(descriptor):
                holder = _read_pid(descriptor)
                if holder and _is_alive(holder):
                    raise StackError(f"another keyturn up (process {holder}) is using {self.path}")
                if elapsed() >= deadline:
                    raise StackError(f"processes left over from a killed stack are still using {self.path}")
                pause(0.05)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
