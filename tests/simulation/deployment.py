"""Redis in operation: a primary, a replica that lags behind, and their failures."""

import random
from collections import deque
from collections.abc import Callable
from typing import Final

from keyturn_shared.fleet.layout import Layout
from tests.simulation.redis_model.commands import Effects, replay
from tests.simulation.redis_model.data import Data
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.redis_model.server import RedisServer
from tests.testkit.simulated_process import SimulatedClock
from tests.testkit.virtual_loop import VirtualLoop

MAX_LAG_SECONDS: Final = 0.5
"""``min-replicas-max-lag``: a primary that has not heard from its replica for this long accepts no writes."""

_LAYOUT: Final = Layout()
Wrote = Callable[[RedisServer, Effects], None]


class Deployment:
    """The current primary. ``lag``: seconds by which the replica is behind."""

    def __init__(
        self,
        loop: VirtualLoop,
        draw: random.Random,
        engine: ScriptEngine,
        new_clock: Callable[[], SimulatedClock],
        wrote: Wrote,
        trace: Callable[[str], None],
    ) -> None:
        self.lag = 0.0
        self._loop = loop
        self._draw = draw
        self._engine = engine
        self._new_clock = new_clock
        self._tell = wrote
        self._trace = trace
        self._cut_off: list[RedisServer] = []
        self._replica = Data()
        self._stream: deque[tuple[float, Effects]] = deque()
        self.primary = self._start(Data())

    def server_for_new_connection(self) -> RedisServer | None:
        return self.primary if self.primary.alive else None

    def flush(self) -> None:
        """Run FLUSHALL, unless no server accepts it."""
        if self.primary.alive and self._takes_writes(self.primary):
            self._trace(f"Redis {self.primary.run_id[:6]} is emptied")
            self.primary.direct(b"FLUSHALL")

    def lose_projections(self) -> None:
        """Lose the projections of the active epoch, and nothing else."""
        server = self.primary
        if server.alive and self._takes_writes(server):
            epoch = server.data.hash(_LAYOUT.head.encode(), server.now_ms).get(b"epoch")
            if epoch is not None:
                server.direct(b"UNLINK", _LAYOUT.projections(int(epoch)).encode())

    def restart_empty(self, away: float) -> None:
        """Kill the primary; it comes back without its data after ``away`` seconds."""
        self._end(self.primary)
        self._replica, self._stream = Data(), deque()
        self._loop.call_later(away, self._promote)

    def fail_over(self, away: float) -> None:
        """Kill the primary; the replica takes over, or the same server comes back from its append-only file,
        with what had arrived there."""
        self._end(self.primary)
        self._receive(self._loop.time())
        self._loop.call_later(away, self._promote)

    def isolate(self, away: float, lingers: float) -> float:
        """Cut the primary off from its replica, which takes over once the primary accepts no more writes.
        Clients connected to the old one stay there until it is gone: return in how many seconds."""
        old = self.primary
        if not old.alive:
            return 0.0
        self._receive(self._loop.time())
        old.cut_off_at = self._loop.time()
        self._trace(f"Redis {old.run_id[:6]} is isolated")
        self._cut_off.append(old)
        self._stream.clear()
        self._loop.call_later(MAX_LAG_SECONDS + away, self._promote)
        gone_after = MAX_LAG_SECONDS + away + lingers
        self._loop.call_later(gone_after, self._end, old)
        return gone_after

    def heal(self) -> None:
        """Demote old primaries, and update replicas."""
        self.lag = 0.0
        for server in self._cut_off:
            self._end(server)

    def _start(self, data: Data) -> RedisServer:
        run_id = f"{self._draw.getrandbits(160):040x}"
        return RedisServer(
            run_id, data, self._new_clock(), self._engine, takes_writes=self._takes_writes, wrote=self._wrote
        )

    def _promote(self) -> None:
        if self.primary.alive and self.primary.cut_off_at is None:
            return  # another fault started one meanwhile
        self.primary = self._start(self._replica)
        self._trace(f"Redis {self.primary.run_id[:6]} is the primary")
        self._replica, self._stream = self.primary.data.copy(), deque()

    def _takes_writes(self, server: RedisServer) -> bool:
        return server.cut_off_at is None or self._loop.time() < server.cut_off_at + MAX_LAG_SECONDS

    def _wrote(self, server: RedisServer, effects: Effects) -> None:
        if server is self.primary and server.cut_off_at is None:
            now = self._loop.time()
            self._receive(now)
            self._stream.append((now + self.lag, effects))
        self._tell(server, effects)

    def _receive(self, until: float) -> None:
        """Deliver to the replica what arrived by then, in order."""
        while self._stream and self._stream[0][0] <= until:
            replay(self._replica, self._stream.popleft()[1], self.primary.now_ms)

    def _end(self, server: RedisServer) -> None:
        if server.alive:
            self._trace(f"Redis {server.run_id[:6]} is gone")
        server.alive = False
        server.primary = False
