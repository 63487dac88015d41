"""Regenerating and revoking client secrets."""

from dataclasses import replace
from functools import partial

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_shared.events import ClientSecretRevoked, ClientSecretRotated
from keyturn_shared.secret import Secret


class SecretOperations:
    """Operations on secrets. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(self, changes: Changes, secrets: SecretIssuer) -> None:
        self._changes = changes
        self._secrets = secrets

    async def regenerate(self, target: ClientTarget, *, overlap: int | None = None) -> Done[Secret]:
        """Create a secret that is current at once; the former one overlaps for that many seconds, by default
        if the policy says so. The response must show the new one: if only digests are stored, it can never be
        read again."""

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Secret]:
            secret = self._secrets.generate(client)
            return renew_secret(realm, client, now, self._secrets, secret, overlap=overlap)

        return await self._changes.change_client(target, CONFIGURE_CLIENTS, decide)

    async def revoke_rotated(self, target: ClientTarget) -> Done[Client]:
        """Refuse the former secret from now on."""
        return await self._changes.change_client(target, CONFIGURE_CLIENTS, revoke_rotated_secret)


def renew_secret(
    realm: Realm,
    client: Client,
    now: float,
    secrets: SecretIssuer,
    secret: Secret,
    *,
    overlap: int | None = None,
) -> ClientChange[Secret]:
    """Make the secret current. Raises InvalidRequestError for a public client."""
    if not client.is_confidential:
        raise InvalidRequestError("a public client has no secret")
    after = secrets.renew(client, realm, secret, now, overlap=overlap)
    former = after.secrets.rotated
    until = None if former is None else former.expires_at
    event = partial(ClientSecretRotated, former_valid_until=until)
    return Change(after=after, event=event, value=secret)


def revoke_rotated_secret(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
    """Drop the former secret, if any. As in Keycloak, the call succeeds without one; an event is written in
    any case, so that its caller can wait."""
    after = replace(client, secrets=replace(client.secrets, rotated=None))
    return Change(after=after, event=ClientSecretRevoked, value=after)
