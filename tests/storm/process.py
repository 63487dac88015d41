"""A process of a storm."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyturn.stack.parent import ending_with_parent

_KILLED_SECONDS = 10.0
_GRACE_SECONDS = 10.0


@dataclass
class Process:
    """A real process; every signal goes to it by its own id. It ends with the storm, whatever ends that."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    handle: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.handle = subprocess.Popen(
                self.arguments,
                env=self.environment,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                preexec_fn=ending_with_parent(signal.SIGKILL),
            )

    def signal(self, number: signal.Signals) -> None:
        if self.handle is not None and self.handle.poll() is None:
            self.handle.send_signal(number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.handle is not None:
            self.handle.wait(_KILLED_SECONDS)

    def end(self) -> None:
        """Wait for a process that was told to end."""
        if self.handle is not None:
            try:
                self.handle.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def alive(self) -> bool:
        return self.handle is not None and self.handle.poll() is None
