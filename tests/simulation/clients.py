"""The clients of the simulated realm: their secrets and keys, how admins change them, what they present."""

import random
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyturn_shared.events import (
    ClientCreated,
    ClientDeleted,
    ClientKeyRevoked,
    ClientKeysChanged,
    ClientSecretRevoked,
    ClientSecretRotated,
    ClientUpdated,
    Event,
    RealmCreated,
    encode_event,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    Projection,
    RealmProjection,
    client_field,
    realm_field,
)
from keyturn_shared.sealing import KeyRing
from tests.simulation.database import Commit, Make

REALM: Final = "main"
REALM_ID: Final = "r"
BASE_URL: Final = "https://id.example.test"
RING: Final = KeyRing([b"k" * 32], purpose="fleet")
SECRET_CLIENTS: Final = ("s1", "s2")
KEY_CLIENTS: Final = ("j1",)
CLIENTS: Final = SECRET_CLIENTS + KEY_CLIENTS

_KEYS: Final = [
    SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32), "EdDSA", kid=f"k{n}") for n in range(8)
]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client can prove itself with: a secret, or a key by its number."""

    client_id: str
    secret: str = ""
    key: int = -1

    @property
    def field(self) -> str:
        return client_field(REALM_ID, self.client_id)

    def assertion(self, jti: str, now: float, lifetime: float) -> str:
        """A signed assertion (RFC 7523 section 3)."""
        key = _KEYS[self.key]
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{BASE_URL}/realms/{REALM}",
            "jti": jti,
            "iat": now,
            "exp": now + lifetime,
        }
        return key.sign_compact(key.header_segment(), claims)

    def is_accepted_by(self, client: ClientProjection | None) -> bool:
        """What the answer has to be when a client stands like this."""
        if client is None or not client.enabled:
            return False
        if self.key >= 0:
            key = _KEYS[self.key]
            published = [member["kid"] for member in (client.jwks or {"keys": []})["keys"]]  # type: ignore[index,attr-defined]
            return key.kid in published and _thumbprint(self.key) not in client.revoked_thumbprints
        digest = RING.digest(self.secret, f"client-secret:{client.uuid}")
        return any(secret.digest == digest for secret in client.secrets)


@dataclass(slots=True)
class Wallet:
    """Every credential that was ever given out, by client, the newest last."""

    draw: random.Random
    issued: dict[str, list[Credential]] = field(default_factory=lambda: {name: [] for name in CLIENTS})

    def found(self, former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
        """The first change of all: the realm."""
        realm = RealmProjection(id=REALM_ID, name=REALM)
        name = realm_field(REALM)
        event_id = self._new_id()
        event = RealmCreated(
            sequence=sequence, id=event_id, occurred_at=0.0, touches=(name,), realm_id=REALM_ID, realm=REALM
        )
        return event_id, encode_event(event), {name: realm}

    def change(self, client_id: str) -> Make:
        """A change of one client that fits how it stands."""

        def make(former: Commit, sequence: int) -> tuple[str, bytes, dict[str, Projection | None]]:
            name, event_id = client_field(REALM_ID, client_id), self._new_id()
            before = former.client(name)
            kind, after, members = self._draw_change(client_id, before, event_id)
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

    def _draw_change(
        self, client_id: str, before: ClientProjection | None, event_id: str
    ) -> tuple[type[Event], ClientProjection | None, dict[str, Any]]:
        if before is None:
            return ClientCreated, self._create(client_id, event_id), {}
        luck = self.draw.random()
        if luck < 0.06:
            return ClientDeleted, None, {}
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
    ) -> tuple[type[Event], ClientProjection, dict[str, Any]]:
        assert before.jwks is not None
        numbers = [int(str(member["kid"])[1:]) for member in before.jwks["keys"]]  # type: ignore[attr-defined]
        good = [n for n in numbers if _thumbprint(n) not in before.revoked_thumbprints]
        if good and self.draw.random() < 0.6:
            thumbprint = _thumbprint(good[-1])
            revoked = before.revoked_thumbprints | {thumbprint}
            after = _with(before, event_id, revoked_thumbprints=revoked)
            return ClientKeyRevoked, after, {"thumbprint": thumbprint}
        fresh = self._new_keys(before.client_id)
        # Keys come again after a while; the simulated admin has forgotten then that they were revoked.
        after = _with(before, event_id, jwks=fresh, revoked_thumbprints=frozenset())
        return ClientKeysChanged, after, {"source": "jwks"}

    def _create(self, client_id: str, event_id: str) -> ClientProjection:
        uuid = self._new_id()
        if client_id in KEY_CLIENTS:
            return ClientProjection(
                uuid=uuid,
                realm_id=REALM_ID,
                client_id=client_id,
                authenticator="client-jwt",
                jwks=self._new_keys(client_id),
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

    def _new_keys(self, client_id: str) -> dict[str, object]:
        last = self.issued[client_id][-1].key if self.issued[client_id] else -1
        numbers = [(last + 1) % len(_KEYS), (last + 2) % len(_KEYS)]
        self.issued[client_id] += [Credential(client_id, key=n) for n in numbers]
        return {"keys": [_KEYS[n].public_jwk for n in numbers]}

    def _new_id(self) -> str:
        return f"{self.draw.getrandbits(48):012x}"


def commit_id(client: ClientProjection) -> str:
    """The event that made a projection. It travels as a scope, so that an answer shows what it rests on."""
    return client.scopes[0]


def _with(client: ClientProjection, event_id: str, **changes: Any) -> ClientProjection:
    members = {name: getattr(client, name) for name in client.__struct_fields__}
    return ClientProjection(**{**members, "scopes": (event_id,), **changes})


def _thumbprint(number: int) -> str:
    return _KEYS[number].verification_key.thumbprint
