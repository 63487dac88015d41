"""Real processes that end with the test that started them."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from keyturn.stack.parent import ending_with_parent

_GRACE_SECONDS = 5.0


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
        """What it printed until now, to both streams."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Nothing happens when it has ended."""
        self._handle.send_signal(number)

    def pause(self) -> None:
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.signal(signal.SIGCONT)

    def wait(self, seconds: float) -> int:
        """Its exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        return self._handle.wait(seconds)

    def kill(self) -> None:
        """End it, and whatever it started, at once."""
        if self.alive:
            os.killpg(self.pid, signal.SIGKILL)
        self._handle.wait(_GRACE_SECONDS)

    def stop(self, seconds: float = _GRACE_SECONDS) -> int:
        """SIGTERM, and SIGKILL after ``seconds``; its exit code."""
        self.signal(signal.SIGTERM)
        self.resume()
        try:
            return self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.wait(0)


class Processes:
    """Starts processes and ends all that still run. Each has a session of its own and, on Linux, ends with
    the test process however that ends."""

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
        """Ask all at once, then wait for each."""
        for process in self._started:
            process.signal(signal.SIGTERM)
            process.resume()
        for process in reversed(self._started):
            process.stop()


@pytest.fixture
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """``processes.start([program, ...])``; what still runs when the test ends is ended."""
    started = Processes(tmp_path_factory.mktemp("processes"))
    yield started
    started.end_all()
