"""Real processes that end with their test."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from keyturn.stack.parent import ending_with_parent
from tests.testkit.ending import GRACE_SECONDS, end_each, end_process, kill_process


class RunningProcess:
    """A process with its output in a file. Signals go to it by its own id."""

    def __init__(self, handle: subprocess.Popen[bytes], log: Path) -> None:
        self._handle = handle
        self.log = log

    @property
    def pid(self) -> int:
        return self._handle.pid

    @property
    def alive(self) -> bool:
        return self._handle.poll() is None

    def output(self) -> str:
        """Return its output so far, of both streams."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self._handle.send_signal(number)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def wait(self, seconds: float) -> int:
        """Return its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        return self._handle.wait(seconds)

    def kill(self) -> None:
        """Kill it and all its children."""
        kill_process(self._handle)

    def stop(self, seconds: float = GRACE_SECONDS) -> int:
        """Send SIGTERM, and SIGKILL after ``seconds``; return its exit code."""
        return end_process(self._handle, seconds)


class Processes:
    """Starts processes and ends those that still run. Each has its own session and, on Linux, always ends
    with the test process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: list[RunningProcess] = []

    def start(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> RunningProcess:
        """Start a program. ``environment``: variables to add to those of the test."""
        log = self._directory / f"{len(self._started)}-{Path(str(arguments[0])).name}.log"
        with log.open("wb") as output:
            handle = subprocess.Popen(
                [str(argument) for argument in arguments],
                cwd=cwd,
                env=dict(os.environ) | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGKILL),
            )
        process = RunningProcess(handle, log)
        self._started.append(process)
        return process

    def end_all(self) -> None:
        """Terminate all at once, then wait for each."""
        for process in self._started:
            process.signal(signal.SIGTERM)
            process.resume()
        end_each(process.stop for process in self._started)


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Starts programs with ``processes.start([program, ...])``, and ends those that still run at the end of
    the test."""
    started = Processes(tmp_path_factory.mktemp("processes"))
    try:
        yield started
    finally:
        started.end_all()
