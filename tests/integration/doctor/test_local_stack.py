"""The doctor of a local stack knows it by its data directory."""

import subprocess
import sys
from pathlib import Path

from keyturn.doctor.findings import Area
from tests.testkit.local_stack import Admin, RunningStack

_SECONDS = 110.0


def doctor(data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keyturn", "doctor", "--data-dir", data, "--timeout", "60", *options],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def test_a_local_stack_is_healthy_until_it_is_stopped(tmp_path: Path) -> None:
    with RunningStack(tmp_path / "stack", nodes=2).start() as stack:
        Admin(stack, "acme").make_realm()
        ended = doctor(stack.data)
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = [line.split()[0] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert lines == list(Area)
        assert "2 nodes" in ended.stdout
        assert "PROBLEM" not in ended.stdout
        stack.stop()
        ended = doctor(stack.data)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "no stack is running" in ended.stderr
