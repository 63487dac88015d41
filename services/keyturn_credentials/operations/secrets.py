"""Reading, regenerating and revoking client secrets."""

from dataclasses import replace

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projecting import Projector
from keyturn_credentials.domain.secrets import generate_secret
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_credentials.operations.recording import (
    Done,
    record_client,
    require_for_change,
    require_power_over,
)
from keyturn_credentials.operations.secret_making import SecretMaker
from keyturn_credentials.store.transaction import Actor, Store
from keyturn_shared.events import ClientSecretRevoked, ClientSecretRotated
from keyturn_shared.secret import Secret


class SecretOperations:
    """Raises as ``ClientOperations``."""

    def __init__(self, store: Store, projector: Projector, secrets: SecretMaker) -> None:
        self._store = store
        self._projector = projector
        self._secrets = secrets

    async def regenerate(
        self, actor: Actor, realm_name: str, client_uuid: str, *, expected: frozenset[int] | None = None
    ) -> Done[Secret]:
        """A new secret in force at once; the former one overlaps if the policy says so. It is the answer's
        to show: where only digests are kept, nobody can read it again."""
        secret = generate_secret()
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, before)
            if not before.is_confidential:
                raise InvalidRequestError("a public client has no secret")
            after = self._secrets.renew(before, realm, secret, transaction.now)
            after = replace(after, version=before.version + 1)
            await transaction.clients.update(before, after)
            former = after.secrets.rotated
            sequence = await record_client(
                transaction,
                self._projector,
                ClientSecretRotated,
                realm,
                before=before,
                after=after,
                former_valid_until=None if former is None else former.expires_at,
            )
        return Done(sequence, secret)

    async def revoke_rotated(
        self, actor: Actor, realm_name: str, client_uuid: str, *, expected: frozenset[int] | None = None
    ) -> Done[Client]:
        """The former secret is refused from now on."""
        async with self._store.change(actor) as transaction:
            realm, before = await require_for_change(transaction, realm_name, client_uuid, expected=expected)
            require_power_over(actor.principal, realm, before)
            if before.secrets.rotated is None:
                raise NotFoundError("Client does not have a rotated secret")
            after = replace(before, secrets=replace(before.secrets, rotated=None), version=before.version + 1)
            await transaction.clients.update(before, after)
            sequence = await record_client(
                transaction, self._projector, ClientSecretRevoked, realm, before=before, after=after
            )
        return Done(sequence, after)
