"""Creating, changing and deleting clients."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from keyturn_credentials.domain.changed_values import changes_between, values_of_client
from keyturn_credentials.domain.client import (
    MAX_TOKEN_LIFESPAN,
    Client,
    check_client,
    end_tokens,
)
from keyturn_credentials.domain.guards import require_realm, require_version
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.domain.role_changes import with_client_renamed, without_client
from keyturn_credentials.domain.secrets import check_chosen
from keyturn_credentials.domain.signing_secrets import check_signing_secret
from keyturn_credentials.domain.token_algs import asked_in, check_token_alg
from keyturn_credentials.domain.trusted_issuer_changes import check_identity
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, MANAGE_CLIENTS
from keyturn_credentials.operations.realms import RealmOperations
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor, Store, UnitOfWork
from keyturn_shared.events import ClientCreated, ClientDeleted, ClientUpdated
from keyturn_shared.secret import Secret

_CLOCKS_APART: Final = 600
"""Seconds, more than the clocks of this service and the verifiers differ by."""


class _RenamedError(Exception):
    """Ends a transaction that has to lock the realm as well."""


class ClientOperations:
    """Operations on clients. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(
        self, store: Store, changes: Changes, secrets: SecretIssuer, realms: RealmOperations
    ) -> None:
        self._store = store
        self._changes = changes
        self._secrets = secrets
        self._realms = realms

    async def create(
        self, actor: Actor, realm_name: str, representation: Mapping[str, Any]
    ) -> Done[tuple[Client, Secret | None]]:
        """Create a client. Return it with its secret if only a digest is stored: it is shown this once."""
        if algs := asked_in(representation):
            # First, because a representation that is refused must not give the realm a key.
            check_client(client_from(representation, uuid=str(uuid.uuid4()), realm_id=""))
            await self._realms.provide_algs(actor, realm_name, MANAGE_CLIENTS, algs)
        async with self._store.change(actor) as transaction:
            realm = require_realm(await transaction.realms.get(realm_name))
            done = await self.create_in(transaction, actor, realm, representation)
        client, secret = done.value
        return Done(done.sequence, (client, secret if realm.keeps_digests_only else None))

    async def create_in(
        self, transaction: UnitOfWork, actor: Actor, realm: Realm, representation: Mapping[str, Any]
    ) -> Done[tuple[Client, Secret | None]]:
        """Create a client in a caller's transaction."""
        wanted = client_from(representation, uuid=str(uuid.uuid4()), realm_id=realm.id)
        wanted = await with_id_of_its_own(transaction, wanted, representation)
        chosen = _chosen_secret(representation)
        client, secret = self._secrets.give_first(wanted, realm, chosen, transaction.now)
        check_client(client)
        check_token_alg(None, client, realm)
        check_identity(client, realm)
        check_signing_secret(None, client)
        change = Change(after=client, event=ClientCreated, value=(client, secret))
        sequence = await self._changes.write_clients(
            transaction, actor.principal, MANAGE_CLIENTS, realm, [(None, change)]
        )
        return Done(sequence, change.value)

    async def update(self, target: ClientTarget, representation: Mapping[str, Any]) -> Done[Client]:
        """Apply a PUT. The client's roles follow it to a new client id."""

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            change = rename(realm, client, now)[0]
            if change.value.client_id != client.client_id:
                raise _RenamedError
            return change

        def rename(realm: Realm, client: Client, now: float) -> tuple[ClientChange[Client], Realm]:
            after = changed_client(realm, client, representation, now, self._secrets)
            former_id = client.client_id if client.client_id != after.client_id else None
            change = Change(
                after=after,
                event=partial(ClientUpdated, previous_client_id=former_id),
                value=after,
                details={
                    "changed": _names_of_changes(client, after),
                    "changes": changes_between(values_of_client(client), values_of_client(after)),
                },
            )
            if former_id is None:
                return change, realm
            return change, with_client_renamed(realm, former_id, after.client_id)

        if algs := asked_in(representation):
            await self._require_good(target, representation)
            await self._realms.provide_algs(target.actor, target.realm, CONFIGURE_CLIENTS, algs)
        try:
            return await self._changes.change_client(target, CONFIGURE_CLIENTS, decide)
        except _RenamedError:
            return await self._changes.change_client_and_realm(target, CONFIGURE_CLIENTS, rename)

    async def _require_good(self, target: ClientTarget, representation: Mapping[str, Any]) -> None:
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(target.realm))
            client = await reading.clients.get(realm.id, target.client_uuid)
        if client is not None:
            require_version(client.version, target.expected)
            check_client(change_client(client, representation))

    async def delete(self, target: ClientTarget) -> Done[Client]:
        """Delete a client. Its roles go with it, wherever they are mapped."""

        def decide(realm: Realm, client: Client, now: float) -> tuple[ClientChange[Client], Realm]:
            change: ClientChange[Client] = Change(after=None, event=ClientDeleted, value=client)
            return change, without_client(realm, client.client_id)

        return await self._changes.change_client_and_realm(target, MANAGE_CLIENTS, decide)


def changed_client(
    realm: Realm, client: Client, representation: Mapping[str, Any], now: float, secrets: SecretIssuer
) -> Client:
    """Apply a PUT of this representation to a client. Raises InvalidRequestError."""
    after = check_client(end_tokens(client, change_client(client, representation), now))
    check_token_alg(client, after, realm)
    check_identity(after, realm)
    after = secrets.change(after, realm, _chosen_secret(representation), now)
    check_signing_secret(client, after)
    return after


def ids_in_memory_since(now: float) -> float:
    """Return the time since which the ids of deleted clients must not be reused."""
    return now - MAX_TOKEN_LIFESPAN - _CLOCKS_APART


async def with_id_of_its_own(
    transaction: UnitOfWork, client: Client, representation: Mapping[str, Any]
) -> Client:
    """Return a new client, with another id if an import brings the id of a deleted one. Access tokens name
    the id, and those of the deleted client may be valid until they expire."""
    if not representation.get("id"):
        return client
    since = ids_in_memory_since(transaction.now)
    if await transaction.has_deleted(client.realm_id, client.uuid, since=since):
        return replace(client, uuid=str(uuid.uuid4()))
    return client


def _chosen_secret(representation: Mapping[str, Any]) -> Secret | None:
    """Return the chosen secret. The mask, shown to callers without the right to see the secret, means no
    change."""
    secret = representation.get("secret")
    return None if not secret or secret == Secret.MASK else check_chosen(secret)


def _names_of_changes(before: Client, after: Client) -> list[str]:
    """Return the names of changed fields and attributes, without their values."""
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
