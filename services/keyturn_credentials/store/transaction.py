"""A change: the new state, the projections it makes, the event and the audit entry, in one transaction."""

import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.store.clients import Clients
from keyturn_credentials.store.direct import run
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.failures import translated
from keyturn_credentials.store.realms import Realms
from keyturn_credentials.store.tables import audit, event_counter, events, projections
from keyturn_credentials.store.upsert import insert_into
from keyturn_shared.clock import Clock
from keyturn_shared.events import ClientDeleted, Event, encode_event
from keyturn_shared.projection import Projection, client_field, encode_projection
from keyturn_shared.sealing import KeyRing

_next_sequence: Final = (
    update(event_counter)
    .where(event_counter.c.id == 1)
    .values(value=event_counter.c.value + 1)
    .returning(event_counter.c.value)
)
_CLIENT_DELETED: Final = str(ClientDeleted.__struct_config__.tag)
_hold_counter: Final = select(event_counter.c.value).where(event_counter.c.id == 1).with_for_update()
_AUDITED: Final = [name for name in audit.columns.keys() if name != "id"]  # noqa: SIM118 - not a mapping
_insert_event: Final = insert(events).values(
    {name: bindparam(f"event_{name}") for name in events.columns.keys()}  # noqa: SIM118 - not a mapping
)
_insert_audit: Final = insert(audit).values({name: bindparam(f"audit_{name}") for name in _AUDITED}).inline()


def _upsert_projection(*, on_postgresql: bool) -> Any:
    values: dict[str, Any] = {name: bindparam(f"projection_{name}") for name in ("field", "sequence", "body")}
    statement = insert_into(projections, on_postgresql=on_postgresql).values(values)
    new = {"sequence": statement.excluded.sequence, "body": statement.excluded.body}
    return statement.on_conflict_do_update(index_elements=["field"], set_=new)


def _append_at_once() -> Any:
    """One round trip while the counter's row is locked, where each statement is one."""
    projected = _upsert_projection(on_postgresql=True).returning(projections.c.sequence)
    logged = _insert_event.returning(events.c.sequence)
    return _insert_audit.add_cte(projected.cte("projected"), logged.cte("logged"))


