"""The template of every change to a realm or client, in one transaction: lock, version, permission, new
state, projection, event and audit entry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import key_age_noted
from keyturn_credentials.domain.guards import NO_CLIENT, require_client, require_realm, require_version
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.domain.realm_names import require_distinct
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.last_administrator import require_administrator
from keyturn_credentials.operations.permissions import Permission
from keyturn_credentials.operations.recording import ClientRecord, record_clients, record_realm
from keyturn_credentials.operations.targets import ClientTarget, RealmTarget
from keyturn_credentials.store.ended_sign_ins import KEPT_SECONDS, end, of_realm
from keyturn_credentials.store.unit_of_work import Store, UnitOfWork
from keyturn_shared.events import Event, RealmCreated, RealmUpdated

State = TypeVar("State")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Done(Generic[Value]):
    """A committed change: the sequence of its event, and its result."""

    sequence: int
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[State, Value]):
    """The new state of a client or realm and its event, before any of it is written.

    ``after``: None when deleted. ``event``: makes the event from its common members. ``value``: the
    operation's result. ``details``: of the audit entry, never a secret. ``clears_keys``: key sets fetched
    before the event are not used after it. ``keys``: the realm's signing keys, if they change.
    ``with_sequence``: completes a realm with the sequence of the event.
    """

    after: State | None
    event: Callable[..., Event]
    value: Value
    details: Mapping[str, Any] | None = None
    clears_keys: bool = False
    keys: list[RealmKey] | None = None
    with_sequence: Callable[[State, int], State] | None = None


ClientChange = Change[Client, Value]
RealmChange = Change[Realm, Value]
DecideClient = Callable[[Realm, Client, float], ClientChange[Value]]
"""Computes the change from the realm, the client and the time (NumericDate seconds). Pure. The client has its
new version already."""
DecideClientAndRealm = Callable[[Realm, Client, float], tuple[ClientChange[Value], Realm]]
"""Computes the change of a client, and the realm after it: what refers to the client changes with it."""
DecideRealm = Callable[[Realm, list[RealmKey], float], RealmChange[Value]]
"""Computes the change from a realm, its signing keys and the time. Pure."""
DecideRoles = Callable[[Realm, Client | None], RealmChange[Value]]
"""Computes the change of a realm's roles, or of those of one of its clients. Pure."""


