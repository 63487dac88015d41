"""Creation of stored secrets, by the rules of their realm."""

from dataclasses import replace
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.secrets import (
    ClientSecrets,
    Due,
    RotationPolicy,
    StoredSecret,
    due_change,
    generate_secret,
    make_current,
    set_expiry,
    without_plain,
    without_rotation,
)
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.projection import secret_context
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.secret import Secret

_NEEDS_WHOLE_SECRET: Final = "client-secret-jwt needs the secret itself, but only its digest is kept"  # noqa: S105 - a text


class SecretIssuer:
    """``fleet``: the keys under which verifiers compare digests."""

    def __init__(self, fleet: FleetRing) -> None:
        self._fleet = fleet

    def generate(self, client: Client) -> Secret:
        """Generate a secret that is long enough for the client's algorithm."""
        return generate_secret(signs=client.signs_with_secret)

    def store(
        self, client: Client, realm: Realm, secret: Secret, now: float, *, until_delivered: bool = False
    ) -> StoredSecret:
        """Return the secret as it is stored: in full, or only its digest if the realm requires that.
        ``until_delivered``: in full in any case, because its client has yet to get it."""
        if realm.keeps_digests_only and client.signs_with_secret and not until_delivered:
            raise InvalidRequestError(_NEEDS_WHOLE_SECRET)
        return StoredSecret(
            digest=self._fleet.find(client.realm_id).digest(secret.reveal(), secret_context(client.uuid)),
            created_at=now,
            secret=None if realm.keeps_digests_only and not until_delivered else secret,
        )

    def is_same(self, client: Client, secret: Secret) -> bool:
        """Return whether this is the client's current secret."""
        current = client.secrets.current
        return current is not None and self._fleet.find(client.realm_id).matches(
            secret.reveal(), current.digest, secret_context(client.uuid)
        )

    def give_first(
        self, client: Client, realm: Realm, chosen: Secret | None, now: float
    ) -> tuple[Client, Secret | None]:
        """Give a new client the chosen or a generated secret, if it needs one. Return both."""
        if chosen is None and not client.needs_secret:
            return client, None
        secret = chosen or self.generate(client)
        policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
        stored = self.store(client, realm, secret, now)
        return replace(client, secrets=make_current(ClientSecrets(), stored, policy, now)), secret

    def renew(
        self, client: Client, realm: Realm, secret: Secret, now: float, *, overlap: int | None = None
    ) -> Client:
        """Make this secret current, and keep the former one for ``overlap`` seconds, by default for as long
        as the policy says."""
        policy = RotationPolicy.from_attributes(client.attributes, realm.attributes)
        stored = self.store(client, realm, secret, now)
        secrets = make_current(client.secrets, stored, policy, now, overlap=overlap)
        return _as_kept(replace(client, secrets=secrets), realm)

    def change(self, client: Client, realm: Realm, chosen: Secret | None, now: float) -> Client:
        """Apply a change, with the chosen secret made current. Choosing the current secret again does not
        extend its validity."""
        if chosen is not None and not self.is_same(client, chosen):
            return self.renew(client, realm, chosen, now)
        if client.secrets.current is None and client.needs_secret:
            return self.give_first(client, realm, None, now)[0]
        return self.apply_policy(client, realm, now)

    def apply_policy(self, client: Client, realm: Realm, now: float) -> Client:
        """Apply the policy on a change of the client (Keycloak's executor fires on update)."""
        if client.signs_with_secret and _is_digest_only(client.secrets):
            raise InvalidRequestError(_NEEDS_WHOLE_SECRET)
        client = _as_kept(client, realm)
        rules = RotationRules.from_attributes(client.attributes, realm.attributes)
        policy = rules.policy
        match due_change(client.secrets, policy, now, automatic=rules.automatic):
            case Due.ROTATE:
                return self.renew(client, realm, self.generate(client), now)
            case Due.SET_EXPIRY if policy is not None:
                return replace(client, secrets=set_expiry(client.secrets, policy, now))
            case Due.FORGET_ROTATED:
                return replace(client, secrets=without_rotation(client.secrets, now))
            case _:
                return client


def _as_kept(client: Client, realm: Realm) -> Client:
    """Remove the secret itself if the realm stores digests only, unless the client signs with it."""
    if not realm.keeps_digests_only or client.signs_with_secret:
        return client
    return replace(client, secrets=without_plain(client.secrets))


def _is_digest_only(secrets: ClientSecrets) -> bool:
    current = secrets.current
    return current is not None and current.secret is None and current.undecrypted is None
