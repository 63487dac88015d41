"""Changes of the simulated clients, as administrators make them, and the credentials that they give out."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn_credentials.domain.token_ending import next_generation
from keyturn_shared.events import (
    ClientCreated,
    ClientDeleted,
    ClientKeyRevoked,
    ClientKeysChanged,
    ClientSecretRevoked,
    ClientSecretRotated,
    ClientUpdated,
    RealmCreated,
    RealmUpdated,
    TokenRevoked,
    encode_event,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    Projection,
    RealmProjection,
    client_field,
    realm_field,
    token_digest,
)
from tests.simulation.clients import (
    CLIENTS,
    KEY_CLIENTS,
    KEYS,
    REALM,
    REALM_ID,
    RING,
    Credential,
    commit_id,
    kids_of,
    thumbprint_of,
)
from tests.simulation.database import Commit, Make
from tests.simulation.settings import WALL

_ClientEvent = (
    ClientCreated
    | ClientUpdated
    | ClientDeleted
    | ClientSecretRotated
    | ClientSecretRevoked
    | ClientKeysChanged
    | ClientKeyRevoked
)
_REALM_KEY: Final = SigningKey(Ed25519PrivateKey.from_private_bytes(b"r" * 32), "EdDSA", kid="realm-key")
_SIGNING_KEYS: Final = (
    ProjectedSigningKey(
        kid="realm-key",
        alg="EdDSA",
        state="active",
        public_jwk=_REALM_KEY.public_jwk,
        sealed_private_jwk=RING.seal(_REALM_KEY.export_private_jwk(), "signing-key:realm-key"),
    ),
)


@dataclass(slots=True)
class Wallet:
    """Every credential ever given out, by client, the newest last.

    ``exported``: a key set that each client once had; an import, or recreating it, brings it back. ``time``:
    true seconds of the run. ``ending``: the changes that set ``notBefore`` to the current second.
    """

    draw: random.Random
    time: Callable[[], float]
    ending: set[str] = field(default_factory=set)
    issued: dict[str, list[Credential]] = field(default_factory=lambda: {name: [] for name in CLIENTS})
    exported: dict[str, dict[str, object]] = field(default_factory=dict)

    def found(self, former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
        """Make the first change of all: the realm."""
        name = realm_field(REALM)
        event_id = self._new_id()
        realm = RealmProjection(
            id=REALM_ID, name=REALM, signing_keys=_SIGNING_KEYS, jwks_allowed_networks=(event_id,)
        )
        event = RealmCreated(
            sequence=sequence, id=event_id, occurred_at=0.0, touches=(name,), realm_id=REALM_ID, realm=REALM
        )
        return event_id, encode_event(event), {name: realm}

    def change(self, client_id: str) -> Make:
        """Make a change of one client that fits its state."""

        def make(former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
            name, event_id = client_field(REALM_ID, client_id), self._new_id()
            before = former.client(name)
            kind, after, members = self._draw_change(client_id, before, event_id)
            if before is not None and after is not None:
                after = self._end_tokens(before, after)
            subject = after or before
            assert subject is not None
            event = kind(
                sequence=sequence,
                id=event_id,
                occurred_at=0.0,
                touches=(name,),
                realm_id=REALM_ID,
                realm=REALM,
                client_uuid=subject.uuid,
                client_id=client_id,
                **members,
            )
            return event_id, encode_event(event), {name: after}

        return make

    def end_tokens_of_client(self, client_id: str) -> Make:
        """Set Keycloak's ``notBefore`` of one client: now, or some time ago."""

        def make(former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
            name, event_id = client_field(REALM_ID, client_id), self._new_id()
            before = former.client(name)
            if before is None:
                return self._unchanged(former, sequence)
            after = self._end_tokens(before, _with(before, event_id, not_before=self._not_before(event_id)))
            event = ClientUpdated(
                sequence=sequence,
                id=event_id,
                occurred_at=0.0,
                touches=(name,),
                realm_id=REALM_ID,
                realm=REALM,
                client_uuid=before.uuid,
                client_id=client_id,
            )
            return event_id, encode_event(event), {name: after}

        return make

    def end_tokens_of_realm(self) -> Make:
        """Set ``notBefore`` of the realm."""

        def make(former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
            event_id = self._new_id()
            return self._change_realm(former, sequence, event_id, self._not_before(event_id))

        return make

    def revoke_token(self, client_id: str, jti: str) -> Make:
        """Revoke one token (RFC 7009)."""

        def make(former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
            name, event_id = client_field(REALM_ID, client_id), self._new_id()
            before = former.client(name)
            if before is None:
                return self._unchanged(former, sequence)
            digest, expires_at = token_digest(jti), self._now() + 300.0
            revoked = {**before.revoked_tokens, digest: expires_at}
            event = TokenRevoked(
                sequence=sequence,
                id=event_id,
                occurred_at=0.0,
                touches=(name,),
                realm_id=REALM_ID,
                realm=REALM,
                client_uuid=before.uuid,
                client_id=client_id,
                token_digest=digest,
                expires_at=expires_at,
            )
            return event_id, encode_event(event), {name: _with(before, event_id, revoked_tokens=revoked)}

        return make

    def _unchanged(self, former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
        """Make a change of the realm that ends nothing."""
        return self._change_realm(former, sequence, self._new_id(), 0)

    def _change_realm(
        self, former: Commit, sequence: int, event_id: str, not_before: int
    ) -> tuple[str, bytes, dict[str, Projection | None]]:
        name = realm_field(REALM)
        before = former.states[name].changed[name]
        assert isinstance(before, RealmProjection)
        later = max(before.not_before, not_before)
        generation = next_generation(
            before.token_generation,
            may_before=True,
            may_after=True,
            not_before=(before.not_before, later),
            now=self._now(),
        )
        members = {each: getattr(before, each) for each in before.__struct_fields__}
        changes = {"not_before": later, "token_generation": generation, "jwks_allowed_networks": (event_id,)}
        event = RealmUpdated(
            sequence=sequence, id=event_id, occurred_at=0.0, touches=(name,), realm_id=REALM_ID, realm=REALM
        )
        return event_id, encode_event(event), {name: RealmProjection(**{**members, **changes})}

    def _end_tokens(self, before: ClientProjection, after: ClientProjection) -> ClientProjection:
        """Apply the credentials service's rule to a change of the client."""
        generation = next_generation(
            before.token_generation,
            may_before=before.enabled,
            may_after=after.enabled,
            not_before=(before.not_before, after.not_before),
            now=self._now(),
        )
        if generation == before.token_generation:
            return after
        return _with(after, commit_id(after), token_generation=generation)

    def _not_before(self, event_id: str) -> int:
        before = self.draw.choice((0, 0, 0, 2))
        if not before:
            self.ending.add(event_id)
        return int(self._now()) - before

    def _now(self) -> float:
        return WALL + self.time()

    def _draw_change(
        self, client_id: str, before: ClientProjection | None, event_id: str
    ) -> tuple[type[_ClientEvent], ClientProjection | None, dict[str, Any]]:
        if before is None:
            return ClientCreated, self._create(client_id, event_id), {}
        luck = self.draw.random()
        if before.jwks is not None and self.draw.random() < 0.5:
            self.exported[client_id] = before.jwks
        if luck < 0.06 or (luck < 0.12 and before.authenticator == "client-jwt"):
            return ClientDeleted, None, {}
        if luck < 0.15 and self.draw.random() < 0.3:
            return ClientUpdated, self._import(before, event_id), {}
        if luck < 0.15 or not before.enabled:
            return ClientUpdated, _with(before, event_id, enabled=not before.enabled), {}
        if before.authenticator == "client-jwt":
            return self._change_keys(before, event_id)
        if luck < 0.3 and len(before.secrets) > 1:
            return ClientSecretRevoked, _with(before, event_id, secrets=before.secrets[:1]), {}
        kept = before.secrets[:1] if luck < 0.5 else ()
        secrets = (self._new_secret(client_id, before.uuid), *kept)
        return ClientSecretRotated, _with(before, event_id, secrets=secrets), {}

    def _change_keys(
        self, before: ClientProjection, event_id: str
    ) -> tuple[type[_ClientEvent], ClientProjection, dict[str, Any]]:
        assert before.jwks is not None
        numbers = [int(kid[1:]) for kid in kids_of(before)]
        good = [n for n in numbers if thumbprint_of(n) not in before.revoked_thumbprints]
        if good and self.draw.random() < 0.6:
            thumbprint = thumbprint_of(good[-1])
            revoked = before.revoked_thumbprints | {thumbprint}
            after = _with(before, event_id, revoked_thumbprints=revoked)
            return ClientKeyRevoked, after, {"thumbprint": thumbprint}
        fresh = self._new_keys(before.client_id)
        # Keys return after a while; the simulated admin has then forgotten that they were revoked.
        after = _with(before, event_id, jwks=fresh, revoked_thumbprints=frozenset())
        return ClientKeysChanged, after, {"source": "jwks"}

    def _import(self, before: ClientProjection, event_id: str) -> ClientProjection:
        """Overwrite an existing client: enabled, with credentials of its own, whatever was changed since."""
        if before.authenticator == "client-jwt":
            keys = self.exported.get(before.client_id) or self._new_keys(before.client_id)
            return _with(before, event_id, enabled=True, jwks=keys, revoked_thumbprints=frozenset())
        secrets = (self._new_secret(before.client_id, before.uuid),)
        return _with(before, event_id, enabled=True, secrets=secrets)

    def _create(self, client_id: str, event_id: str) -> ClientProjection:
        uuid = self._new_id()
        if client_id in KEY_CLIENTS:
            return ClientProjection(
                uuid=uuid,
                realm_id=REALM_ID,
                client_id=client_id,
                authenticator="client-jwt",
                jwks=self._keys_at_birth(client_id),
                scopes=(event_id,),
            )
        secrets = (self._new_secret(client_id, uuid),)
        return ClientProjection(
            uuid=uuid, realm_id=REALM_ID, client_id=client_id, secrets=secrets, scopes=(event_id,)
        )

    def _new_secret(self, client_id: str, uuid: str) -> ProjectedSecret:
        secret = f"{self.draw.getrandbits(64):016x}"
        self.issued[client_id].append(Credential(client_id, secret=secret))
        return ProjectedSecret(digest=RING.digest(secret, f"client-secret:{uuid}"))

    def _keys_at_birth(self, client_id: str) -> dict[str, object]:
        """Often recreate a client with its former keys: their holders did not learn of it."""
        former = self.exported.get(client_id)
        return former if former is not None and self.draw.random() < 0.6 else self._new_keys(client_id)

    def _new_keys(self, client_id: str) -> dict[str, object]:
        last = self.issued[client_id][-1].key if self.issued[client_id] else -1
        numbers = [(last + 1) % len(KEYS), (last + 2) % len(KEYS)]
        self.issued[client_id] += [Credential(client_id, key=n) for n in numbers]
        return {"keys": [KEYS[n].public_jwk for n in numbers]}

    def _new_id(self) -> str:
        return f"{self.draw.getrandbits(48):012x}"


def _with(client: ClientProjection, event_id: str, **changes: Any) -> ClientProjection:
    members = {name: getattr(client, name) for name in client.__struct_fields__}
    return ClientProjection(**{**members, "scopes": (event_id,), **changes})
