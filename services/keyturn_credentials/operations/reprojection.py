"""New projections of data stored by an earlier build, as this build projects them."""

from collections.abc import Sequence
from dataclasses import replace as replace_client
from typing import Final

import structlog
from msgspec.structs import replace

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.given_roles import with_role_ids
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.stored_members import not_in_force_of_client, not_in_force_of_realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.recording import record_projections, record_realm
from keyturn_credentials.store.client_search import find_after
from keyturn_credentials.store.search_query import Criteria
from keyturn_credentials.store.unit_of_work import SYSTEM, Store, UnitOfWork
from keyturn_shared.events import RealmUpdated
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    Projection,
    RealmProjection,
    client_field,
    decode_client,
    decode_realm,
    projection_value,
    realm_field,
)

_BATCH: Final = 200
_NAMED: Final = 100
"""Clients of a realm that the log names; further ones are counted."""
_REASON: Final = "what an earlier build stored is applied"

_log = structlog.get_logger(__name__)


class Reprojection:
    """Several instances may run it at once, and it may be interrupted and restarted: current projections are
    left alone."""

    def __init__(self, store: Store, projector: Projector) -> None:
        self._store = store
        self._projector = projector

    async def run(self) -> int:
        """Check the realms that another build projected, once for each upgrade. Return the number of
        projections replaced. The log names stored settings that have no effect."""
        async with self._store.read() as reading:
            names = await reading.realms.told_by_other_builds()
        return sum([await self._tell_of(name) for name in names])

    async def _tell_of(self, name: str) -> int:
        published = await self._reproject_realm(name)
        unfit, after = 0, ""
        while True:
            async with self._store.read() as reading:
                realm = await reading.realms.get(name)
                if realm is None:
                    return published
                found = await find_after(reading, realm.id, Criteria(), after=after, most=_BATCH)
            for client in found:
                if reasons := not_in_force_of_client(client, realm):
                    unfit += 1
                    if unfit <= _NAMED:
                        _warn(realm, reasons, client)
            published += await self._reproject_clients(name, [client.client_id for client in found])
            if len(found) < _BATCH:
                break
            after = found[-1].client_id
        if unfit > _NAMED:
            _log.warning("more_stored_members_not_in_force", realm=name, clients=unfit - _NAMED)
        async with self._store.change(SYSTEM) as transaction:
            await transaction.realms.note_told(realm.id)
        return published

    async def _reproject_realm(self, name: str) -> int:
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get_for_change(name)
            if realm is None:
                return 0
            if reasons := not_in_force_of_realm(realm):
                _warn(realm, reasons)
            keys = await transaction.realms.keys(realm.id)
            projected = self._projector.project_realm(realm, keys)
            body = await transaction.projection(realm_field(name))
            published = None if body is None else decode_realm(projection_value(0, body))[1]
            if published is not None and _essence(published) == _essence(projected):
                return 0
            await record_realm(
                transaction,
                self._projector,
                RealmUpdated,
                before=realm,
                after=realm,
                keys=keys,
                details={"reason": _REASON},
            )
        return 1

    async def _reproject_clients(self, realm_name: str, client_ids: Sequence[str]) -> int:
        async with self._store.change(SYSTEM) as transaction:
            realm = await transaction.realms.get(realm_name)
            if realm is None:
                return 0
            changed: dict[str, Projection | None] = {}
            for found in await transaction.clients.some_for_change(realm.id, client_ids):
                client = replace_client(found, service_account=with_role_ids(realm, found.service_account))
                await transaction.clients.update(found, client)
                changed |= await self._differing(transaction, realm, client)
            if changed:
                await record_projections(transaction, realm, changed, reason=_REASON)
        return len(changed)

    async def _differing(
        self, transaction: UnitOfWork, realm: Realm, client: Client
    ) -> dict[str, Projection | None]:
        """Return the client's projection if it differs from the stored one."""
        field = client_field(realm.id, client.client_id)
        body = await transaction.projection(field)
        try:
            projected = self._projector.project_client(realm, client)
        except InvalidRequestError as error:
            _warn(realm, [error.detail], client)
            return {}
        published = None if body is None else decode_client(projection_value(0, body))[1]
        if published is not None and _essence(published) == _essence(projected):
            return {}
        return {field: projected}


def _essence(projection: Projection) -> Projection:
    """Return a projection without the parts that differ each time: ciphertexts, and the order of keys."""
    if isinstance(projection, RealmProjection):
        keys = sorted(projection.signing_keys, key=lambda key: key.kid)
        return replace(projection, signing_keys=tuple(_unsealed_key(key) for key in keys))
    if isinstance(projection, ClientProjection):
        return replace(projection, secrets=tuple(_unsealed(secret) for secret in projection.secrets))
    return projection


def _unsealed(secret: ProjectedSecret) -> ProjectedSecret:
    return replace(secret, sealed=secret.sealed and "sealed")


def _unsealed_key(key: ProjectedSigningKey) -> ProjectedSigningKey:
    return replace(key, sealed_private_jwk=key.sealed_private_jwk and "sealed")


def _warn(realm: Realm, reasons: Sequence[str], client: Client | None = None) -> None:
    named = {} if client is None else {"client_id": client.client_id}
    _log.warning("stored_members_not_in_force", realm=realm.name, **named, reasons=list(reasons))
