"""A relay over the real scripts in a simulated Redis, and a log that a test writes by hand."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from keyturn_credentials.relay.event_log import (
    EventLog,
    FleetState,
    LoggedEvent,
    LogPoint,
    ProjectionBatch,
    Projections,
)
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.relay import Relay
from keyturn_shared.events import (
    MESSAGE_FIELD,
    ClientDeleted,
    ClientUpdated,
    decode_event,
    encode_event,
)
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.membership import MembershipChannel
from keyturn_shared.fleet.reading import Loaded, ProjectionReader
from keyturn_shared.fleet.relay_channel import LeaseTerms, RelayChannel
from keyturn_shared.fleet.scripts import FLEET, Argument, Call
from keyturn_shared.position import BEGINNING, Position
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.verifier import LogVerifier
from tests.simulation.redis_model.data import Data
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.redis_model.server import RedisServer
from tests.testkit.simulated_process import SimulatedClock

LOG, OTHER_LOG = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
KEYS, NEW_KEYS = LogSigningKeys([b"k" * 32]), LogSigningKeys([b"n" * 32, b"k" * 32])
WALL = 1_700_000_000.0
FIRST = int(WALL * 1000)
"""The first epoch: the milliseconds of the wall clock."""
LEASE, MARGIN = 10.0, 1.0
ENGINE = ScriptEngine(lambda name, text: text)
LAYOUT = Layout()
MESSAGE = MESSAGE_FIELD.encode()


class WrittenLog(EventLog):
    """A database with events and projections; changes ``changing`` while all projections are read."""

    def __init__(self) -> None:
        self.log_id = LOG
        self.events: list[LoggedEvent] = []
        self.rows: dict[str, tuple[int, bytes | None]] = {}
        self.state = FleetState()
        self.partition_epochs: dict[int, int] = {}
        self.holder: str | None = None
        self.granted: list[float] = []
        self.released: list[str] = []
        self.reads: list[tuple[int, int]] = []
        self.between: list[Any] = []
        self.before_projections: list[Any] = []

    def change(self, *fields: str, id: str = "", deletes: bool = False) -> LoggedEvent:  # noqa: A002 - the event's
        """Commit an event that touches these."""
        sequence = len(self.events) + 1
        kind = ClientDeleted if deletes else ClientUpdated
        event = LoggedEvent(
            sequence,
            id or f"id-{sequence}",
            encode_event(
                kind(
                    sequence=sequence,
                    id=id or f"id-{sequence}",
                    occurred_at=0.0,
                    touches=fields,
                    realm_id="r",
                    realm="r",
                    client_uuid=f"uuid-{sequence}",
                    client_id="c",
                )
            ),
            fields,
        )
        self.events.append(event)
        for name in fields:
            self.rows[name] = (sequence, None if deletes else b'{"of":%d}' % sequence)
        return event

    async def identity(self) -> str:
        return self.log_id

    async def head(self) -> int:
        return len(self.events)

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        self.reads.append((first, limit))
        assert first >= 1
        return self.events[first - 1 :][:limit]

    @property
    def newest(self) -> LogPoint:
        return self.events[-1].point if self.events else LogPoint()

    async def projections(self, fields: Collection[str], point: LogPoint) -> Projections | None:
        if self.before_projections:
            self.before_projections.pop(0)()
        if point not in [event.point for event in self.events]:
            return None
        return Projections({name: self.rows[name] for name in fields if name in self.rows}, self.newest)

    async def all_projections(self, batch_size: int) -> AsyncGenerator[ProjectionBatch, None]:
        live = [(name, at, body) for name, (at, body) in self.rows.items() if body is not None]
        for first in range(0, len(live), batch_size):
            yield ProjectionBatch(live[first : first + batch_size], self.newest)
            if self.between:
                self.between.pop(0)()

    async def fleet_state(self) -> FleetState:
        return self.state

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        if seen != self.state:
            return False
        self.state = state
        return True

    async def partition_epoch(self, partition: int) -> int:
        return self.partition_epochs.get(partition, 0)

    async def replace_partition_epoch(self, partition: int, seen: int, epoch: int) -> bool:
        if self.partition_epochs.get(partition, 0) != seen:
            return False
        self.partition_epochs[partition] = epoch
        return True

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        self.granted.append(seconds)
        if self.holder not in (None, holder):
            return False
        self.holder = holder
        return True

    async def release_relay_lease(self, holder: str) -> None:
        self.released.append(holder)


class Direct:
    """Scripts that run at once; notes their names. ``before``: what happens before the next of a name."""

    def __init__(self, scene: "Scene") -> None:
        self._scene = scene
        self.run_names: list[str] = []
        self.before: dict[str, list[Any]] = {}

    async def run(self, name: str, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
        await asyncio.sleep(0)  # as over a network: others get their turn
        for happens in self.before.pop(name, []):
            happens()
        self.run_names.append(name)
        return self._scene.redis.run(FLEET, name, keys, arguments)

    async def run_many(self, name: str, calls: Sequence[Call]) -> list[Any]:
        return [await self.run(name, *call) for call in calls]


class Scene:
    """A database with two changes, an empty Redis, and a relay. ``time``: of all clocks."""

    def __init__(self, *, keys: LogSigningKeys = KEYS, fill_batch: int = 1000) -> None:
        self.time = 100.0
        self.clock = SimulatedClock(lambda: self.time, wall=WALL - 100.0)
        self.redis = RedisServer("1" * 40, Data(), self.clock, ENGINE)
        self.log = WrittenLog()
        self.log.change("a")
        self.log.change("b")
        self.scripts = Direct(self)
        self.channel = RelayChannel(self.scripts, LeaseTerms(LEASE, MARGIN))
        self.registry = CollectorRegistry()
        self.relay = self.make_relay(keys=keys, fill_batch=fill_batch, registry=self.registry)

    def make_relay(
        self,
        holder: str = "one",
        *,
        keys: LogSigningKeys = KEYS,
        fill_batch: int = 1000,
        registry: CollectorRegistry | None = None,
    ) -> Relay:
        numbers = iter(range(1_000))
        return Relay(
            self.log,
            self.channel,
            self.clock,
            RelayMetrics(registry or CollectorRegistry()),
            holder=holder,
            log_keys=keys,
            new_id=lambda: f"new-{holder}-{next(numbers)}",
            fill_batch=fill_batch,
        )

    def restart(self, run_id: str = "2", *, data: Data | None = None) -> None:
        """Another Redis process, with what the former one had, or with this."""
        kept = self.redis.data if data is None else data
        self.redis = RedisServer(run_id * 40, kept, self.clock, ENGINE)

    def is_settled(self) -> bool:
        return self.relay.settled

    def leads(self) -> bool:
        return self.relay.leads

    async def head(self) -> Head:
        head = (await self.channel.look()).head
        assert head is not None
        return head

    async def read(self, field: str, epoch: int, log: str = LOG) -> tuple[Loaded, bytes]:
        """Read a projection like a node, which believes only signed ones."""
        found = await ProjectionReader(self.scripts).load(field, Position(epoch, 0))
        if found.outcome is not Loaded.FOUND:
            return found.outcome, b""
        return found.outcome, LogVerifier(KEYS.verification(), log).projection(field, found.value)[1]

    def stream(self) -> list[tuple[Position, Any]]:
        """The events in Redis, which all have to be signed."""
        verifier = LogVerifier(KEYS.verification(), self.log.log_id)
        entries = self.redis.direct(b"XRANGE", LAYOUT.events.encode(), b"(0-0", b"+", b"COUNT", b"999")
        found = []
        for entry, fields in entries:
            at = Position.parse(entry)
            signed = fields[fields.index(MESSAGE) + 1]
            found.append((at, decode_event(verifier.event(at.sequence, signed))))
        return found

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"keyturn_relay_{name}", labels)

    async def join(self, name: str) -> MembershipChannel:
        node = MembershipChannel(self.scripts, name)
        await node.renew(BEGINNING, "{}")
        return node
