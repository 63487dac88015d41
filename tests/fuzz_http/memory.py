"""Resident memory of other processes."""

from tests.testkit.tools import must_run


def resident_megabytes(pid: int) -> float:
    return int(must_run(["ps", "-o", "rss=", "-p", pid])) / 1024
