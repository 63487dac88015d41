"""One Redis process."""

from collections.abc import Callable, Sequence
from typing import Any

from keyturn_shared.fleet.scripts import Argument
from tests.simulation.redis_model.commands import COMMANDS, WRITES, Effects, as_replicated
from tests.simulation.redis_model.data import CommandError, Data
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.testkit.simulated_process import SimulatedClock


class RedisServer:
    """A Redis process: data, an identity, a clock, a role.

    ``takes_writes``: enough replicas acknowledge (``min-replicas-to-write``). ``wrote`` is called with the
    effects of each command or script that changed something, as one step. ``readers`` block until something
    is added to a stream.
    """

    def __init__(
        self,
        run_id: str,
        data: Data,
        clock: SimulatedClock,
        engine: ScriptEngine,
        *,
        takes_writes: Callable[["RedisServer"], bool] = lambda server: True,
        wrote: Callable[["RedisServer", Effects], None] = lambda server, effects: None,
    ) -> None:
        self.run_id = run_id
        self.data = data
        self.clock = clock
        self.alive = True
        self.primary = True
        self.cut_off_at: float | None = None
        self.readers: list[Callable[[], None]] = []
        self._now_ms = 0
        self._engine = engine
        self._takes_writes = takes_writes
        self._wrote = wrote
        self._effects: Effects = []

    @property
    def now_ms(self) -> int:
        return int(self.clock.now() * 1000)

    def run(self, package: str, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        """Run a script: nothing comes in between, and no time passes. Raises CommandError."""
        self._now_ms = self.now_ms
        try:
            return self._engine.run(self, package, name, keys, arguments)
        finally:
            self._settle()

    def direct(self, name: bytes, *arguments: bytes) -> Any:
        """Run a command outside scripts. Raises CommandError."""
        self._now_ms = self.now_ms
        try:
            return self.command(name, list(arguments))
        finally:
            self._settle()

    def command(self, name: bytes, arguments: list[bytes]) -> Any:
        """Run one command of a script or of a client, at the time at which that began."""
        now = self._now_ms
        if name == b"TIME":
            microseconds = int(self.clock.now() * 1_000_000)
            return [b"%d" % (microseconds // 1_000_000), b"%d" % (microseconds % 1_000_000)]
        if name == b"INFO":
            role = "master" if self.primary else "slave"
            return f"# Server\r\nrun_id:{self.run_id}\r\n# Replication\r\nrole:{role}\r\n".encode()
        if name in WRITES:
            # Checked at the first write of a script, so that the script stays atomic.
            if not self.primary:
                raise CommandError("READONLY You can't write against a read only replica.")
            if not self._effects and not self._takes_writes(self):
                raise CommandError("NOREPLICAS Not enough good replicas to write.")
            reply = COMMANDS[name](self.data, now, arguments)
            if not (name == b"SET" and reply is None):
                self._effects.append(as_replicated(name, arguments, now))
            return reply
        command = COMMANDS.get(name)
        if command is None:
            raise CommandError(f"ERR unknown command '{name.decode()}'")
        return command(self.data, now, arguments)

    def _settle(self) -> None:
        if self._effects:
            effects, self._effects = self._effects, []
            self._wrote(self, effects)
            if self.readers and any(name == b"XADD" for name, _ in effects):
                readers, self.readers = self.readers, []
                for wake in readers:
                    wake()
