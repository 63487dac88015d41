"""A failing test leaves no process behind, however it failed and whatever state its processes are in.

Each case is a separate run of pytest: one test fails on purpose, the next one checks what is still running.
"""

import os
import subprocess
import sys
import uuid
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

REPOSITORY: Final = Path(__file__).parents[3]
_MARK: Final = "MARK_OF_THIS_RUN"

_LOOKS: Final = f'''

def test_afterwards():
    """By the mark in the environment, which every descendant has."""
    mark = os.environ["{_MARK}"].encode()
    left = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            with suppress(OSError):
                if mark in (process / "environ").read_bytes():
                    left.append((process / "cmdline").read_bytes())
    assert left == []
'''

_HEAD: Final = """
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

"""

CASES: Final = {
    "a process that ignores SIGTERM with its child, one that stands still, one that cannot be ended": """
        STUBBORN = '''
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
        print("started", flush=True)
        time.sleep(300)
        '''

        def test_that_fails(processes):
            stubborn = processes.start([sys.executable, "-c", STUBBORN.replace("\\n        ", "\\n")])
            while "started" not in stubborn.output():
                time.sleep(0.05)
            processes.start([sys.executable, "-c", "import time; time.sleep(300)"]).pause()
            last = processes.start([sys.executable, "-c", "import time; time.sleep(300)"])
            sound = last.stop

            def stop():
                sound()
                raise RuntimeError("by purpose")

            last.stop = stop
            raise AssertionError
        """,
    "a local stack in use": """
        from tests.e2e.conftest import data, make_stack

        def test_that_fails(make_stack):
            make_stack("--no-demo", nodes=1).start()
            raise AssertionError
        """,
    "a local stack that does not become ready": """
        from tests.testkit import local_stack as running
        from tests.e2e.conftest import data, make_stack

        def test_that_fails(make_stack, monkeypatch):
            monkeypatch.setattr(running, "READY_SECONDS", 0.2)
            make_stack("--no-demo", nodes=1).start()
        """,
    "a storm whose services do not start": """
        from tests.storm.fleet import StormFleet
        from tests.storm.run import Plan, storm

        async def test_that_fails(tmp_path, monkeypatch):
            monkeypatch.setattr(StormFleet, "_sentinel", None)
            await storm(tmp_path, Plan())
        """,
    "instances of the credentials service": """
        from tests.durability import run

        async def test_that_fails(tmp_path, monkeypatch):
            monkeypatch.setattr(run, "Admin", None)
            options = {"instances": 1, "writers": 1, "seconds": 1.0, "pause": 1.0, "seed": 1}
            await run.run(tmp_path, database="sqlite", **options)
        """,
    "instances of the credentials service in a test that takes too long": """
        from tests.durability import run

        @pytest.mark.timeout(5)
        async def test_that_fails(tmp_path):
            options = {"instances": 1, "writers": 1, "seconds": 600.0, "pause": 1.0, "seed": 1}
            await run.run(tmp_path, database="sqlite", **options)
        """,
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("case", CASES)
def test_what_a_failed_test_has_started_is_ended(case: str, tmp_path: Path) -> None:
    file = tmp_path / "test_case.py"
    file.write_text(_HEAD + dedent(CASES[case]) + _LOOKS)
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.testkit.processes", "-c", "pyproject.toml"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(REPOSITORY), str(file)],
        cwd=REPOSITORY,
        env=os.environ | {_MARK: uuid.uuid4().hex},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "1 passed" in run.stdout, run.stdout
    assert "1 failed" in run.stdout, run.stdout
    assert "test_that_fails" in run.stdout
