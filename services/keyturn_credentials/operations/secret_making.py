"""Making the stored form of a secret, by the rules of its realm."""

from dataclasses import replace
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.projecting import secret_context
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    Due,
    RotationPolicy,
    StoredSecret,
    generate_secret,
    judge,
    put_in_force,
    stamp,
    without_plain,
    without_rotation,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret

NEEDS_SECRET: Final = ("client-secret", "client-secret-jwt")
_NEEDS_WHOLE_SECRET: Final = "client-secret-jwt needs the secret itself, but only its digest is kept"  # noqa: S105 - a text


class SecretMaker:
    """``fleet``: the keys under which verifiers compare digests."""

    def __init__(self, fleet: KeyRing) -> None:
        self._fleet = fleet

    def store(self, client: Client, realm: Realm, secret: Secret, now: float) -> StoredSecret:
        """The secret as it is kept: whole, or its digest alone where the realm says so."""
        if realm.keeps_digests_only and client.authenticator == "client-secret-jwt":
            raise InvalidRequestError(_NEEDS_WHOLE_SECRET)
        return StoredSecret(
            digest=self._fleet.digest(secret.reveal(), secret_context(client.uuid)),
            created_at=now,
            secret=None if realm.keeps_digests_only else secret,
        )

    def is_same(self, client: Client, secret: Secret) -> bool:
        """Whether this is the client's current secret."""
        current = client.secrets.current
        return current is not None and self._fleet.matches(
            secret.reveal(), current.digest, secret_context(client.uuid)
        )

    def give_first(
        self, client: Client, realm: Realm, chosen: Secret | None, now: float
    ) -> tuple[Client, Secret | None]:
        """A new client with the chosen or a generated secret, if it needs one; and that secret."""
        if chosen is None and not (client.is_confidential and client.authenticator in NEEDS_SECRET):
            return client, None
        secret = chosen or generate_secret()
        policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
        stored = self.store(client, realm, secret, now)
        return replace(client, secrets=put_in_force(ClientSecrets(), stored, policy, now)), secret

    def renew(self, client: Client, realm: Realm, secret: Secret, now: float) -> Client:
        """The client with this secret in force, and the former one beside it if the policy says so."""
        policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
        stored = self.store(client, realm, secret, now)
        return replace(client, secrets=put_in_force(_as_kept(client, realm).secrets, stored, policy, now))

    def change(self, client: Client, realm: Realm, chosen: Secret | None, now: float) -> Client:
        """A client that is changed, with the chosen secret in force. The one it has already is no new one:
        choosing it again does not make it last longer."""
        if chosen is not None and not self.is_same(client, chosen):
            return self.renew(client, realm, chosen, now)
        if client.secrets.current is None and client.is_confidential and client.authenticator in NEEDS_SECRET:
            return self.give_first(client, realm, None, now)[0]
        return self.settle(client, realm, now)

    def settle(self, client: Client, realm: Realm, now: float) -> Client:
        """What the policy asks for when a client is changed (Keycloak's executor fires on update)."""
        if client.authenticator == "client-secret-jwt" and _is_digest_only(client.secrets):
            raise InvalidRequestError(_NEEDS_WHOLE_SECRET)
        client = _as_kept(client, realm)
        policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
        match judge(client.secrets, policy, now):
            case Due.ROTATE:
                return self.renew(client, realm, generate_secret(), now)
            case Due.STAMP if policy is not None:
                return replace(client, secrets=stamp(client.secrets, policy, now))
            case Due.FORGET_ROTATED:
                return replace(client, secrets=without_rotation(client.secrets, now))
            case _:
                return client


def _as_kept(client: Client, realm: Realm) -> Client:
    """Without the secret itself where the realm keeps digests only, unless the client signs with it."""
    if not realm.keeps_digests_only or client.authenticator == "client-secret-jwt":
        return client
    return replace(client, secrets=without_plain(client.secrets))


def _is_digest_only(secrets: ClientSecrets) -> bool:
    return secrets.current is not None and secrets.current.secret is None
