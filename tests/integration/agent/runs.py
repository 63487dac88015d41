"""Runs of a sink with a clock that only the test moves."""

from pathlib import Path

from keyturn import ClientSecret
from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.delivery import Sink
from keyturn.agent.sinks.record import Record
from keyturn.agent.sinks.runner import SinkRunner

FIRST, SECOND = "first secret of orders", "second secret of orders"
CLIENT = Client("https://id.example.test/realms/acme", "orders")


class Run:
    """A runner of one sink. ``time``: seconds, of both clocks. ``attempt_seconds``: from the next restart
    on."""

    def __init__(self, sink: Sink, directory: Path) -> None:
        self.time = 1_800_000_000.0
        self.secret = ClientSecret(FIRST)
        self.record = directory / "state.json.sinks"
        self.sink = sink
        self.attempt_seconds = 10.0
        self.restart()

    def restart(self, sink: Sink | None = None) -> None:
        """Begin again with what is on disk."""
        self.runner = SinkRunner(
            sink or self.sink,
            self.secret,
            Record(self.record),
            now=lambda: self.time,
            clock=lambda: self.time,
            jitter=lambda: 1.0,
            attempt_seconds=self.attempt_seconds,
        )

    async def look(self, *, after: float = 0.0) -> dict[str, object]:
        """Let time pass, look, and return the status."""
        self.time += after
        await self.runner.look()
        return self.runner.status.shown()
