"""One relay: compares, fills, publishes."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

import structlog

from keyturn_credentials.relay.event_log import EventLog, FleetState, LoggedEvent, ProjectionRow
from keyturn_credentials.relay.judgement import Action, Comparison, decide, next_epoch
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_shared.clock import Clock
from keyturn_shared.events import EpochOpened, encode_event
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.relay_channel import Look, Publication, Published, RelayChannel
from keyturn_shared.position import Position
from keyturn_shared.tasks import end_tasks

LEASE_SECONDS: Final = 3.0
_PUBLISH_BATCH: Final = 200
FILL_BATCH: Final = 1000
_LEAD_SECONDS: Final = 1.0
_FORGET_NODES_AFTER_SECONDS: Final = 600.0

_log = structlog.get_logger(__name__)


def _new_id() -> str:
    return str(uuid.uuid4())


class Relay:
    """Copies the log to Redis. It holds no state that matters: every ``inspect`` starts from what is there.

    ``inspect`` compares Redis with the database and mends what is wrong; ``publish_new`` is the short way
    taken after each commit. Both raise RedisUnavailableError or the store's errors; the loop around them
    (``loop.RelayLoop``) backs off and comes again.
    """

    def __init__(
        self,
        log: EventLog,
        channel: RelayChannel,
        clock: Clock,
        metrics: RelayMetrics,
        *,
        holder: str,
        new_id: Callable[[], str] = _new_id,
        fill_batch: int = FILL_BATCH,
    ) -> None:
        self._log = log
        self._channel = channel
        self._clock = clock
        self._metrics = metrics
        self._holder = holder
        self._new_id = new_id
        self._fill_batch = fill_batch
        self._head: tuple[Position, str] | None = None
        self._published_while_filling: set[str] | None = None
        self._leads_until = 0.0
        metrics.active.set_function(lambda: float(self.leads))

    @property
    def settled(self) -> bool:
        """Whether the last inspection still holds, so that ``publish_new`` can go on from it."""
        return self._head is not None

    @property
    def leads(self) -> bool:
        """Whether the right to relay is still ours, by our own clock."""
        return self._clock.elapsed() < self._leads_until

    async def lead(self) -> bool:
        """Take or renew the right to relay; False when another instance has it."""
        asked_at = self._clock.elapsed()  # the database counts from later on
        granted = await self._log.acquire_relay_lease(self._holder, LEASE_SECONDS)
        self._leads_until = asked_at + LEASE_SECONDS if granted else 0.0
        return granted

    async def inspect(self, *, leads: bool | None = None) -> bool:
        """Compare, mend and publish. False when another instance relays. ``leads``: what ``lead`` said just
        now; it is asked here otherwise."""
        self._head = None
        if not (await self.lead() if leads is None else leads):
            return False
        seen = await self._channel.look()
        head = seen.head
        state = await self._log.fleet_state()
        newest = await self._log.head()
        at_head = await self._event_at(head.position.sequence) if head is not None else None
        decision = decide(Comparison(head, state, newest, at_head.id if at_head else None))
        if head is None or decision.action is Action.OPEN:
            await self._open_epoch(decision.reason, state, seen)
        elif decision.action is Action.CARRY_OVER:
            await self._carry_over(decision.reason, state, seen, head)
        elif await self._channel.stamp(head, seen=seen):
            self._head = (head.position, head.event_id)
        await self.publish_new()
        await self._channel.sweep_nodes(_FORGET_NODES_AFTER_SECONDS)
        return True

    async def publish_new(self) -> int:
        """Publish what was committed since; how many events. 0 as well when ``inspect`` is needed first."""
        published = 0
        while self._head is not None:
            position, event_id = self._head
            events = await self._log.read(max(position.sequence, 1), _PUBLISH_BATCH + 1)
            if position.sequence > 0:
                if not events or (events[0].sequence, events[0].id) != (position.sequence, event_id):
                    self._head = None  # the database is not the one this head came from
                    break
                events = events[1:]
            if not events:
                break
            published += await self._publish(position, events)
            if len(events) < _PUBLISH_BATCH:
                break  # what was committed meanwhile wakes the loop, or is found when it looks again
        return published

    async def close(self) -> bool:
        """End the epoch's trust in good order, if no node may hold a lease; then give up the relay lease."""
        closed = False
        if self._head is not None:
            nonce = self._new_id()
            state = await self._log.fleet_state()
            closed = await self._channel.close(self._head[0].epoch, nonce)
            if closed:
                await self._log.replace_fleet_state(state, replace(state, closed_nonce=nonce))
        self._head = None
        self._leads_until = 0.0
        await self._log.release_relay_lease(self._holder)
        return closed

    async def _carry_over(self, reason: str, state: FleetState, seen: Look, head: Head) -> None:
        """A new epoch on the projections that another Redis process held in the last one."""
        epoch = await self._take_epoch(state)
        if epoch is None:
            return
        event = self._epoch_opened(head.position.sequence, reason)
        nonce = state.closed_nonce
        if await self._channel.carry_over(head, epoch, event, seen=seen, closed_nonce=nonce):
            self._note_epoch(Position(epoch, head.position.sequence), head.event_id, reason)

    async def _open_epoch(self, reason: str, state: FleetState, seen: Look) -> None:
        epoch = await self._take_epoch(state)
        if epoch is None:
            return
        sequence = await self._log.head()
        at_head = await self._event_at(sequence)
        if at_head is None and sequence > 0:
            return  # the database was set back just now
        event_id = at_head.id if at_head else ""
        event = self._epoch_opened(sequence, reason)
        opened = await self._channel.open_epoch(
            epoch,
            sequence,
            event_id,
            event,
            seen=seen,
            closed_nonce=state.closed_nonce,
            fresh=state.epoch == 0,
        )
        if not opened:
            _log.info("relay_epoch_superseded", epoch=epoch)
            return
        self._note_epoch(Position(epoch, sequence), event_id, reason)
        published = self._published_while_filling = set[str]()
        try:
            await self._fill(epoch, published)
        finally:
            self._published_while_filling = None
        if self._head is not None and seen.head is not None:
            await self._channel.forget_projections(seen.head.position.epoch)

    async def _take_epoch(self, state: FleetState) -> int | None:
        """The number of a new epoch, which is nobody else's. None when the state is not like that any more.

        Taken, and the mark of a fleet closed in good order with it, before Redis is trusted: a crash in
        between is taken for an unclean end.
        """
        epoch = next_epoch(state, await self._channel.newest_epoch(), self._clock.now())
        return epoch if await self._log.replace_fleet_state(state, FleetState(epoch, None)) else None

    def _epoch_opened(self, sequence: int, reason: str) -> bytes:
        return encode_event(
            EpochOpened(sequence=sequence, id=self._new_id(), occurred_at=self._clock.now(), reason=reason)
        )

    def _note_epoch(self, position: Position, event_id: str, reason: str) -> None:
        self._head = (position, event_id)
        self._metrics.epochs.labels(reason).inc()
        _log.info("relay_epoch_opened", epoch=position.epoch, sequence=position.sequence, reason=reason)

    async def _fill(self, epoch: int, published: Set[str]) -> None:
        """Write every projection, publishing meanwhile so that a revocation does not wait for the filling.

        A batch is read while the one before is written. What was ``published`` since the epoch began is left
        out: Redis has it as it was at its event, or had it deleted, and a batch may have been read before.
        """
        written = 0
        led_at = self._clock.elapsed()
        async with contextlib.aclosing(self._log.all_projections(self._fill_batch)) as batches:
            reading = asyncio.create_task(_next(batches))
            try:
                while batch := await reading:
                    reading = asyncio.create_task(_next(batches))
                    wanted = [row for row in batch if row[0] not in published]
                    if not await self._channel.write_projections(epoch, wanted):
                        self._head = None
                        return
                    written += len(wanted)
                    await self.publish_new()
                    if self._clock.elapsed() - led_at >= _LEAD_SECONDS:
                        led_at = self._clock.elapsed()
                        if not await self.lead():
                            self._head = None
                    if self._head is None:
                        return
            finally:
                await end_tasks(reading)
        if not await self._channel.complete_epoch(epoch):
            self._head = None
        _log.info("relay_filled", epoch=epoch, projections=written)

    async def _publish(self, position: Position, events: Sequence[LoggedEvent]) -> int:
        fields = {field for event in events for field in event.touches}
        projections = await self._log.projections(fields)
        if not _belong_together(events, projections):
            _log.warning("relay_database_set_back", sequence=events[-1].sequence)
            self._head = None
            return 0
        if self._published_while_filling is not None:
            self._published_while_filling.update(fields)
        publications = [_publication(event, projections) for event in events]
        published = 0
        for event, outcome in zip(
            events, await self._channel.publish(position.epoch, publications), strict=True
        ):
            if outcome not in (Published.PUBLISHED, Published.DUPLICATE):
                _log.warning("relay_refused", outcome=outcome.value, sequence=event.sequence)
                self._metrics.refusals.labels(outcome.value).inc()
                self._head = None
                return published
            published += outcome is Published.PUBLISHED
            self._head = (Position(position.epoch, event.sequence), event.id)
        self._metrics.published.inc(published)
        self._metrics.head.set(events[-1].sequence)
        return published

    async def _event_at(self, sequence: int) -> LoggedEvent | None:
        events = await self._log.read(sequence, 1) if sequence > 0 else []
        return events[0] if events and events[0].sequence == sequence else None


async def _next(batches: AsyncIterator[list[ProjectionRow]]) -> list[ProjectionRow]:
    """The next batch; an empty one at the end."""
    return await anext(batches, [])


def _belong_together(
    events: Sequence[LoggedEvent], projections: Mapping[str, tuple[int, bytes | None]]
) -> bool:
    """Whether the projections are as new as the events that touch them, which are committed with them. If
    not, the database was set back after the events were read."""
    return all(
        field in projections and projections[field][0] >= event.sequence
        for event in events
        for field in event.touches
    )


def _publication(event: LoggedEvent, projections: Mapping[str, tuple[int, bytes | None]]) -> Publication:
    touched = tuple((field, *projections[field]) for field in event.touches)
    return Publication(event.sequence, event.id, event.payload, touched)
