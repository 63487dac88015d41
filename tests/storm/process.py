"""A process of a storm."""

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from keyturn.stack.parent import ending_with_parent
from tests.testkit.ending import end_process, kill_process

_GRACE_SECONDS = 10.0


@dataclass
class Process:
    """A real process; every signal goes to it by its own id. It ends with the storm in any case."""

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
        if self.handle is not None:
            kill_process(self.handle)

    def end(self) -> None:
        """Send SIGTERM, and SIGKILL when it takes too long."""
        if self.handle is not None:
            end_process(self.handle, _GRACE_SECONDS)

    @property
    def alive(self) -> bool:
        return self.handle is not None and self.handle.poll() is None
