"""Memory, descriptors and threads of processes."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.testkit.process_memory import usage_of


def test_a_process_counts_with_its_children_descriptors_and_threads(tmp_path: Path) -> None:
    before = usage_of(os.getpid())
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    with (
        (tmp_path / "file").open("wb"),
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child,
    ):
        now = usage_of(os.getpid())
        release.set()
        assert child.stdin is not None
        child.stdin.close()
    thread.join()
    assert now.rss_mib > before.rss_mib > 1
    assert now.threads >= before.threads + 2
    assert now.descriptors >= before.descriptors + 2


def test_a_process_that_has_ended_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    usage = usage_of(child.pid)
    assert (usage.rss_mib, usage.descriptors, usage.threads) == (0.0, 0, 0)
