"""A real pgbouncer in front of a test's PostgreSQL."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keyturn.stack.parent import ending_with_parent
from tests.testkit.debian import debian_program
from tests.testkit.ports import find_free_port
from tests.testkit.postgres import PostgresServer
from tests.testkit.tools import ToolError
from tests.testkit.waiting import wait_until_blocking


def find_pgbouncer() -> Path:
    """Find the executable. Raises ToolError."""
    return debian_program("pgbouncer", "usr/sbin/pgbouncer")


@contextmanager
def pgbouncer(server: PostgresServer, pool_mode: str) -> Iterator[int]:
    """Run one with default settings; yield its port."""
    directory = Path(tempfile.mkdtemp(prefix="keyturn-pgb-", dir="/tmp"))
    identity: dict[str, Any] = {}
    program = find_pgbouncer()
    if os.geteuid() == 0:  # it refuses to run as root, and nobody cannot read root's directories
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        program = _copied(program, directory)
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    port = find_free_port()
    (directory / "users").write_text('"keyturn" ""\n')
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.directory} port=5432 user=keyturn\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {pool_mode}\n"
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, directory / "pgbouncer.ini"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            preexec_fn=ending_with_parent(signal.SIGKILL),
            **identity,
        )

    def listens() -> bool:
        if process.poll() is not None:
            raise ToolError(f"pgbouncer does not start:\n{(directory / 'log').read_text()[-2000:]}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until_blocking(listens)
        yield port
    finally:
        process.kill()
        process.wait(5.0)
        shutil.rmtree(directory, ignore_errors=True)


def _copied(program: Path, directory: Path) -> Path:
    """Copy the program to where its user can read it; with the libraries of an unpacked package."""
    root = program.parent / "root"
    if not root.is_dir():
        return program
    shutil.copytree(root, directory / "root", symlinks=True)
    wrapper = directory / program.name
    wrapper.write_text(program.read_text().replace(str(root), str(directory / "root")))
    wrapper.chmod(0o755)
    return wrapper