_upsert_projections: Final = {
    True: _upsert_projection(on_postgresql=True),
    False: _upsert_projection(on_postgresql=False),
}
_append: Final = _append_at_once()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, and from where."""

    principal: Principal
    remote_address: str | None = None


SYSTEM: Final = Actor(Principal.system())
"""The service itself, which does what is due without anybody asking."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An event's place in the log, its id and its time. From its taking to the end of the transaction no
    other change can be committed, so it is taken when all else is done."""

    sequence: int
    id: str
    occurred_at: float


class Transaction:
    """One change under way. Rows are locked before ``stamp`` is taken, never after: with one order of
    locks there is no deadlock."""

    def __init__(
        self,
        connection: AsyncConnection,
        actor: Actor,
        *,
        encryption: KeyRing,
        now: float,
        on_postgresql: bool,
    ) -> None:
        self.clients = Clients(connection, encryption)
        self.realms = Realms(connection)
        self.now = now
        self.sequence: int | None = None
        """The newest event's sequence, None while there is none."""
        self.connection = connection
        self._actor = actor
        self._on_postgresql = on_postgresql

    async def stamp(self) -> Stamp:
        """Take the next number of the log."""
        self.sequence = int((await run(self.connection, _next_sequence))[0].value)
        return Stamp(self.sequence, str(uuid.uuid4()), self.now)

    async def take_turn(self) -> None:
        """What ``stamp`` does without taking a number, for what is no event: from here to the end of the
        transaction no other change can be committed."""
        await run(self.connection, _hold_counter)

    async def append(
        self,
        event: Event,
        changed: Mapping[str, Projection | None],
        *,
        realm_id: str,
        client_uuid: str | None = None,
        client_id: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write an event made of this transaction's stamp, the projections it touches (None: deleted), and
        the audit entry. ``details`` never holds a secret."""
        kind = str(event.__struct_config__.tag)
        logged = {
            "event_sequence": event.sequence,
            "event_id": event.id,
            "event_type": kind,
            "event_realm_id": realm_id,
            "event_client_uuid": client_uuid,
            "event_payload": encode_event(event),
            "event_touches": list(event.touches),
            "event_occurred_at": event.occurred_at,
        }
        projected = [
            {
                "projection_field": field,
                "projection_sequence": event.sequence,
                "projection_body": None if projection is None else encode_projection(projection),
            }
            for field, projection in changed.items()
        ]
        audited = self._audited(kind, realm_id, client_uuid, client_id, event.sequence, details)
        last = projected.pop() if self._on_postgresql and projected else None
        for each in projected:
            await run(self.connection, _upsert_projections[self._on_postgresql], each)
        if last is not None:
            await run(self.connection, _append, last | logged | audited)
        else:
            await run(self.connection, _insert_event, logged)
            await run(self.connection, _insert_audit, audited)

    async def projection(self, field: str) -> bytes | None:
        """A projection's JSON as it is now; None when there is none."""
        wanted = select(projections.c.body).where(projections.c.field == field)
        body: bytes | None = (await self.connection.execute(wanted)).scalar_one_or_none()
        return body

    async def settle_names(self) -> None:
        """Write what became of clients' ids to their blocks, when all else of the transaction is done."""
        if self.clients.name_blocks.has_changes:
            assert self.sequence is not None, "the log's turn is the blocks'"  # noqa: S101 - a mistake in code
            await self.clients.name_blocks.settle()

    async def forget_clients_of(self, realm_id: str, stamp: Stamp) -> None:
        """Mark the projections of a deleted realm's clients as deleted, however many they are, and forget
        where their ids were.

        No event names them, so Redis and nodes keep theirs until the next epoch. They are found by the
        realm's id alone: see ``knows_clients_of``.
        """
        await self.clients.name_blocks.forget(realm_id)
        await self.connection.execute(
            update(projections).where(*_of_clients_of(realm_id)).values(sequence=stamp.sequence, body=None)
        )

    async def knows_clients_of(self, realm_id: str) -> bool:
        """Whether a realm of this id has clients, or had some before it was deleted."""
        wanted = select(projections.c.field).where(*_of_clients_of(realm_id)).limit(1)
        return (await self.connection.execute(wanted)).first() is not None

    async def has_deleted(self, realm_id: str, client_uuid: str, *, since: float) -> bool:
        """Whether a client of this realm with this id was deleted since then (NumericDate seconds)."""
        wanted = select(audit.c.id).where(
            audit.c.client_uuid == client_uuid,
            audit.c.realm_id == realm_id,
            audit.c.action == _CLIENT_DELETED,
            audit.c.occurred_at >= since,
        )
        return (await self.connection.execute(wanted.limit(1))).first() is not None

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
        """Write who did this, for what is no event by itself."""
        await run(
            self.connection,
            _insert_audit,
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
        principal = self._actor.principal
        return {
            "audit_occurred_at": self.now,
            "audit_realm_id": realm_id,
            "audit_action": action,
            "audit_client_uuid": client_uuid,
            "audit_client_id": client_id,
            "audit_actor_realm": principal.realm,
            "audit_actor_client_id": principal.client_id,
            "audit_remote_address": self._actor.remote_address,
            "audit_sequence": sequence,
            "audit_details": dict(details or {}),
        }


def _of_clients_of(realm_id: str) -> tuple[ColumnElement[bool], ...]:
    prefix = client_field(realm_id, "")
    return projections.c.field >= prefix, projections.c.field < f"{prefix}\U0010ffff"


class Store:
    """The database. ``on_committed`` is called with the sequence after each commit that has an event."""

    def __init__(
        self,
        engines: Engines,
        clock: Clock,
        encryption: KeyRing,
        *,
        on_committed: Callable[[int], None] = lambda sequence: None,
    ) -> None:
        self.engines = engines
        self.encryption = encryption
        self._clock = clock
        self._on_committed = on_committed

    @asynccontextmanager
    async def change(self, actor: Actor) -> AsyncIterator[Transaction]:
        """A transaction, committed at the end of the block. Raises StoreUnavailableError; then it is not
        known whether it was."""
        with translated():
            async with self.engines.writing() as connection:
                transaction = Transaction(
                    connection,
                    actor,
                    encryption=self.encryption,
                    now=self._clock.now(),
                    on_postgresql=self.engines.is_postgresql,
                )
                yield transaction
                await transaction.settle_names()
        if transaction.sequence is not None:
            self._on_committed(transaction.sequence)

    @asynccontextmanager
    async def find(self) -> AsyncIterator["Reading"]:
        """What is committed, for finding a few rows by key. Raises StoreUnavailableError."""
        with translated():
            async with self.engines.finding() as connection:
                yield Reading(connection, self.encryption)

    @asynccontextmanager
    async def read(self) -> AsyncIterator["Reading"]:
        """What is committed, for queries of any length. Raises StoreUnavailableError."""
        with translated():
            async with self.engines.reading() as connection:
                yield Reading(connection, self.encryption)


class Reading:
    """Committed realms and clients."""

    def __init__(self, connection: AsyncConnection, encryption: KeyRing) -> None:
        self.connection = connection
        self.clients = Clients(connection, encryption)
        self.realms = Realms(connection)
