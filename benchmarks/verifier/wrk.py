"""wrk as the load: it takes a fraction of the processor time of a generator in Python."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.testkit.debian import debian_program

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_GRACE_SECONDS: Final = 60.0


class LoadError(Exception):
    """The load was not what was to be measured."""


@dataclass(frozen=True)
class WrkResult:
    """``per_second``: answers. Latencies in ms."""

    per_second: float
    p50: float
    p99: float


class RequestFile:
    """Raw requests in a file, for wrk. ``count``: how many; ``once``: none may be sent a second time."""

    def __init__(self, requests: Iterable[bytes], *, once: bool = False) -> None:
        self.once = once
        self.count = 0
        descriptor, name = tempfile.mkstemp(prefix="keyturn-requests-")
        with os.fdopen(descriptor, "wb") as out:
            for request in requests:
                self.count += 1
                out.write(b"%d\n%s" % (len(request), request))
        self.path = Path(name)

    def remove(self) -> None:
        self.path.unlink()


def run_wrk(
    port: int, requests: RequestFile, *, seconds: float, core: str, connections: int = 32
) -> WrkResult:
    """Send for some seconds over kept-alive connections, one request at a time on each. Raises LoadError if
    any answer is not a success, or a request that may be sent once was sent again."""
    wrk = debian_program("wrk", "usr/bin/wrk")
    output = subprocess.run(
        [
            *("taskset", "-c", core, str(wrk), "-t1", f"-c{connections}", f"-d{round(seconds)}s"),
            *("-s", str(_SCRIPT), f"http://127.0.0.1:{port}/", "--", str(requests.path)),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=seconds + _GRACE_SECONDS,
    ).stdout
    result = json.loads(output.splitlines()[-1])
    if result["refused"] or result["failed"]:
        raise LoadError(f"{result['refused']} requests were refused, {result['failed']} failed")
    if requests.once and result["sent"] > requests.count:
        raise LoadError(f"only {requests.count} of {result['sent']} requests were new")
    return WrkResult(result["answers"] / result["seconds"], result["p50"], result["p99"])
