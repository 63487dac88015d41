"""Unit of work: the new state, its projections, the event and the audit entry, in one transaction."""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.store.append_statements import (
    APPEND,
    INSERT_AUDIT,
    INSERT_EVENT,
    UPSERT_PROJECTION,
)
from keyturn_credentials.store.audit_writing import audit_row
from keyturn_credentials.store.clients import Clients
from keyturn_credentials.store.connection import Connection
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.due_rotations import DueRotations
from keyturn_credentials.store.errors import map_driver_errors
from keyturn_credentials.store.former_ids import deleted_since, of_clients_of, of_subjects_of
from keyturn_credentials.store.notices import Notices
from keyturn_credentials.store.realms import Realms
from keyturn_credentials.store.rotations import Rotations
from keyturn_credentials.store.tables import event_counter, log_identity, projections
from keyturn_credentials.store.traced_transaction import TracedTransaction, traced
from keyturn_shared.clock import Clock
from keyturn_shared.events import Event, encode_event
from keyturn_shared.projection import Projection, client_field, encode_projection
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from keyturn_shared.tracing.ports import Tracer

_next_sequences: Final = (
    update(event_counter)
    .where(event_counter.c.id == 1)
    .values(value=event_counter.c.value + bindparam("count"))
    .returning(event_counter.c.value)
)
_hold_counter: Final = select(event_counter.c.value).where(event_counter.c.id == 1).with_for_update()
_identity: Final = select(log_identity.c.identity)


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change, and the address it came from."""

    principal: Principal
    remote_address: str | None = None


SYSTEM: Final = Actor(Principal.system())
"""The service acting on its own (background maintenance)."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An event's place in the log, its id and its time. No other change can be committed from here to the end
    of the transaction, so it is taken last."""

    sequence: int
    id: str
    occurred_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An event with its stamp and the projections it touches (None: deleted). ``details``: for the audit
    entry, never a secret."""

    event: Event
    changed: Mapping[str, Projection | None]
    realm_id: str
    client_uuid: str | None = None
    client_id: str | None = None
    details: Mapping[str, Any] | None = None


