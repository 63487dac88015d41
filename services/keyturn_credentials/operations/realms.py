"""Operations on realms and their signing keys."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from keyturn_credentials.domain import realm_keys
from keyturn_credentials.domain.attributes import JWKS_ALLOWED_NETWORKS, UNFINISHED_IMPORT
from keyturn_credentials.domain.changed_values import changes_between, values_of_realm
from keyturn_credentials.domain.projection_builder import signing_key_context
from keyturn_credentials.domain.realm import (
    KeyPurpose,
    KeyState,
    Realm,
    RealmKey,
    check_realm,
    end_tokens,
)
from keyturn_credentials.domain.representation import change_realm, realm_from
from keyturn_credentials.domain.role_catalogue import with_imported_roles
from keyturn_credentials.domain.roles import MASTER, Role
from keyturn_credentials.domain.token_algs import algs_asked_for, with_token_algs
from keyturn_credentials.errors import ForbiddenError, InvalidRequestError, NotFoundError
from keyturn_credentials.keystores import (
    KeyPairKind,
    certificate_body,
    generate_key_pair,
    self_signed_certificate,
)
from keyturn_credentials.operations.changes import Change, Changes, Done, RealmChange
from keyturn_credentials.operations.key_kinds import kind_by_alg
from keyturn_credentials.operations.permissions import CREATE_REALM, MANAGE_REALM, Permission
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_credentials.store.former_ids import has_used
from keyturn_credentials.store.unit_of_work import Actor, Reading, Store, UnitOfWork
from keyturn_shared.events import (
    RealmDeleted,
    RealmKeysCacheCleared,
    RealmKeysRotated,
    RealmUpdated,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing

_CERTIFICATE_YEARS: Final = 10
_KEPT_BY_RESUMING: Final = frozenset({"id", "realm", "enabled"})


class NothingDueError(Exception):
    """Ends a transaction that would change nothing."""


class RealmOperations:
    """Operations on realms. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(self, store: Store, changes: Changes, encryption: KeyRing) -> None:
        self._store = store
        self._changes = changes
        self._encryption = encryption

    async def create(
        self, actor: Actor, representation: Mapping[str, Any], *, is_import: bool = False
    ) -> Done[Realm]:
        """Create a realm. ``is_import``: replace an id that another realm already has."""
        async with self._store.change(actor) as transaction:
            return await self.create_in(transaction, actor, representation, is_import=is_import)

    async def create_unfinished(self, actor: Actor, representation: Mapping[str, Any]) -> Done[Realm]:
        """Create a realm whose clients follow in further transactions. It is disabled and marked until
        ``complete``."""
        async with self._store.change(actor) as transaction:
            return await self.create_in(
                transaction, actor, representation, is_import=True, is_unfinished=True
            )

    async def create_in(
        self,
        transaction: UnitOfWork,
        actor: Actor,
        representation: Mapping[str, Any],
        *,
        is_import: bool = False,
        is_unfinished: bool = False,
    ) -> Done[Realm]:
        """Create a realm in a caller's transaction. ``is_import``: replace an id that another realm already
        has. ``is_unfinished``: see ``create_unfinished``."""
        realm = await self.prepare(transaction, actor, representation, is_import=is_import)
        if is_unfinished:
            realm = replace(realm, enabled=False, attributes={**realm.attributes, UNFINISHED_IMPORT: "true"})
        make_keys = partial(realm_keys.first_of_all, realm, self._maker(realm, transaction.now))
        sequence = await self._changes.create_realm(
            transaction, actor.principal, CREATE_REALM, realm, make_keys
        )
        return Done(sequence, realm)

    async def prepare(
        self,
        database: UnitOfWork | Reading,
        actor: Actor,
        representation: Mapping[str, Any],
        *,
        is_import: bool = False,
    ) -> Realm:
        """Return the realm that ``create_in`` would create, without writing it."""
        realm = check_realm(realm_from(representation, realm_id=str(uuid.uuid4())))
        realm = with_token_algs(realm, algs_asked_for(representation.get("clients") or ()))
        realm = with_imported_roles(realm, representation)
        realm_keys.rotation_period(realm)
        _require_power_over_networks(actor, (), realm.allowed_networks)
        is_there = await database.realms.has(realm.id)
        if is_import:  # the mark of another realm's import
            others = {name: text for name, text in realm.attributes.items() if name != UNFINISHED_IMPORT}
            realm = replace(realm, attributes=others)
        if is_import if is_there else await has_used(database.connection, realm.id):
            # The id comes from an export of a deleted realm. Verifiers identify clients by it, and would
            # confuse both realms' clients; and holders of the former realm's keys would have this one's.
            realm = replace(realm, id=str(uuid.uuid4()))
        return realm

    async def resume(self, actor: Actor, realm: Realm, representation: Mapping[str, Any]) -> None:
        """Bring the settings of an unfinished realm up to date: between two runs of an import they may have
        become stricter. It stays disabled and marked. Raises NotFoundError if another one has replaced it."""
        settings = {name: value for name, value in representation.items() if name not in _KEPT_BY_RESUMING}

        def decide(found: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            _require_same(realm, found)
            after = changed_realm(found, settings, now)
            after = replace(after, attributes={**after.attributes, UNFINISHED_IMPORT: "true"})
            _require_power_over_networks(actor, found.allowed_networks, after.allowed_networks)
            if after == found:
                raise NothingDueError
            return Change(after=after, event=RealmUpdated, value=after, details={"reason": "import"})

        with suppress(NothingDueError):
            await self._changes.change_realm(RealmTarget(actor, realm.name), CREATE_REALM, decide)

    async def complete(self, actor: Actor, realm: Realm, *, enable: bool) -> Done[Realm]:
        """End the import of a realm that was created unfinished. Raises NotFoundError if another one has
        replaced it."""

        def decide(found: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            _require_same(realm, found)
            others = {name: text for name, text in found.attributes.items() if name != UNFINISHED_IMPORT}
            finished = replace(found, attributes=others, enabled=found.enabled or enable)
            after = end_tokens(found, finished, now)
            return Change(after=after, event=RealmUpdated, value=after)

        return await self._changes.change_realm(RealmTarget(actor, realm.name), CREATE_REALM, decide)

    async def withdraw(self, actor: Actor, realm: Realm) -> Done[Realm]:
        """Delete an incomplete realm. Raises NotFoundError if another one has replaced it."""

        def decide(found: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            _require_same(realm, found)
            return Change(after=None, event=RealmDeleted, value=found)

        return await self._changes.change_realm(RealmTarget(actor, realm.name), CREATE_REALM, decide)

    def prepare_update(self, actor: Actor, realm: Realm, representation: Mapping[str, Any]) -> Realm:
        """Return the realm that ``update`` would write."""
        MANAGE_REALM(actor.principal, realm.name, ())
        after = changed_realm(realm, representation, self._store.now())
        _require_power_over_networks(actor, realm.allowed_networks, after.allowed_networks)
        return after

    async def update(self, target: RealmTarget, representation: Mapping[str, Any]) -> Done[Realm]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            after = changed_realm(realm, representation, now)
            _require_power_over_networks(target.actor, realm.allowed_networks, after.allowed_networks)
            changes = changes_between(values_of_realm(realm), values_of_realm(after))
            return Change(after=after, event=RealmUpdated, value=after, details={"changes": changes})

        return await self._changes.change_realm(target, MANAGE_REALM, decide)

    async def delete(self, target: RealmTarget) -> Done[Realm]:
        """Delete the realm with its keys and clients. Their projections need no deletion: a new realm with
        this name has another id."""

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            if realm.name == MASTER:
                raise InvalidRequestError("realm master cannot be deleted: its clients administer keyturn")
            return Change(after=None, event=RealmDeleted, value=realm)

        return await self._changes.change_realm(target, MANAGE_REALM, decide)

    async def clear_keys_cache(self, target: RealmTarget) -> Done[Realm]:
        """Stop using key sets of the realm's clients whose fetch began before this event."""

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            return Change(after=realm, event=RealmKeysCacheCleared, value=realm, clears_keys=True)

        return await self._changes.change_realm(target, MANAGE_REALM, decide, is_revision=False)

    async def rotate_keys(self, target: RealmTarget, *, revoke: bool = False) -> Done[list[RealmKey]]:
        """Make the next key sign at once. The realm gets a new version, so a call with If-Match cannot rotate
        twice.

        ``revoke``: remove all current keys, and refuse whatever they signed or will sign. A holder of one of
        them has the next one too, since every node has both. Raises LimitReachedError when more keys would be
        published than verifiers read.
        """

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[list[RealmKey]]:
            make = self._maker(realm, now)
            if revoke:
                moved = realm_keys.first_of_all(realm, make)
                return rotation(realm, moved, revoked=[key.kid for key in keys])
            return rotation(realm, realm_keys.rotate_all_by_hand(realm, keys, make, now))

        return await self._changes.change_realm(target, MANAGE_REALM, decide)

    async def provide_algs(
        self, actor: Actor, name: str, permission: Permission, algs: Collection[str]
    ) -> None:
        """Give the realm keys for the algorithms that clients ask for, before the first one does."""
        if not algs:
            return
        async with self._store.find() as reading:
            known = await reading.realms.get(name)
        if known is None or with_token_algs(known, algs) == known:
            return

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[list[RealmKey]]:
            after = with_token_algs(realm, algs)
            if after == realm:
                raise NothingDueError
            moved = realm_keys.settle_all(after, keys, self._maker(realm, now), now)
            return rotation(after, moved, algorithms=sorted(algs))

        with suppress(NothingDueError):
            await self._changes.change_realm(RealmTarget(actor, name), permission, decide)

    async def provide_roles(
        self, actor: Actor, name: str, permission: Permission, export: Mapping[str, Any]
    ) -> None:
        """Add the roles of an export to the realm, before the clients that have them are imported."""
        async with self._store.find() as reading:
            known = await reading.realms.get(name)
        if known is None or with_imported_roles(known, export) == known:
            return

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            after = with_imported_roles(realm, export)
            return Change(after=after, event=RealmUpdated, value=after, details={"reason": "import"})

        await self._changes.change_realm(RealmTarget(actor, name), permission, decide)

    async def rotate_due_keys(self, actor: Actor, name: str) -> Done[list[RealmKey]] | None:
        """Rotate and retire the keys that are due; None if there were none."""

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[list[RealmKey]]:
            moved = realm_keys.settle_all(realm, keys, self._maker(realm, now), now)
            if moved == keys:
                raise NothingDueError
            return rotation(realm, moved)

        target = RealmTarget(actor, name)
        try:
            return await self._changes.change_realm(target, MANAGE_REALM, decide, is_revision=False)
        except (NothingDueError, NotFoundError):
            return None

    def _maker(self, realm: Realm, now: float) -> realm_keys.MakeKeyFor:
        def make(alg: str, state: KeyState, purpose: KeyPurpose) -> RealmKey:
            pair = generate_key_pair(kind_by_alg(alg, KeyPairKind.RSA_2048))
            certificate = self_signed_certificate(
                pair, realm.name, now=datetime.fromtimestamp(now, UTC), validity_years=_CERTIFICATE_YEARS
            )
            key = SigningKey(pair.reveal(), alg)
            return RealmKey(
                kid=key.kid,
                realm_id=realm.id,
                alg=alg,
                state=state,
                public_jwk=key.public_jwk,
                certificate=certificate_body(certificate),
                sealed_private_jwk=self._encryption.seal(
                    key.export_private_jwk(), signing_key_context(key.kid)
                ),
                created_at=now,
                state_since=now,
                purpose=purpose,
            )

        return lambda purpose: partial(make, purpose=purpose)


def changed_realm(realm: Realm, representation: Mapping[str, Any], now: float) -> Realm:
    """Apply a PUT of this representation to a realm. Raises InvalidRequestError."""
    after = end_tokens(realm, check_realm(change_realm(realm, representation)), now)
    realm_keys.rotation_period(after)
    if realm.name == MASTER and (after.name != MASTER or not after.enabled):
        raise InvalidRequestError(
            "realm master cannot be renamed or disabled: its clients administer keyturn"
        )
    return after


def rotation(realm: Realm, keys: list[RealmKey], **details: list[str]) -> RealmChange[list[RealmKey]]:
    """Return the change of a realm's keys."""
    active = realm_keys.active_key(realm, keys)
    assert active is not None, "a realm has a key that signs"  # noqa: S101 - see ``realm_keys.rotate``
    return Change(
        after=realm,
        event=partial(RealmKeysRotated, active_kid=active.kid),
        value=keys,
        keys=keys,
        details={"active_kid": active.kid, **details},
    )


def _require_same(realm: Realm, found: Realm) -> None:
    if found.id != realm.id:
        raise NotFoundError(f"realm {realm.name} was deleted and made again meanwhile")


def _require_power_over_networks(actor: Actor, before: Sequence[str], after: Sequence[str]) -> None:
    """Raise ForbiddenError when a realm gets a new network, unless the caller administers the whole
    installation: the networks are keyturn's own."""
    if set(before).issuperset(after) or actor.principal.may(Role.ADMIN, MASTER):
        return
    raise ForbiddenError(
        f"{JWKS_ALLOWED_NETWORKS} opens private networks: only clients of realm master with the role admin"
        " may add to it"
    )
