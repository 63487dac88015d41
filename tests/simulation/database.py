"""The database: commits in an order, the relay's state, and backups that are restored."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from keyturn_credentials.errors import StoreUnavailableError
from keyturn_credentials.relay.event_log import (
    FleetState,
    LoggedEvent,
    LogPoint,
    ProjectionBatch,
    Projections,
)
from keyturn_shared.projection import ClientProjection, Projection, encode_projection
from tests.simulation.network import Network, NoAnswerError
from tests.simulation.settings import LOG
from tests.testkit.simulated_process import Process

_ANSWER_SECONDS: Final = 2.0
T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Commit:
    """A committed change.

    ``bodies``: the projections that it changed, encoded. ``states``: for each projection field the commit
    that last wrote it, this one included. A restored backup continues from an earlier commit, so commits form
    a tree.
    """

    sequence: int
    id: str
    payload: bytes
    parent: "Commit | None"
    changed: dict[str, Projection | None] = field(default_factory=dict)
    states: dict[str, "Commit"] = field(default_factory=dict)

    bodies: dict[str, bytes | None] = field(default_factory=dict)

    def holds(self, other: "Commit") -> bool:
        """Return whether the other is this one or came before it."""
        each: Commit | None = self
        while each is not None and each.sequence > other.sequence:
            each = each.parent
        return each is other

    def __repr__(self) -> str:
        return f"{self.sequence} ({self.id})"

    def client(self, name: str) -> ClientProjection | None:
        """Return a client's projection as of this commit, None if it did not exist."""
        writer = self.states.get(name)
        projection = None if writer is None else writer.changed[name]
        return projection if isinstance(projection, ClientProjection) else None


Make = Callable[[Commit, int], tuple[str, bytes, dict[str, Projection | None]]]


@dataclass(frozen=True, slots=True)
class Backup:
    """Everything in the database at one moment."""

    head: Commit
    fleet_state: FleetState
    relay_lease: tuple[str, float]
    partition_epochs: Mapping[int, int]


class Database:
    """Changes are serialized, so each is one step, committed before anything else sees it."""

    def __init__(self, time: Callable[[], float]) -> None:
        self.head = Commit(0, "", b"", None)
        self.fleet_state = FleetState()
        self.relay_lease = ("", 0.0)
        self.partition_epochs: Mapping[int, int] = {}
        self.replaced = 0
        """Number of times that another state of the database, or another server, took its place."""
        self._time = time

    def commit(self, make: Make) -> Commit:
        """Write a change: ``make`` returns id, payload and projections, from the current state and the
        sequence."""
        former = self.head
        event_id, payload, changed = make(former, former.sequence + 1)
        commit = Commit(former.sequence + 1, event_id, payload, former, changed, dict(former.states))
        commit.states.update(dict.fromkeys(changed, commit))
        commit.bodies.update(
            (name, None if each is None else encode_projection(each)) for name, each in changed.items()
        )
        self.head = commit
        return commit

    def back_up(self) -> Backup:
        return Backup(self.head, self.fleet_state, self.relay_lease, self.partition_epochs)

    def restore(self, backup: Backup) -> None:
        self.replaced += 1
        self.head, self.fleet_state = backup.head, backup.fleet_state
        self.relay_lease = backup.relay_lease
        self.partition_epochs = backup.partition_epochs

    def read(self, first: int, limit: int) -> list[LoggedEvent]:
        events: list[LoggedEvent] = []
        each: Commit | None = self.head
        while each is not None and each.sequence >= max(first, 1):
            events.append(LoggedEvent(each.sequence, each.id, each.payload, tuple(each.changed)))
            each = each.parent
        return events[::-1][:limit]

    def projections(self, fields: Collection[str], point: LogPoint) -> Projections | None:
        if [each.id for each in self.read(point.sequence, 1)] != [point.id]:
            return None
        states = self.head.states
        found = {
            name: (states[name].sequence, states[name].bodies[name]) for name in states if name in fields
        }
        return Projections(found, LogPoint(self.head.sequence, self.head.id))

    def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        if self.fleet_state != seen:
            return False
        self.fleet_state = state
        return True

    def replace_partition_epoch(self, partition: int, seen: int, epoch: int) -> bool:
        if self.partition_epochs.get(partition, 0) != seen:
            return False
        self.partition_epochs = {**self.partition_epochs, partition: epoch}
        return True

    def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        if self.relay_lease[0] != holder and self.relay_lease[1] > self._time():
            return False
        self.relay_lease = (holder, self._time() + seconds)
        return True

    def release_relay_lease(self, holder: str) -> None:
        if self.relay_lease[0] == holder:
            self.relay_lease = ("", 0.0)


class DatabaseLink:
    """A process's connection to the database. ``keyturn_credentials.relay.event_log.EventLog``."""

    def __init__(self, process: Process, network: Network, database: Database) -> None:
        self._process = process
        self._network = network
        self._database = database

    async def ask(self, step: Callable[[Database], T]) -> T:
        """Run one transaction. Raises StoreUnavailableError, which leaves open whether it was committed. A
        statement on its way while the database is replaced is not carried out in the other one: its
        connection was to the former."""
        replaced = self._database.replaced

        def carry_out() -> T:
            if self._database.replaced != replaced:
                raise NoAnswerError("the database was replaced")
            return step(self._database)

        try:
            results: list[T] = await self._network.converse(self._process, [carry_out], limit=_ANSWER_SECONDS)
        except NoAnswerError as error:
            raise StoreUnavailableError(str(error)) from None
        return results[0]

    async def identity(self) -> str:
        return await self.ask(lambda _: LOG)

    async def head(self) -> int:
        return await self.ask(lambda database: database.head.sequence)

    async def read(self, first: int, limit: int) -> list[LoggedEvent]:
        return await self.ask(lambda database: database.read(first, limit))

    async def projections(self, fields: Collection[str], point: LogPoint) -> Projections | None:
        return await self.ask(lambda database: database.projections(fields, point))

    async def all_projections(self, batch_size: int) -> AsyncGenerator[ProjectionBatch, None]:
        after, size = "", min(batch_size, 2)
        while True:
            batch = await self.ask(partial(_living, after=after, size=size))
            if not batch.rows:
                return
            yield batch
            after = batch.rows[-1][0]

    async def fleet_state(self) -> FleetState:
        return await self.ask(lambda database: database.fleet_state)

    async def replace_fleet_state(self, seen: FleetState, state: FleetState) -> bool:
        return await self.ask(lambda database: database.replace_fleet_state(seen, state))

    async def partition_epoch(self, partition: int) -> int:
        return await self.ask(lambda database: database.partition_epochs.get(partition, 0))

    async def replace_partition_epoch(self, partition: int, seen: int, epoch: int) -> bool:
        return await self.ask(lambda database: database.replace_partition_epoch(partition, seen, epoch))

    async def acquire_relay_lease(self, holder: str, seconds: float) -> bool:
        return await self.ask(lambda database: database.acquire_relay_lease(holder, seconds))

    async def release_relay_lease(self, holder: str) -> None:
        await self.ask(lambda database: database.release_relay_lease(holder))


def _living(database: Database, after: str, size: int) -> ProjectionBatch:
    states = database.head.states
    found = [
        (name, states[name].sequence, body)
        for name in sorted(states)
        if name > after and (body := states[name].bodies[name]) is not None
    ]
    return ProjectionBatch(found[:size], LogPoint(database.head.sequence, database.head.id))