class UnitOfWork:
    """One change in progress. Rows are locked before ``stamp`` is taken, never after: a single order of locks
    prevents deadlocks."""

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        *,
        encryption: KeyRing,
        now: float,
        on_postgresql: bool,
        signer: LogSigner | None = None,
        trace: TracedTransaction | None = None,
    ) -> None:
        self.clients = Clients(connection, encryption)
        self.realms = Realms(connection)
        self.rotations = Rotations(connection)
        self.due_rotations = DueRotations(connection)
        self.notices = Notices(connection)
        self.now = now
        self.sequence: int | None = None
        """The newest event's sequence, None while there is none."""
        self.connection = connection
        self._actor = actor
        self._encryption = encryption
        self._on_postgresql = on_postgresql
        self._signer = signer
        self._trace = trace

    async def stamp(self) -> Stamp:
        """Take the next number of the log."""
        return (await self.stamps(1))[0]

    async def stamps(self, count: int) -> list[Stamp]:
        """Take the next numbers of the log, in order. No other change can be committed until the transaction
        ends."""
        newest = int((await self.connection.execute(_next_sequences, {"count": count})).scalar_one())
        self.sequence = newest
        return [Stamp(newest - left, str(uuid.uuid4()), self.now) for left in reversed(range(count))]

    async def lock_event_log(self) -> None:
        """Serialize with other writers without appending an event: no other change can be committed until the
        transaction ends."""
        await self.connection.execute(_hold_counter)

    async def append(self, entry: LogEntry) -> None:
        """Write an event, the projections it touches, and the audit entry."""
        logged, projected, audited = self._rows(entry)
        last = projected.pop() if self._on_postgresql and projected else None
        for each in projected:
            await self.connection.execute(UPSERT_PROJECTION[self._on_postgresql], each)
        if last is not None:
            await self.connection.execute(APPEND, last | logged | audited)
        else:
            await self.connection.execute(INSERT_EVENT, logged)
            await self.connection.execute(INSERT_AUDIT, audited)

    async def append_all(self, entries: Sequence[LogEntry]) -> None:
        """Append many entries at once. No two of them may touch the same projection."""
        rows = [self._rows(entry) for entry in entries]
        if projected := [each for _, of_entry, _ in rows for each in of_entry]:
            await self.connection.execute(UPSERT_PROJECTION[self._on_postgresql], projected)
        await self.connection.execute(INSERT_EVENT, [logged for logged, _, _ in rows])
        await self.connection.execute(INSERT_AUDIT, [audited for _, _, audited in rows])

    def _rows(self, entry: LogEntry) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
        event, kind = entry.event, str(entry.event.__struct_config__.tag)
        logged = {
            "event_sequence": event.sequence,
            "event_id": event.id,
            "event_type": kind,
            "event_realm_id": entry.realm_id,
            "event_client_uuid": entry.client_uuid,
            "event_payload": self._event(event),
            "event_touches": list(event.touches),
            "event_occurred_at": event.occurred_at,
        }
        projected = [
            {
                "projection_field": field,
                "projection_sequence": event.sequence,
                "projection_body": self._projected(field, event.sequence, projection),
            }
            for field, projection in entry.changed.items()
        ]
        audited = self._audited(
            kind, entry.realm_id, entry.client_uuid, entry.client_id, event.sequence, entry.details
        )
        return logged, projected, audited

    def _event(self, event: Event) -> bytes:
        if self._trace is not None and event.sequence == self.sequence:
            event = self._trace.in_event(event)  # the newest alone: once it is applied, so are those before
        payload = encode_event(event)
        return payload if self._signer is None else self._signer.event(event.sequence, payload)

    def _projected(self, field: str, sequence: int, projection: Projection | None) -> bytes | None:
        if projection is None:
            return None
        body = encode_projection(projection)
        return body if self._signer is None else self._signer.projection(field, sequence, body)

    async def projection(self, field: str) -> bytes | None:
        """Return a projection's current JSON; None if there is none."""
        wanted = select(projections.c.body).where(projections.c.field == field)
        body: bytes | None = (await self.connection.execute(wanted)).scalar_one_or_none()
        return body

    async def flush_page_index(self) -> None:
        """Update the blocks of changed client ids, after everything else in the transaction."""
        if self.clients.page_index.has_changes:
            assert self.sequence is not None, "the log's turn is the blocks'"  # noqa: S101 - a mistake in code
            await self.clients.page_index.flush()

    async def forget_clients_of(self, realm_id: str, stamp: Stamp) -> None:
        """Mark the projections of a deleted realm's clients as deleted, and delete their ids from the index.

        Another mark, for no client, records that the realm's id was used. No event names these projections,
        so Redis and nodes keep them until the next epoch. Only the realm's id leads to them: see
        ``has_used``.
        """
        await self.clients.page_index.delete_realm(realm_id)
        for fields in (of_clients_of(realm_id), of_subjects_of(realm_id)):
            await self.connection.execute(
                update(projections).where(*fields).values(sequence=stamp.sequence, body=None)
            )
        mark = {"field": client_field(realm_id, ""), "sequence": stamp.sequence, "body": None}
        bound = {f"projection_{name}": value for name, value in mark.items()}
        await self.connection.execute(UPSERT_PROJECTION[self._on_postgresql], bound)

    async def has_deleted(self, realm_id: str, client_uuid: str, *, since: float) -> bool:
        """Return whether a client of this realm with this id was deleted since then (NumericDate seconds)."""
        return client_uuid in await deleted_since(self.connection, realm_id, [client_uuid], since)

    async def audit(
        self,
        action: str,
        *,
        realm_id: str,
        client_uuid: str | None = None,
        client_id: str | None = None,
        sequence: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an audit entry for something that is not an event."""
        await self.connection.execute(
            INSERT_AUDIT,
            self._audited(action, realm_id, client_uuid, client_id, sequence, details),
        )

    def _audited(
        self,
        action: str,
        realm_id: str,
        client_uuid: str | None,
        client_id: str | None,
        sequence: int | None,
        details: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        row = audit_row(
            self._encryption,
            self._actor.principal,
            occurred_at=self.now,
            action=action,
            realm_id=realm_id,
            remote_address=self._actor.remote_address,
            client_uuid=client_uuid,
            client_id=client_id,
            sequence=sequence,
            details=details,
        )
        return {f"audit_{name}": value for name, value in row.items()}


class Store:
    """The database. ``on_committed`` is called with the sequence after each commit that has an event.
    ``tracer`` makes a span of each transaction that has one.

    ``log_keys`` sign events and projections when they are written, so that the relay need not. What is
    written without them is signed when the relay reads it.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        encryption: KeyRing,
        *,
        log_keys: LogSigningKeys | None = None,
        on_committed: Callable[[int], None] = lambda sequence: None,
        tracer: Tracer | None = None,
    ) -> None:
        self.database = database
        self.encryption = encryption
        self._clock = clock
        self._log_keys = log_keys
        self._signer: LogSigner | None = None
        self._on_committed = on_committed
        self._tracer = tracer

    @asynccontextmanager
    async def change(self, actor: Actor) -> AsyncIterator[UnitOfWork]:
        """Open a transaction, committed at the end of the block. Raises StoreUnavailableError; it is then
        unknown whether it was committed."""
        with traced(self._tracer, self.database) as trace, map_driver_errors():
            async with self.database.writing() as connection:
                transaction = UnitOfWork(
                    connection,
                    actor,
                    encryption=self.encryption,
                    now=self._clock.now(),
                    on_postgresql=self.database.is_postgresql,
                    signer=await self._known_signer(connection),
                    trace=trace,
                )
                yield transaction
                await transaction.flush_page_index()
        if transaction.sequence is not None:
            self._on_committed(transaction.sequence)

    async def _known_signer(self, connection: Connection) -> LogSigner | None:
        if self._signer is None and self._log_keys is not None:
            identity = (await connection.execute(_identity)).scalar_one()
            self._signer = LogSigner(self._log_keys, identity)
        return self._signer

    def now(self) -> float:
        """Return the time for changes, in NumericDate seconds."""
        return self._clock.now()

    @asynccontextmanager
    async def find(self) -> AsyncIterator["Reading"]:
        """Open a view of the committed state, for finding a few rows by key. Raises StoreUnavailableError."""
        with map_driver_errors():
            async with self.database.finding() as connection:
                yield Reading(connection, self.encryption)

    @asynccontextmanager
    async def read(self) -> AsyncIterator["Reading"]:
        """Open a view of the committed state, for queries of any length. Raises StoreUnavailableError."""
        with map_driver_errors():
            async with self.database.reading() as connection:
                yield Reading(connection, self.encryption)


class Reading:
    """Committed realms and clients."""

    def __init__(self, connection: Connection, encryption: KeyRing) -> None:
        self.connection = connection
        self.clients = Clients(connection, encryption)
        self.realms = Realms(connection)
        self.rotations = Rotations(connection)
        self.due_rotations = DueRotations(connection)
        self.notices = Notices(connection)