class Changes:
    """Applies changes, each of which names the permission it requires.

    All raise NotFoundError, PreconditionFailedError, ForbiddenError, ConflictError, StoreUnavailableError,
    and the errors of the decision; then nothing was changed.
    """

    def __init__(self, store: Store, projector: Projector) -> None:
        self._store = store
        self._projector = projector

    async def change_client(
        self,
        target: ClientTarget,
        permission: Permission,
        decide: DecideClient[Value],
        *,
        is_revision: bool = True,
    ) -> Done[Value]:
        """Change a client, which stays locked meanwhile. ``is_revision``: the client gets a new version,
        because administrators could overwrite the change."""
        async with self._store.change(target.actor) as transaction:
            found = await transaction.clients.get_with_realm_for_change(target.realm, target.client_uuid)
            if found is None:
                require_realm(await transaction.realms.get(target.realm))
                raise NotFoundError(NO_CLIENT)
            realm, before = found
            require_version(before.version, target.expected)
            permission(target.actor.principal, realm.name, [before])
            change = decide(realm, replace(before, version=before.version + is_revision), transaction.now)
            sequence = await self.write_clients(
                transaction, target.actor.principal, permission, realm, [(before, change)]
            )
        return Done(sequence, change.value)

    async def change_client_and_realm(
        self, target: ClientTarget, permission: Permission, decide: DecideClientAndRealm[Value]
    ) -> Done[Value]:
        """Change a client, as ``change_client`` does, and what its realm has of it: the client's roles. Both
        stay locked meanwhile, the realm first, as wherever both are."""
        principal = target.actor.principal
        async with self._store.change(target.actor) as transaction:
            realm = require_realm(await transaction.realms.get_for_change(target.realm))
            before = require_client(await transaction.clients.get_for_change(realm.id, target.client_uuid))
            require_version(before.version, target.expected)
            permission(principal, realm.name, [before])
            change, after = decide(realm, replace(before, version=before.version + 1), transaction.now)
            keys: list[RealmKey] = []
            if after != realm:
                after = replace(after, version=realm.version + 1)
                keys = await transaction.realms.keys(realm.id)
                await transaction.realms.update(after)
            sequence = await self.write_clients(transaction, principal, permission, after, [(before, change)])
            if after != realm:
                sequence = await record_realm(
                    transaction,
                    self._projector,
                    RealmUpdated,
                    before=realm,
                    after=after,
                    keys=keys,
                    details={"roles_of_client": before.client_id},
                )
        return Done(sequence, change.value)

    async def write_clients(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        realm: Realm,
        changes: Sequence[tuple[Client | None, ClientChange[Any]]],
    ) -> int:
        """Write changes of clients (None before: a new one) in a caller's transaction. Return the sequence of
        the last event. All rows are written before the first event (see ``UnitOfWork``)."""
        for before, change in changes:
            permission(principal, realm.name, [each for each in (before, change.after) if each is not None])
        changes = [(before, _with_key_age(before, change, transaction.now)) for before, change in changes]
        added = [change.after for before, change in changes if before is None and not change.clears_keys]
        await transaction.clients.insert_all([client for client in added if client is not None])
        records: list[ClientRecord] = []
        for before, change in changes:
            after, stamp = change.after, None
            assert before or after, "a new client is one"  # noqa: S101 - both None is a mistake in code
            if after is not None and change.clears_keys:
                stamp = await transaction.stamp()
                after = replace(after, keys_not_before=stamp.sequence)
            if before is not None and after is None:
                await transaction.clients.delete(before)
            elif before is not None and after is not None:
                await transaction.clients.update(before, after)
            elif after is not None and change.clears_keys:
                await transaction.clients.insert(after)
            records.append(ClientRecord(change.event, before, after, stamp, change.details))
        await require_administrator(transaction, realm, [(each.before, each.after) for each in records])
        return await record_clients(transaction, self._projector, realm, records)

    async def change_realm(
        self,
        target: RealmTarget,
        permission: Permission,
        decide: DecideRealm[Value],
        *,
        is_revision: bool = True,
    ) -> Done[Value]:
        """Change a realm, as ``change_client`` does a client."""
        async with self._store.change(target.actor) as transaction:
            before = require_realm(await transaction.realms.get_for_change(target.realm))
            require_version(before.version, target.expected)
            permission(target.actor.principal, before.name, ())
            keys = await transaction.realms.keys(before.id)
            change = decide(replace(before, version=before.version + is_revision), keys, transaction.now)
            sequence = await self._write_realm(transaction, before, keys, change)
        return Done(sequence, change.value)

    async def change_roles(
        self, target: RealmTarget, client_uuid: str | None, permission: Permission, decide: DecideRoles[Value]
    ) -> Done[Value]:
        """Change roles that a realm keeps, of one of its clients if one is named. A client is neither renamed
        nor deleted meanwhile, because that locks the realm as well."""
        async with self._store.change(target.actor) as transaction:
            before = require_realm(await transaction.realms.get_for_change(target.realm))
            require_version(before.version, target.expected)
            permission(target.actor.principal, before.name, ())
            client: Client | None = None
            if client_uuid is not None:
                client = require_client(await transaction.clients.get(before.id, client_uuid))
                permission(target.actor.principal, before.name, [client])
            keys = await transaction.realms.keys(before.id)
            change = decide(replace(before, version=before.version + 1), client)
            sequence = await self._write_realm(transaction, before, keys, change)
        return Done(sequence, change.value)

    async def create_realm(
        self,
        transaction: UnitOfWork,
        principal: Principal,
        permission: Permission,
        realm: Realm,
        make_keys: Callable[[], list[RealmKey]],
    ) -> int:
        """Write a new realm in a caller's transaction. Return the sequence of its event."""
        permission(principal, realm.name, ())
        keys = make_keys()  # generating them takes long, so do it before others must wait
        await _require_distinct_name(transaction, realm.name)
        await transaction.realms.insert(realm)
        await transaction.realms.replace_keys(realm.id, keys)
        return await record_realm(transaction, self._projector, RealmCreated, after=realm, keys=keys)

    async def _write_realm(
        self, transaction: UnitOfWork, before: Realm, keys: list[RealmKey], change: RealmChange[Any]
    ) -> int:
        after, stamp = change.after, None
        if after is None:
            await transaction.realms.delete(before.id)
            stamp = await transaction.stamp()
            await transaction.forget_clients_of(before.id, stamp)
        else:
            if after.name != before.name:
                await _require_distinct_name(transaction, after.name, renamed_from=before.name)
            if after.token_generation > before.token_generation:
                # Persons' sessions are in cookies, and know no generation.
                await end(transaction, [of_realm(after.id)], seconds=KEPT_SECONDS)
            if change.clears_keys:
                stamp = await transaction.stamp()
                after = replace(after, keys_not_before=stamp.sequence)
            if change.with_sequence is not None:
                stamp = stamp or await transaction.stamp()
                after = change.with_sequence(after, stamp.sequence)
            if after != before:
                await transaction.realms.update(after)
            if change.keys is not None:
                await transaction.realms.replace_keys(after.id, change.keys)
        return await record_realm(
            transaction,
            self._projector,
            change.event,
            before=before,
            after=after,
            keys=keys if change.keys is None else change.keys,
            stamp=stamp,
            details=change.details,
        )


def _with_key_age(before: Client | None, change: ClientChange[Any], now: float) -> ClientChange[Any]:
    if change.after is None:
        return change
    return replace(change, after=key_age_noted(before, change.after, now))


async def _require_distinct_name(
    transaction: UnitOfWork, name: str, *, renamed_from: str | None = None
) -> None:
    """Raise ConflictError when another realm has nearly the same name. No other realm can be created or
    renamed until the transaction ends."""
    await transaction.lock_event_log()
    require_distinct(name, [other for other in await transaction.realms.names() if other != renamed_from])
