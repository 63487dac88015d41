"""The relay of the outbox: reconciles Redis with the database, fills it, publishes events."""

import contextlib
import uuid
from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import Final

import structlog

from keyturn_credentials.relay.claimants import ClaimantKeeper
from keyturn_credentials.relay.deleted_clients import DeletedClients
from keyturn_credentials.relay.event_log import EventLog, FleetState, LoggedEvent, LogPoint, ProjectionRow
from keyturn_credentials.relay.metrics import RelayMetrics
from keyturn_credentials.relay.publications import belong_together, latest_of, publications
from keyturn_credentials.relay.reconciliation import Action, Comparison, decide, next_epoch
from keyturn_credentials.relay.refill import read_ahead, sign_rows
from keyturn_credentials.relay.repartitioning import Repartitioning
from keyturn_credentials.relay.statements import HeadStatements
from keyturn_shared.clock import Clock
from keyturn_shared.events import EpochOpened, encode_event
from keyturn_shared.fleet.head import Head
from keyturn_shared.fleet.relay_channel import Look, Published, RelayChannel
from keyturn_shared.position import Position
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner

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

    ``inspect`` reconciles Redis with the database; ``publish_new`` is the short path after each commit. Both
    raise RedisUnavailableError or the store's errors; the loop around them (``loop.RelayLoop``) backs off and
    retries.
    """

    def __init__(
        self,
        log: EventLog,
        channel: RelayChannel,
        clock: Clock,
        metrics: RelayMetrics,
        *,
        holder: str,
        log_keys: LogSigningKeys,
        new_id: Callable[[], str] = _new_id,
        fill_batch: int = FILL_BATCH,
        partitions: int = 1,
    ) -> None:
        """``partitions``: the number to spread used assertions over."""
        self._log = log
        self._channel = channel
        self._clock = clock
        self._metrics = metrics
        self._holder = holder
        self._statements = HeadStatements(log, log_keys)
        self._new_id = new_id
        self._fill_batch = fill_batch
        self._head: tuple[Position, str] | None = None
        self._latest = LogPoint()
        self._published_while_filling: set[str] | None = None
        self._leads_until = 0.0
        self._epoch = 0
        self._deleted = DeletedClients(channel, clock.elapsed)
        self._claimants = ClaimantKeeper(channel, holder, clock.elapsed)
        self.leadership = 0
        """A number that changes whenever another relay may have led."""
        self.repartitioning = Repartitioning(log, partitions, clock.elapsed)
        metrics.active.set_function(lambda: float(self.leads))

    @property
    def settled(self) -> bool:
        """True if the last inspection is still valid, so that ``publish_new`` can continue from it."""
        return self._head is not None

    @property
    def leads(self) -> bool:
        """True if the right to relay is still ours, by our own clock."""
        return self._clock.elapsed() < self._leads_until

    async def lead(self) -> bool:
        """Take or renew the right to relay. Return False if another instance has it."""
        asked_at = self._clock.elapsed()  # the database counts from a later moment
        granted = await self._log.acquire_relay_lease(self._holder, LEASE_SECONDS)
        if not granted or asked_at >= self._leads_until:
            self._forget_claimants()  # another instance may have led meanwhile
        self._leads_until = max(self._leads_until, asked_at + LEASE_SECONDS) if granted else 0.0
        return granted

    async def inspect(self, *, leads: bool | None = None) -> bool:
        """Compare, repair and publish. Return False if another instance relays. ``leads``: the result of
        ``lead`` just now, if known."""
        self._head = None
        if not (await self.lead() if leads is None else leads):
            return False
        seen = await self._channel.look()
        head = seen.head
        state = await self._log.fleet_state()
        if state.epoch != self._epoch:
            self._epoch = state.epoch
            self._forget_claimants()  # another relay has opened one, although by our clock we lead
        newest = await self._log.head()
        at_head = await self._event_at(head.position.sequence) if head is not None else None
        stated = await self._statements.read(head)
        partitioned = await self.repartitioning.advance(state, stated, self._claimants.living)
        if partitioned is None:
            return True  # somebody else has changed it just now
        state = partitioned
        event_id = at_head.id if at_head else None
        loss = "" if head is None else await self._channel.find_loss(head.position.epoch)
        latest = LogPoint() if head is None else LogPoint(head.latest_sequence, head.latest_id)
        if head is not None and latest.sequence <= head.position.sequence:
            latest = LogPoint()  # the head stands for it
        has_latest = await self._has(latest)
        decision = decide(Comparison(head, state, newest, event_id, stated is not None, loss, has_latest))
        if loss:
            _log.error(loss, epoch=head.position.epoch if head else 0)
        if head is None or decision.action is Action.OPEN:
            await self._open_epoch(decision.reason, state, seen)
        elif decision.action is Action.CARRY_OVER:
            await self._carry_over(decision.reason, state, seen, head)
        elif stated is not None:
            statement = await self._statements.renew(head, seen, stated, newest, state.partitioning)
            if await self._channel.stamp(head, seen=seen, statement=statement):
                self._head = (head.position, head.event_id)
                self._latest = latest
        await self.publish_new()
        if self._head is not None:
            self._metrics.head.set(self._head[0].sequence)
        await self._claimants.keep()
        await self._deleted.forget()
        await self._channel.sweep_nodes(_FORGET_NODES_AFTER_SECONDS)
        return True

    async def keep_claimants(self) -> None:
        """Update the claimants, a few times a second between inspections. A lost Redis is noticed this way,
        and the next inspection comes at once."""
        if self._head is not None and self.leads and not await self._claimants.keep_when_due():
            self._head = None

    async def publish_new(self) -> int:
        """Publish what was committed since. Return the number of events, also 0 when ``inspect`` is needed
        first."""
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
            published += await self._publish(position, event_id, events)
            if len(events) < _PUBLISH_BATCH:
                break  # later commits wake the loop, or are found at its next look
        return published

    async def close(self) -> bool:
        """End the epoch cleanly, if no node may hold a lease; then release the relay lease."""
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
        """Open a new epoch with the projections that another Redis process held in the last one."""
        epoch = await self._take_epoch(state)
        if epoch is None:
            return
        signer, sequence = await self._statements.signer(), head.position.sequence
        opened = await self._channel.carry_over(
            head,
            epoch,
            self._epoch_opened(signer, sequence, reason),
            seen=seen,
            closed_nonce=state.closed_nonce,
            statement=await self._statements.begin(epoch, sequence, seen, state.partitioning),
            claimants=self._claimants.known,
        )
        if opened:
            self._note_epoch(Position(epoch, sequence), head.event_id, reason)
            self._latest = LogPoint(head.latest_sequence, head.latest_id)

    async def _open_epoch(self, reason: str, state: FleetState, seen: Look) -> None:
        epoch = await self._take_epoch(state)
        if epoch is None:
            return
        sequence = await self._log.head()
        at_head = await self._event_at(sequence)
        if at_head is None and sequence > 0:
            return  # the database was restored just now
        event_id = at_head.id if at_head else ""
        signer = await self._statements.signer()
        event = self._epoch_opened(signer, sequence, reason)
        opened = await self._channel.open_epoch(
            epoch,
            sequence,
            event_id,
            event,
            seen=seen,
            closed_nonce=state.closed_nonce,
            fresh=state.epoch == 0,
            statement=await self._statements.begin(epoch, sequence, seen, state.partitioning),
            claimants=self._claimants.known,
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

    def _forget_claimants(self) -> None:
        self._claimants.forget()
        self.leadership += 1

    async def _take_epoch(self, state: FleetState) -> int | None:
        """Reserve the number of a new epoch. None if the state has changed.

        The number and the removal of the mark of a clean shutdown are stored before Redis is trusted: after a
        crash in between, the shutdown counts as unclean.
        """
        epoch = next_epoch(state, await self._channel.newest_epoch(), self._clock.now())
        if not await self._log.replace_fleet_state(state, replace(state, epoch=epoch, closed_nonce=None)):
            return None
        self._epoch = epoch
        return epoch

    def _epoch_opened(self, signer: LogSigner, sequence: int, reason: str) -> bytes:
        event = EpochOpened(
            sequence=sequence, id=self._new_id(), occurred_at=self._clock.now(), reason=reason
        )
        return signer.event(sequence, encode_event(event))

    def _note_epoch(self, position: Position, event_id: str, reason: str) -> None:
        self._head = (position, event_id)
        self._latest = LogPoint()
        self._metrics.epochs.labels(reason).inc()
        _log.info("relay_epoch_opened", epoch=position.epoch, sequence=position.sequence, reason=reason)

    async def _fill(self, epoch: int, published: Set[str]) -> None:
        """Write every projection, and publish meanwhile so that a revocation does not wait.

        Each batch is read while the previous one is written. Projections ``published`` since the epoch began
        are left out: Redis has a newer state of them than a batch may have.
        """
        written = 0
        signer = await self._statements.signer()
        led_at = self._clock.elapsed()
        async with (
            contextlib.aclosing(self._log.all_projections(self._fill_batch)) as projections,
            contextlib.aclosing(read_ahead(projections)) as batches,
        ):
            async for batch in batches:
                wanted = await sign_rows(signer, [row for row in batch.rows if row[0] not in published])
                if not await self._write(epoch, wanted, batch.newest):
                    self._head = None
                    return
                written += len(wanted)
                await self.publish_new()
                if self._clock.elapsed() - led_at >= _LEAD_SECONDS:
                    led_at = self._clock.elapsed()
                    if not await self.lead():
                        self._head = None
                await self.keep_claimants()
                if self._head is None:
                    return
        if not await self._channel.complete_epoch(epoch):
            self._head = None
        _log.info("relay_filled", epoch=epoch, projections=written)

    async def _publish(self, position: Position, previous_id: str, events: Sequence[LoggedEvent]) -> int:
        """Publish events that follow the one with ``previous_id`` in the log."""
        fields = {field for event in events for field in event.touches}
        later = max(events[-1].point, self._latest, key=lambda point: point.sequence)
        projections = await self._log.projections(fields, later)
        is_other_log = any(
            event.sequence == self._latest.sequence and event.id != self._latest.id for event in events
        )
        if projections is None or is_other_log or not belong_together(events, projections):
            _log.warning("relay_database_set_back", sequence=events[-1].sequence)
            self._head = None
            return 0
        if self._published_while_filling is not None:
            self._published_while_filling.update(fields)
        signer = await self._statements.signer()
        signed = publications(signer, previous_id, events, projections, self._latest)
        self._latest = latest_of(events, projections, self._latest)
        published = 0
        for event, outcome in zip(events, await self._channel.publish(position.epoch, signed), strict=True):
            if outcome not in (Published.PUBLISHED, Published.DUPLICATE):
                _log.warning("relay_refused", outcome=outcome.value, sequence=event.sequence)
                self._metrics.refusals.labels(outcome.value).inc()
                self._head = None
                return published
            published += outcome is Published.PUBLISHED
            self._head = (Position(position.epoch, event.sequence), event.id)
        self._metrics.published.inc(published)
        self._deleted.note(events)
        self._metrics.head.set(events[-1].sequence)
        return published

    async def _write(self, epoch: int, rows: Sequence[ProjectionRow], newest: LogPoint) -> bool:
        """Write projections from a state of the log with this newest event. Return False if the log was set
        back since the ones before, or Redis is another one."""
        known = self._latest
        if newest != known:
            if not (await self._has(known) and await self._has(newest)):
                return False
            self._latest = max(known, newest, key=lambda point: point.sequence)
        return await self._channel.write_projections(
            epoch, rows, known_latest=known.id, latest=(self._latest.sequence, self._latest.id)
        )

    async def _has(self, point: LogPoint) -> bool:
        """Return whether the database has this event."""
        if point.sequence == 0:
            return True
        event = await self._event_at(point.sequence)
        return event is not None and event.id == point.id

    async def _event_at(self, sequence: int) -> LoggedEvent | None:
        events = await self._log.read(sequence, 1) if sequence > 0 else []
        return events[0] if events and events[0].sequence == sequence else None
