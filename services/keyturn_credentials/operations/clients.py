"""Creating, changing and deleting clients."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keyturn_credentials.domain.client import Client, check_client
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.domain.secrets import check_chosen
from keyturn_credentials.operations.recording import (
    Done,
    record_client,
    require_for_change,
    require_power_over,
    require_realm,
    with_id_of_its_own,
)
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.store.transaction import Actor, Store, Transaction
from keyturn_shared.events import ClientCreated, ClientDeleted, ClientUpdated
from keyturn_shared.secret import Secret


class ClientOperations:
    """All raise NotFoundError, ForbiddenError, InvalidRequestError, ConflictError, PreconditionFailedError
    or StoreUnavailableError; then nothing was changed."""

    def __init__(self, store: Store, projector: Projector, secrets: SecretMaker) -> None:
        self._store = store
        self._projector = projector
        self._secrets = secrets

    async def create(
        self, actor: Actor, realm_name: str, representation: Mapping[str, Any]
    ) -> Done[tuple[Client, Secret | None]]:
        """The client, and its secret where a digest is all that is kept of it: it is shown this once."""
        async with self._store.change(actor) as transaction:
            realm = require_realm(await transaction.realms.get(realm_name))
            client, secret = await self.create_in(transaction, actor, realm, representation)
        assert transaction.sequence is not None  # noqa: S101 - create_in recorded an event
        return Done(transaction.sequence, (client, secret if realm.keeps_digests_only else None))

    async def create_in(
        self, transaction: Transaction, actor: Actor, realm: Realm, representation: Mapping[str, Any]
    ) -> tuple[Client, Secret | None]:
        """Create a client in a transaction that does more."""
        wanted = client_from(representation, uuid=str(uuid.uuid4()), realm_id=realm.id)
        wanted = await with_id_of_its_own(transaction, wanted, representation)
        client, secret = self._secrets.give_first(
            wanted, realm, _chosen_secret(representation), transaction.now
        )
        check_client(client)
        require_power_over(actor.principal, realm, client)
        await transaction.clients.insert(client)
        await record_client(transaction, self._projector, ClientCreated, realm, after=client)
        return client, secret

    async def update(
        self,
        actor: Actor,
        realm_name: str,
        client_uuid: str,
        representation: Mapping[str, Any],
        *,
        expected: frozenset[int] | None = None,
    ) -> Done[Client]:
        """PUT. ``expected``: versions the caller has seen (If-Match)."""
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            after = self._changed(before, realm, representation, transaction.now)
            require_power_over(actor.principal, realm, before, after)
            await transaction.clients.update(before, after)
            sequence = await record_client(
                transaction,
                self._projector,
                ClientUpdated,
                realm,
                before=before,
                after=after,
                details={"changed": _names_of_changes(before, after)},
                previous_client_id=before.client_id if before.client_id != after.client_id else None,
            )
        return Done(sequence, after)

    async def delete(
        self, actor: Actor, realm_name: str, client_uuid: str, *, expected: frozenset[int] | None = None
    ) -> Done[Client]:
        async with self._store.change(actor) as transaction:
            realm, client = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, client)
            await transaction.clients.delete(client)
            sequence = await record_client(transaction, self._projector, ClientDeleted, realm, before=client)
        return Done(sequence, client)

    def _changed(self, before: Client, realm: Realm, representation: Mapping[str, Any], now: float) -> Client:
        after = replace(change_client(before, representation), version=before.version + 1)
        check_client(after)
        return self._secrets.change(after, realm, _chosen_secret(representation), now)


def _chosen_secret(representation: Mapping[str, Any]) -> Secret | None:
    """The mask is what callers without the right to see the secret were shown: it means no change."""
    secret = representation.get("secret")
    return None if not secret or secret == Secret.MASK else check_chosen(secret)


def _names_of_changes(before: Client, after: Client) -> list[str]:
    """Which fields and attributes changed, without their values."""
    names = [
        name
        for name, old, new in (
            ("clientId", before.client_id, after.client_id),
            ("enabled", before.enabled, after.enabled),
            ("clientAuthenticatorType", before.authenticator, after.authenticator),
            ("secret", before.secrets, after.secrets),
        )
        if old != new
    ]
    names += _differing(before.document, after.document)
    return names + [f"attributes.{name}" for name in _differing(before.attributes, after.attributes)]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
