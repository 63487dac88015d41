"""wrk as the load: it takes a fraction of the processor time of a generator in Python."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.results import Figure, figure, ratio
from tests.testkit.debian import debian_program

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_GRACE_SECONDS: Final = 60.0


class LoadError(Exception):
    """The load was not what was to be measured."""


@dataclass(frozen=True)
class WrkResult:
    """``per_second``: answers. Latencies in ms, or 0 for something that has none."""

    per_second: float
    p50: float
    p99: float


Others = tuple[str, Sequence[WrkResult]]
"""Name and rounds of something that a figure is compared with."""


def figure_of(name: str, of: str, rounds: Sequence[WrkResult], *others: Others, each: int = 1) -> Figure:
    """Make a figure of answers, with ratios to others. ``each``: units of work in an answer."""
    ratios = [
        ratio(
            to,
            [each * mine.per_second for mine in rounds],
            [theirs.per_second for theirs in other],
            p99=([mine.p99 for mine in rounds], [theirs.p99 for theirs in other])
            if all(theirs.p99 for theirs in other)
            else None,
        )
        for to, other in others
    ]
    latencies = all(result.p99 for result in rounds)
    return figure(
        name,
        of,
        "1/s",
        [each * result.per_second for result in rounds],
        p50=[result.p50 for result in rounds] if latencies else (),
        p99=[result.p99 for result in rounds] if latencies else (),
        ratios=ratios,
    )


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
    there is no answer, any answer is not a success, or a request that may be sent once was sent again."""
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
    if not result["answers"]:
        raise LoadError("nothing was answered")
    if result["refused"] or result["failed"]:
        raise LoadError(f"{result['refused']} requests were refused, {result['failed']} failed")
    if requests.once and result["sent"] > requests.count:
        raise LoadError(f"only {requests.count} of {result['sent']} requests were new")
    return WrkResult(result["answers"] / result["seconds"], result["p50"], result["p99"])
